-- 4a40ccfda27c (down): Add the audit log
-- Why:   who changed what, written by trigger and never changed afterwards.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions and the table, with every monthly partition. The rows are lost; restore them from a backup.
-- After: f7582b911e32
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 4a40ccfda27c -> f7582b911e32

SET LOCAL ROLE platform_owner;

DROP TRIGGER tr_audit_log_append_only ON logs.audit_log;

DROP FUNCTION logs.refuse_change();

DROP FUNCTION logs.audit_row_change();

DROP TABLE logs.audit_log;

UPDATE public.alembic_version SET version_num='f7582b911e32' WHERE public.alembic_version.version_num = '4a40ccfda27c';

COMMIT;
