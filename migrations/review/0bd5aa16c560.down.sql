-- 0bd5aa16c560 (down): Create the seven schemas
-- Why:   one schema per area of the platform keeps rights and searches apart.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the schemas; refuses when somebody put an object of their own there.
-- After: 431a5fca12ed
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 0bd5aa16c560 -> 431a5fca12ed

SET LOCAL ROLE platform_owner;

DROP SCHEMA logs;

DROP SCHEMA monitoring;

DROP SCHEMA service_platform;

DROP SCHEMA model_platform;

DROP SCHEMA algo_platform;

DROP SCHEMA data_platform;

DROP SCHEMA auth;

UPDATE public.alembic_version SET version_num='431a5fca12ed' WHERE public.alembic_version.version_num = '0bd5aa16c560';

COMMIT;
