-- 5ed3b79de57a (down): Add documents and chunks
-- Why:   retrieval works on pieces of documents that remember where they came from.
-- Lock:  SHARE ROW EXCLUSIVE on data_platform.datasets until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 8746c0603fbd
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 5ed3b79de57a -> 8746c0603fbd

SET LOCAL ROLE platform_owner;

DROP TABLE data_platform.chunks;

DROP TABLE data_platform.documents;

UPDATE public.alembic_version SET version_num='8746c0603fbd' WHERE public.alembic_version.version_num = '5ed3b79de57a';

COMMIT;
