"""Promises of this project, each guarded by a test."""
