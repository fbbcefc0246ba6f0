-- 19aa0bea777e (down): Add endpoints and deployments
-- Why:   traffic of an endpoint is divided over revisions and always adds up.
-- Lock:  SHARE ROW EXCLUSIVE on auth.users, service_platform.revisions and service_platform.services until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the tables. The rows are lost; restore them from a backup.
-- After: 4aad4d8e8b4d
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 19aa0bea777e -> 4aad4d8e8b4d

SET LOCAL ROLE platform_owner;

DROP TRIGGER tr_deployments_traffic ON service_platform.deployments;

DROP FUNCTION service_platform.check_traffic();

DROP TABLE service_platform.deployments;

DROP TABLE service_platform.endpoints;

UPDATE public.alembic_version SET version_num='4aad4d8e8b4d' WHERE public.alembic_version.version_num = '19aa0bea777e';

COMMIT;
