"""Command bodies of `platform`: parse, call, print."""
