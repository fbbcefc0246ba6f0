-- 7392e08ec190 (down): Add the session context that row security asks
-- Why:   defaults, checks and policies of every tenant table call these functions.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions.
-- After: dd1f40b982a8
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 7392e08ec190 -> dd1f40b982a8

SET LOCAL ROLE platform_owner;

DROP FUNCTION monitoring.force_row_security(regclass);

DROP FUNCTION data_platform.contains_plain_secret(jsonb);

DROP FUNCTION auth.permissions_valid(text[]);

DROP FUNCTION auth.org_id();

DROP FUNCTION auth.home_organization();

DROP FUNCTION auth.role();

DROP FUNCTION auth.uid();

UPDATE public.alembic_version SET version_num='dd1f40b982a8' WHERE public.alembic_version.version_num = '7392e08ec190';

COMMIT;
