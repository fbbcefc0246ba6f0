"""Keep the database usable over time: partitions made ahead, expired ones removed."""
