"""How rows are made up: catalog, values by type, hints of constraints, one query."""
