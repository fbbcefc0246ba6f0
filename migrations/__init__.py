"""How the schema came to be: revisions, their frozen SQL and the SQL a DBA reads."""
