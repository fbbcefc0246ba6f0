-- 2656c31927f7 (down): Add quality checks and their results
-- Why:   a dataset version is published on evidence.
-- Lock:  SHARE ROW EXCLUSIVE on auth.users, data_platform.dataset_versions and data_platform.datasets until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 2b35e4d6bdc1
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 2656c31927f7 -> 2b35e4d6bdc1

SET LOCAL ROLE platform_owner;

DROP TABLE data_platform.quality_results;

DROP TABLE data_platform.quality_checks;

UPDATE public.alembic_version SET version_num='2b35e4d6bdc1' WHERE public.alembic_version.version_num = '2656c31927f7';

COMMIT;
