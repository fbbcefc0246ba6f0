-- 566f553776db (down): Add model aliases and evaluations
-- Why:   services follow an alias, and an alias moves on evidence.
-- Lock:  SHARE ROW EXCLUSIVE on algo_platform.runs, auth.users, data_platform.dataset_versions, model_platform.model_versions and model_platform.models until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: dc5d89d0be53
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 566f553776db -> dc5d89d0be53

SET LOCAL ROLE platform_owner;

DROP TABLE model_platform.evaluations;

DROP TABLE model_platform.model_aliases;

UPDATE public.alembic_version SET version_num='dc5d89d0be53' WHERE public.alembic_version.version_num = '566f553776db';

COMMIT;
