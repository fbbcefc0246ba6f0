"""Our libraries against a real server."""
