-- 49e9681a3337 (down): Add the lineage of data, runs and models
-- Why:   from a model back to its data, and forward from a source to what it touched.
-- Lock:  SHARE ROW EXCLUSIVE on algo_platform.runs, auth.users, data_platform.data_sources, data_platform.dataset_versions and model_platform.model_versions until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the view and the table. The rows are lost; restore them from a backup.
-- After: 566f553776db
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 49e9681a3337 -> 566f553776db

SET LOCAL ROLE platform_owner;

DROP VIEW data_platform.lineage_graph;

DROP TABLE data_platform.lineage_edges;

UPDATE public.alembic_version SET version_num='566f553776db' WHERE public.alembic_version.version_num = '49e9681a3337';

COMMIT;
