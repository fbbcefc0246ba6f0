-- 4aad4d8e8b4d (down): Add services and their revisions
-- Why:   what is deployed is a fixed revision of a service, never its latest state.
-- Lock:  SHARE ROW EXCLUSIVE on auth.groups, auth.organizations, auth.users, model_platform.model_versions and service_platform.prompt_versions until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: caf02e74a531
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 4aad4d8e8b4d -> caf02e74a531

SET LOCAL ROLE platform_owner;

DROP TABLE service_platform.revisions;

DROP TABLE service_platform.services;

UPDATE public.alembic_version SET version_num='caf02e74a531' WHERE public.alembic_version.version_num = '4aad4d8e8b4d';

COMMIT;
