"""People, organizations and API keys: what an operator does with schema auth.

Every function takes a psycopg connection in autocommit that acts as platform_owner
(`keys.verify_key` and `users.verify_login`: platform_app is enough) and opens the
transaction it needs. Import the submodule that you use: each one is light.
"""
