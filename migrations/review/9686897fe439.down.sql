-- 9686897fe439 (down): Add sign-in functions and the built-in roles
-- Why:   the application never reads a password hash by itself: one function per step, and roles to give.
-- Lock:  ROW EXCLUSIVE on auth.roles, which blocks nobody.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions and deletes the built-in roles that nobody holds.
-- After: becf7e9dbc8c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 9686897fe439 -> becf7e9dbc8c

SET LOCAL ROLE platform_owner;

DELETE FROM auth.roles r WHERE r.organization_id IS NULL AND NOT EXISTS (SELECT FROM auth.memberships m WHERE m.role_id = r.id) AND NOT EXISTS (SELECT FROM auth.groups g WHERE g.role_id = r.id);

DROP FUNCTION auth.accept_invitation(integer);

DROP FUNCTION auth.is_colleague(integer);

DROP FUNCTION auth.create_organization(text, text);

DROP FUNCTION auth.create_user(text, text, text, integer, text);

DROP FUNCTION auth.record_login(integer, boolean);

DROP FUNCTION auth.rotate_session(bytea, bytea, inet, text);

DROP FUNCTION auth.verify_api_key(bytea);

DROP FUNCTION auth.find_login(text);

DROP FUNCTION auth.set_context(integer, integer, text);

DROP FUNCTION auth.holds_all(text[], integer, integer);

DROP FUNCTION auth.has_permission(text, integer, integer);

UPDATE public.alembic_version SET version_num='becf7e9dbc8c' WHERE public.alembic_version.version_num = '9686897fe439';

COMMIT;
