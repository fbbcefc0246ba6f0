-- dc5d89d0be53 (down): Add the model registry
-- Why:   services name a model version or an alias of it; a version that is ready never changes.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations, auth.users, the dataset tables and algo_platform.runs until commit, for the foreign keys: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. Its rows are lost; restore them from a backup.
-- After: 67a1351b175c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade dc5d89d0be53 -> 67a1351b175c

SET LOCAL ROLE platform_owner;

DROP TABLE model_platform.evaluations;

DROP TABLE model_platform.model_aliases;

DROP TABLE model_platform.model_versions;

DROP TABLE model_platform.models;

UPDATE public.alembic_version SET version_num='67a1351b175c' WHERE public.alembic_version.version_num = 'dc5d89d0be53';

COMMIT;
