-- becf7e9dbc8c (down): Add API keys and sessions
-- Why:   machines and browsers sign in with credentials of which only digests are stored.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup. Everybody is signed out.
-- After: 415c76cf8284
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade becf7e9dbc8c -> 415c76cf8284

SET LOCAL ROLE platform_owner;

DROP TABLE auth.sessions;

DROP TABLE auth.api_keys;

UPDATE public.alembic_version SET version_num='415c76cf8284' WHERE public.alembic_version.version_num = 'becf7e9dbc8c';

COMMIT;
