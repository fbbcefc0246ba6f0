-- caf02e74a531 (down): Add prompts, their versions and labels
-- Why:   a prompt is versioned like code; a label says which version is live.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 49e9681a3337
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade caf02e74a531 -> 49e9681a3337

SET LOCAL ROLE platform_owner;

DROP TABLE service_platform.prompt_labels;

DROP TABLE service_platform.prompt_versions;

DROP TABLE service_platform.prompts;

UPDATE public.alembic_version SET version_num='49e9681a3337' WHERE public.alembic_version.version_num = 'caf02e74a531';

COMMIT;
