-- f7582b911e32 (down): Add the request log
-- Why:   clients of the seeds COPY into public.request_logs; a tenant reads its own rows through a view.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the view and the table, with every daily partition. The rows are lost; restore them from a backup.
-- After: e31dba63dfd0
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade f7582b911e32 -> e31dba63dfd0

SET LOCAL ROLE platform_owner;

DROP VIEW logs.tenant_request_logs;

DROP TABLE request_logs;

UPDATE public.alembic_version SET version_num='e31dba63dfd0' WHERE public.alembic_version.version_num = 'f7582b911e32';

COMMIT;
