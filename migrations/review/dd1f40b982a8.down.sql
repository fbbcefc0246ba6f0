-- dd1f40b982a8 (down): Add the functions that clients of the seeds call
-- Why:   time-ordered keys, json_valid, case-insensitive collation and the generic triggers carry the names that existing clients use.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions and the collation.
-- After: 0bd5aa16c560
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade dd1f40b982a8 -> 0bd5aa16c560

SET LOCAL ROLE platform_owner;

DROP FUNCTION public.pb_notify_event();

DROP FUNCTION public.forbid_change_except();

DROP FUNCTION public.assign_version();

DROP FUNCTION public.set_updated_at();

DROP COLLATION IF EXISTS public.nocase;

DROP FUNCTION public.json_valid(text);

DROP FUNCTION public.uuid_v7_timestamp(uuid);

DROP FUNCTION public.uuid_generate_v7();

UPDATE public.alembic_version SET version_num='0bd5aa16c560' WHERE public.alembic_version.version_num = 'dd1f40b982a8';

COMMIT;
