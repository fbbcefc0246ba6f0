-- 19aa0bea777e (down): Add endpoints and deployments
-- Why:   traffic of an endpoint is divided over revisions and always adds up.
-- Lock:  SHARE ROW EXCLUSIVE on the service tables and auth.users until commit, for the foreign keys: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the tables. Its rows are lost; restore them from a backup.
-- After: f8804844e7d8
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 19aa0bea777e -> f8804844e7d8

SET LOCAL ROLE platform_owner;

DROP TRIGGER tr_deployments_traffic ON service_platform.deployments;

DROP FUNCTION service_platform.check_traffic();

DROP TABLE service_platform.deployments;

DROP TABLE service_platform.endpoints;

UPDATE public.alembic_version SET version_num='f8804844e7d8' WHERE public.alembic_version.version_num = '19aa0bea777e';

COMMIT;
