-- acfe33d7f24c (down): Add the usage ledger and its daily sums
-- Why:   every call is kept once with its cost; invoices are sums of that.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the tables, with every weekly partition. The rows are lost; restore them from a backup.
-- After: a610cf89e125
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade acfe33d7f24c -> a610cf89e125

SET LOCAL ROLE platform_owner;

DROP FUNCTION service_platform.rollup_usage(date);

DROP TABLE service_platform.usage_daily;

DROP TABLE service_platform.invocations;

UPDATE public.alembic_version SET version_num='a610cf89e125' WHERE public.alembic_version.version_num = 'acfe33d7f24c';

COMMIT;
