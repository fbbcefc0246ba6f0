-- 49e9681a3337 (down): Add the lineage of data, runs and models
-- Why:   from a model back to its data, and forward from a source to what it touched.
-- Lock:  SHARE ROW EXCLUSIVE on the tables that an edge can join until commit, for the foreign keys: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the view and the table. Its rows are lost; restore them from a backup.
-- After: dc5d89d0be53
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 49e9681a3337 -> dc5d89d0be53

SET LOCAL ROLE platform_owner;

DROP VIEW data_platform.lineage_graph;

DROP TABLE data_platform.lineage_edges;

UPDATE public.alembic_version SET version_num='dc5d89d0be53' WHERE public.alembic_version.version_num = '49e9681a3337';

COMMIT;
