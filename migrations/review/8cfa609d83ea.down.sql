-- 8cfa609d83ea (down): Add the job queue
-- Why:   work is claimed with leases, and a worker that died loses its job to another.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the table. The rows are lost; restore them from a backup.
-- After: 849dbecf46cf
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 8cfa609d83ea -> 849dbecf46cf

SET LOCAL ROLE platform_owner;

DROP FUNCTION algo_platform.claim_jobs(text, text, integer, interval);

DROP TABLE algo_platform.jobs;

UPDATE public.alembic_version SET version_num='849dbecf46cf' WHERE public.alembic_version.version_num = '8cfa609d83ea';

COMMIT;
