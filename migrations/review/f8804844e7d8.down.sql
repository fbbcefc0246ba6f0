-- f8804844e7d8 (down): Add services, prompts and their versions
-- Why:   what is deployed is a fixed revision, and a prompt is versioned like code.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations, auth.users and the model tables until commit, for the foreign keys: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. Its rows are lost; restore them from a backup.
-- After: 49e9681a3337
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade f8804844e7d8 -> 49e9681a3337

SET LOCAL ROLE platform_owner;

DROP TABLE service_platform.revisions;

DROP TABLE service_platform.prompt_labels;

DROP TABLE service_platform.prompt_versions;

DROP TABLE service_platform.prompts;

DROP TABLE service_platform.services;

UPDATE public.alembic_version SET version_num='49e9681a3337' WHERE public.alembic_version.version_num = 'f8804844e7d8';

COMMIT;
