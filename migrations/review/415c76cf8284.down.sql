-- 415c76cf8284 (down): Add roles, groups and memberships
-- Why:   a user works in an organization through a seat with a role, or through a group. Who loses the seat loses the home there, which would open the rows as well.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 117d5ee54c1c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 415c76cf8284 -> 117d5ee54c1c

SET LOCAL ROLE platform_owner;

DROP TABLE auth.memberships;

DROP FUNCTION auth.leave_home();

DROP TABLE auth.group_members;

DROP TABLE auth.groups;

DROP TABLE auth.roles;

UPDATE public.alembic_version SET version_num='117d5ee54c1c' WHERE public.alembic_version.version_num = '415c76cf8284';

COMMIT;
