"""The DBA review: what a change will do to production, measured on a scratch server."""
