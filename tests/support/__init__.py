"""Fixtures: servers, databases, programs and accounts."""
