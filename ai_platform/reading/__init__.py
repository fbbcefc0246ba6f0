"""Read what services have logged, from no more partitions than the question needs."""
