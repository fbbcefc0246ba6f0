-- 48472038ce9b (down): Add embedding models and vectors
-- Why:   vectors of several models live side by side; the table of the seeds keeps its name, its columns and its ivfflat index with 100 lists.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations, data_platform.chunks and data_platform.datasets until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables, with every partition that was made for a model. The rows are lost; restore them from a backup.
-- After: 5ed3b79de57a
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 48472038ce9b -> 5ed3b79de57a

SET LOCAL ROLE platform_owner;

DROP VIEW monitoring.vector_index_status;

DROP FUNCTION data_platform.ensure_embedding_partition(integer, text, integer);

DROP TABLE data_platform.chunk_embeddings;

DROP TABLE data_platform.text_embeddings;

DROP TABLE data_platform.embedding_models;

UPDATE public.alembic_version SET version_num='5ed3b79de57a' WHERE public.alembic_version.version_num = '48472038ce9b';

COMMIT;
