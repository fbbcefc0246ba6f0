-- 8746c0603fbd (down): Add versions of datasets
-- Why:   training and retrieval name a fixed version of their data; a published one never changes.
-- Lock:  SHARE ROW EXCLUSIVE on auth.users and data_platform.datasets until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the table. The rows are lost; restore them from a backup.
-- After: 17b41bf28231
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 8746c0603fbd -> 17b41bf28231

SET LOCAL ROLE platform_owner;

DROP TABLE data_platform.dataset_versions;

UPDATE public.alembic_version SET version_num='17b41bf28231' WHERE public.alembic_version.version_num = '8746c0603fbd';

COMMIT;
