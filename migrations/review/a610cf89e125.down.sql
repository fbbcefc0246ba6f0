-- a610cf89e125 (down): Add quotas
-- Why:   use is limited per organization, user, key, service or endpoint, all or nothing per call.
-- Lock:  SHARE ROW EXCLUSIVE on auth.api_keys, auth.organizations, auth.users, service_platform.endpoints and service_platform.services until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the table. The rows are lost; restore them from a backup.
-- After: 19aa0bea777e
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade a610cf89e125 -> 19aa0bea777e

SET LOCAL ROLE platform_owner;

DROP FUNCTION service_platform.consume_quotas(integer[], numeric[]);

DROP TABLE service_platform.quotas;

UPDATE public.alembic_version SET version_num='19aa0bea777e' WHERE public.alembic_version.version_num = 'a610cf89e125';

COMMIT;
