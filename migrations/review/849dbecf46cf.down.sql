-- 849dbecf46cf (down): Add algorithms and experiments
-- Why:   runs need something to run and something to belong to.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 2656c31927f7
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 849dbecf46cf -> 2656c31927f7

SET LOCAL ROLE platform_owner;

DROP TABLE algo_platform.experiments;

DROP TABLE algo_platform.algorithms;

UPDATE public.alembic_version SET version_num='2656c31927f7' WHERE public.alembic_version.version_num = '849dbecf46cf';

COMMIT;
