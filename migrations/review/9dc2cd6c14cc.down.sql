-- 9dc2cd6c14cc (down): Add service level objectives
-- Why:   a promise to users is written down where it is measured.
-- Lock:  SHARE ROW EXCLUSIVE on auth.users and service_platform.services until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the table. The rows are lost; restore them from a backup.
-- After: fb447a73537b
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 9dc2cd6c14cc -> fb447a73537b

SET LOCAL ROLE platform_owner;

DROP TABLE monitoring.slos;

UPDATE public.alembic_version SET version_num='fb447a73537b' WHERE public.alembic_version.version_num = '9dc2cd6c14cc';

COMMIT;
