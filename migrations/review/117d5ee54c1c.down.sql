-- 117d5ee54c1c (down): Add organizations and users
-- Why:   the tenant and the people are what every other table refers to.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 7392e08ec190
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 117d5ee54c1c -> 7392e08ec190

SET LOCAL ROLE platform_owner;

DROP TABLE auth.users;

DROP TABLE auth.organizations;

UPDATE public.alembic_version SET version_num='7392e08ec190' WHERE public.alembic_version.version_num = '117d5ee54c1c';

COMMIT;
