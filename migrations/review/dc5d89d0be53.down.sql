-- dc5d89d0be53 (down): Add models and their versions
-- Why:   a version that is ready never changes: it can be named, compared and deployed.
-- Lock:  SHARE ROW EXCLUSIVE on algo_platform.algorithms, algo_platform.runs, auth.groups, auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 8bdab76af3ff
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade dc5d89d0be53 -> 8bdab76af3ff

SET LOCAL ROLE platform_owner;

DROP TABLE model_platform.model_versions;

DROP TABLE model_platform.models;

UPDATE public.alembic_version SET version_num='8bdab76af3ff' WHERE public.alembic_version.version_num = 'dc5d89d0be53';

COMMIT;
