-- 5ed3b79de57a (down): Add documents and chunks
-- Why:   retrieval works on pieces of documents that remember where they came from.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and the dataset tables until commit, for the foreign keys: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. Its rows are lost; restore them from a backup.
-- After: 17b41bf28231
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 5ed3b79de57a -> 17b41bf28231

SET LOCAL ROLE platform_owner;

DROP TABLE data_platform.chunks;

DROP TABLE data_platform.documents;

UPDATE public.alembic_version SET version_num='17b41bf28231' WHERE public.alembic_version.version_num = '5ed3b79de57a';

COMMIT;
