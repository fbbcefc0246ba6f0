"""What stands in the database."""
