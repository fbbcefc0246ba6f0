"""A package of the same name as one of the reviewer's."""
