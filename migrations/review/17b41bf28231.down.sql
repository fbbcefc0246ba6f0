-- 17b41bf28231 (down): Add data sources and datasets
-- Why:   what a model learns from has an owner and a place of origin.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 9686897fe439
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 17b41bf28231 -> 9686897fe439

SET LOCAL ROLE platform_owner;

DROP TABLE data_platform.datasets;

DROP TABLE data_platform.data_sources;

UPDATE public.alembic_version SET version_num='9686897fe439' WHERE public.alembic_version.version_num = '17b41bf28231';

COMMIT;
