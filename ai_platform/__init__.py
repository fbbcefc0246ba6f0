"""Operate the database of an AI platform: server, revisions, catalog, upkeep."""
