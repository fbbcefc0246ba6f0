-- 7392e08ec190 (up): Add the session context that row security asks
-- Why:   defaults, checks and policies of every tenant table call these functions.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions.
-- After: dd1f40b982a8
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade dd1f40b982a8 -> 7392e08ec190

SET LOCAL ROLE platform_owner;

-- A RETURN body is bound when created: no search_path can change what a policy calls, so it
-- carries no SET clause, which would forbid inlining (it is a policy term and a default).
CREATE FUNCTION auth.uid()
    RETURNS integer
    LANGUAGE sql
    STABLE PARALLEL SAFE
RETURN CASE
    WHEN current_setting('pb.auth.id', true) ~ '^[0-9]{1,9}$'
    THEN current_setting('pb.auth.id', true)::integer
END;

COMMENT ON FUNCTION auth.uid() IS
    'User id of the session context (pb.auth.id); NULL when absent or not a number';
GRANT EXECUTE ON FUNCTION auth.uid() TO PUBLIC;

-- Bound when created, as auth.uid().
CREATE FUNCTION auth.role()
    RETURNS text
    LANGUAGE sql
    STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('pb.auth.role', true), '');

COMMENT ON FUNCTION auth.role() IS
    'Role name of the session context (pb.auth.role); NULL when absent';
GRANT EXECUTE ON FUNCTION auth.role() TO PUBLIC;

-- Clients of the seeds set pb.auth.id and pb.auth.role only.
CREATE FUNCTION auth.home_organization()
    RETURNS integer
    LANGUAGE plpgsql
    STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_me CONSTANT integer := auth.uid();
BEGIN
    IF v_me IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT u.organization_id
              FROM auth.users u
             WHERE u.id = v_me AND u.is_active AND u.deleted_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM auth.memberships m
                                WHERE m.organization_id = u.organization_id
                                  AND m.user_id = u.id AND m.status <> 'active'));
END
$$;

COMMENT ON FUNCTION auth.home_organization() IS
    'Home organization of the user in the session context: active user, and no invited or '
    'suspended seat there';
REVOKE ALL ON FUNCTION auth.home_organization() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.home_organization()
    TO platform_app, platform_readonly, platform_log_writer;

-- Bound when created, as auth.uid(). A setting that is no number closes the door.
CREATE FUNCTION auth.org_id()
    RETURNS integer
    LANGUAGE sql
    STABLE PARALLEL SAFE
RETURN CASE
    WHEN current_setting('app.auth.org', true) ~ '^[0-9]{1,9}$'
    THEN current_setting('app.auth.org', true)::integer
    WHEN current_setting('app.auth.org', true) <> '' THEN NULL
    ELSE auth.home_organization()
END;

COMMENT ON FUNCTION auth.org_id() IS
    'Organization id of the session context: app.auth.org, without it the home organization of '
    'pb.auth.id; NULL means no tenant, so no rows';
GRANT EXECUTE ON FUNCTION auth.org_id() TO PUBLIC;

CREATE FUNCTION auth.permissions_valid(
    p text[]
)
    RETURNS boolean
    LANGUAGE sql
    IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
RETURN p IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM unnest(p) x
     WHERE x IS NULL OR x !~ '^([a-z_]+|\*)(\.([a-z_]+|\*))?:([a-z_]+|\*)$');

COMMENT ON FUNCTION auth.permissions_valid(text[]) IS
    'Every element reads schema.object:action, with * as wildcard';
GRANT EXECUTE ON FUNCTION auth.permissions_valid(text[]) TO PUBLIC;

CREATE FUNCTION data_platform.contains_plain_secret(
    j jsonb
)
    RETURNS boolean
    LANGUAGE sql
    IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
RETURN jsonb_path_exists(
        j,
        ('$.** ? (@.type() == "object").keyvalue() ? (@.key like_regex "^('
         -- no prefix before token: an eos_token is no secret
         'token|auth[_-]?token|access[_-]?token|client[_-]?secret|credentials?|'
         '([a-z0-9]+[_-])*(password|passwd|pwd|passphrase|secret|api[_-]?key|access[_-]?key|'
         'secret[_-]?key|private[_-]?key|secret[_-]?access[_-]?key)'
         ')$" flag "i")')::jsonpath)
    OR jsonb_path_exists(
        j, '$.** ? (@.type() == "string" && @ like_regex "://[^/@:]*:[^/@]+@")')
    OR jsonb_path_exists(
        j,
        '$.** ? (@.type() == "string"
                 && @ like_regex "(^|[ ;?&])(password|pwd)=[^ ;&]+" flag "i")');

COMMENT ON FUNCTION data_platform.contains_plain_secret(jsonb) IS
    'True when the document has a key that names a secret, or a URL or connection string with a '
    'password; use *_ref keys instead';
GRANT EXECUTE ON FUNCTION data_platform.contains_plain_secret(jsonb) TO PUBLIC;

CREATE FUNCTION monitoring.force_row_security(
    p_table regclass
)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', p_table);
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO platform_owner '
                   'USING (true) WITH CHECK (true)', p_table);
END
$$;

COMMENT ON FUNCTION monitoring.force_row_security(regclass) IS
    'Row security for everyone including the owner, and the one policy that lets platform_owner '
    'see and write all rows';
REVOKE ALL ON FUNCTION monitoring.force_row_security(regclass) FROM PUBLIC;

UPDATE public.alembic_version SET version_num='7392e08ec190' WHERE public.alembic_version.version_num = 'dd1f40b982a8';

COMMIT;
