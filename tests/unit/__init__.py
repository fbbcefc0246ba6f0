"""No server, under two seconds."""
