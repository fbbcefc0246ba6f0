-- 2b35e4d6bdc1 (down): Add vectorizers and their queue
-- Why:   a dataset stays embedded while its documents change; workers take batches with leases.
-- Lock:  SHARE ROW EXCLUSIVE on auth.users, data_platform.datasets, data_platform.documents and data_platform.embedding_models until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the triggers, functions and tables. The rows are lost; restore them from a backup.
-- After: 48472038ce9b
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 2b35e4d6bdc1 -> 48472038ce9b

SET LOCAL ROLE platform_owner;

DROP FUNCTION data_platform.claim_documents(integer, text, integer, interval);

DROP TRIGGER tr_documents_enqueue_update ON data_platform.documents;

DROP TRIGGER tr_documents_enqueue_insert ON data_platform.documents;

DROP FUNCTION data_platform.enqueue_changed_documents();

DROP FUNCTION data_platform.enqueue_documents();

DROP TABLE data_platform.vectorizer_queue;

DROP TABLE data_platform.vectorizers;

UPDATE public.alembic_version SET version_num='48472038ce9b' WHERE public.alembic_version.version_num = '2b35e4d6bdc1';

COMMIT;
