-- 9686897fe439 (up): Add sign-in functions and the built-in roles
-- Why:   the application never reads a password hash by itself: one function per step, and roles to give.
-- Lock:  ROW EXCLUSIVE on auth.roles, which blocks nobody.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions and deletes the built-in roles that nobody holds.
-- After: becf7e9dbc8c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade becf7e9dbc8c -> 9686897fe439

SET LOCAL ROLE platform_owner;

CREATE FUNCTION auth.has_permission(
    p text,
    p_user integer DEFAULT auth.uid(),
    p_org integer DEFAULT auth.org_id()
)
    RETURNS boolean
    LANGUAGE sql
    STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT 1 FROM auth.users u
                    WHERE u.id = p_user AND u.is_active AND u.deleted_at IS NULL
                      AND u.is_superuser)
        OR EXISTS (
        SELECT 1
          FROM (SELECT m.role_id
                  FROM auth.memberships m
                 WHERE m.user_id = p_user AND m.organization_id = p_org AND m.status = 'active'
                UNION
                SELECT g.role_id
                  FROM auth.group_members gm
                  JOIN auth.groups g ON g.id = gm.group_id
                  JOIN auth.memberships m2 ON m2.user_id = gm.user_id
                       AND m2.organization_id = p_org AND m2.status = 'active'
                 WHERE gm.user_id = p_user AND g.organization_id = p_org) held
          JOIN auth.roles r ON r.id = held.role_id
          JOIN auth.users u ON u.id = p_user AND u.is_active AND u.deleted_at IS NULL
         CROSS JOIN unnest(r.permissions) perm
         -- a wildcard asked for is held by a wildcard as wide
         WHERE p ~ ('^' || replace(replace(perm, '.', '\.'), '*', '[a-z_.*]+') || '$'))
$$;

COMMENT ON FUNCTION auth.has_permission(text, integer, integer) IS
    'Does the user hold schema.object:action in the organization, directly or through a group';
REVOKE ALL ON FUNCTION auth.has_permission(text, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.has_permission(text, integer, integer) TO platform_app;

CREATE FUNCTION auth.holds_all(
    p text[],
    p_user integer DEFAULT auth.uid(),
    p_org integer DEFAULT auth.org_id()
)
    RETURNS boolean
    LANGUAGE sql
    STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM unnest(p) asked
                        WHERE NOT auth.has_permission(asked, p_user, p_org))
$$;

COMMENT ON FUNCTION auth.holds_all(text[], integer, integer) IS
    'Does the user hold every one of the permissions in the organization: nobody gives away more';
REVOKE ALL ON FUNCTION auth.holds_all(text[], integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.holds_all(text[], integer, integer) TO platform_app;

CREATE FUNCTION auth.set_context(
    p_user integer,
    p_org integer,
    p_role text DEFAULT 'authenticated'
)
    RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_org IS NOT NULL
       AND NOT EXISTS (
           SELECT 1
             FROM auth.memberships m JOIN auth.users u ON u.id = m.user_id
            WHERE m.user_id = p_user AND m.organization_id = p_org
              AND m.status = 'active' AND u.is_active AND u.deleted_at IS NULL)
       AND NOT EXISTS (
           SELECT 1 FROM auth.users u
            WHERE u.id = p_user AND u.is_active AND u.deleted_at IS NULL
              AND u.is_superuser) THEN
        RAISE EXCEPTION 'user % has no seat in organization %', p_user, p_org
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('pb.auth.id', COALESCE(p_user::text, ''), true),
            set_config('pb.auth.role', COALESCE(p_role, ''), true),
            set_config('app.auth.org', COALESCE(p_org::text, ''), true);
END
$$;

COMMENT ON FUNCTION auth.set_context(integer, integer, text) IS
    'Checks the membership, then sets pb.auth.id, pb.auth.role and app.auth.org for this '
    'transaction; without an organization the home organization applies';
REVOKE ALL ON FUNCTION auth.set_context(integer, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.set_context(integer, integer, text) TO platform_app;

-- Nobody shadows another by taking that one's address for a name or the name for an address:
-- what holds an @ is an address first, everything else a name.
CREATE FUNCTION auth.find_login(
    p_login text
)
    RETURNS TABLE (
        id integer,
        password_hash varchar,
        is_active boolean,
        locked_until timestamptz,
        organization_id integer
    )
    LANGUAGE sql
    STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT u.id, u.password_hash, u.is_active, u.locked_until, u.organization_id
      FROM auth.users u
     WHERE u.deleted_at IS NULL
       AND (lower(u.username) = lower(p_login) OR lower(u.email) = lower(p_login))
     ORDER BY CASE WHEN p_login LIKE '%@%' THEN lower(u.email) ELSE lower(u.username) END
              = lower(p_login) DESC
     LIMIT 1
$$;

COMMENT ON FUNCTION auth.find_login(text) IS
    'The only way for the application to read a password hash: one row, by login name or address';
REVOKE ALL ON FUNCTION auth.find_login(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.find_login(text) TO platform_app;

CREATE FUNCTION auth.verify_api_key(
    p_hash bytea
)
    RETURNS TABLE (
        id uuid,
        organization_id integer,
        user_id integer,
        scopes text[],
        allowed_cidrs cidr[]
    )
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.id, k.organization_id, k.user_id, k.scopes, k.allowed_cidrs
      FROM auth.api_keys k
      JOIN auth.organizations o ON o.id = k.organization_id AND o.status = 'active'
     WHERE k.key_hash = p_hash AND k.revoked_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > now())
       -- a person's key ends with the person's account
       AND (k.user_id IS NULL
            OR EXISTS (SELECT 1 FROM auth.users u
                        WHERE u.id = k.user_id AND u.is_active AND u.deleted_at IS NULL));
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE auth.api_keys k
       SET last_used_at = now()
     WHERE k.key_hash = p_hash
       AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute');
END
$$;

COMMENT ON FUNCTION auth.verify_api_key(bytea) IS
    'Resolves a key digest to tenant, user and scopes; touches last_used_at at most once a minute';
REVOKE ALL ON FUNCTION auth.verify_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.verify_api_key(bytea) TO platform_app;

CREATE FUNCTION auth.rotate_session(
    p_hash bytea,
    p_new_hash bytea,
    p_ip inet DEFAULT NULL,
    p_user_agent text DEFAULT NULL
)
    RETURNS TABLE (
        session_id uuid,
        user_id integer,
        organization_id integer,
        outcome text
    )
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_session auth.sessions%ROWTYPE;
    v_outcome text := 'rotated';
BEGIN
    SELECT * INTO v_session
      FROM auth.sessions x
     WHERE (x.refresh_token_hash = p_hash OR x.previous_refresh_token_hash = p_hash)
       AND x.revoked_at IS NULL AND x.expires_at > now()
       AND EXISTS (SELECT 1 FROM auth.users u
                    WHERE u.id = x.user_id AND u.is_active AND u.deleted_at IS NULL)
       FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_session.refresh_token_hash = p_hash
       OR v_session.refreshed_at > now() - interval '10 seconds' THEN
        -- an old token within ten seconds: the reply of the last rotation may have been lost
        UPDATE auth.sessions x
           SET refresh_token_hash = p_new_hash,
               refresh_counter = x.refresh_counter + 1,
               refreshed_at = now(),
               previous_refresh_token_hash = p_hash,
               ip = COALESCE(p_ip, x.ip),
               user_agent = COALESCE(p_user_agent, x.user_agent)
         WHERE x.id = v_session.id;
    ELSE
        UPDATE auth.sessions x SET revoked_at = now() WHERE x.id = v_session.id;
        v_outcome := 'reuse_detected';
    END IF;
    RETURN QUERY
    SELECT v_session.id, v_session.user_id, v_session.organization_id, v_outcome;
END
$$;

COMMENT ON FUNCTION auth.rotate_session(bytea, bytea, inet, text) IS
    'Exchanges a refresh token; an old token revokes the session (outcome reuse_detected); no row '
    'means unknown';
REVOKE ALL ON FUNCTION auth.rotate_session(bytea, bytea, inet, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.rotate_session(bytea, bytea, inet, text) TO platform_app;

CREATE FUNCTION auth.record_login(
    p_user integer,
    p_ok boolean
)
    RETURNS void
    LANGUAGE sql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.users u
       SET failed_login_count = CASE WHEN p_ok THEN 0
                                     ELSE LEAST(u.failed_login_count + 1, 1000) END,
           locked_until = CASE WHEN p_ok THEN NULL
                               WHEN u.failed_login_count + 1 >= 10
                               THEN now() + interval '15 minutes'
                               ELSE u.locked_until END,
           last_login = CASE WHEN p_ok THEN now() ELSE u.last_login END
     WHERE u.id = p_user
$$;

COMMENT ON FUNCTION auth.record_login(integer, boolean) IS
    'Counts failures, locks for 15 minutes after ten, stamps last_login on success';
REVOKE ALL ON FUNCTION auth.record_login(integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.record_login(integer, boolean) TO platform_app;

CREATE FUNCTION auth.create_user(
    p_username text,
    p_email text,
    p_password_hash text,
    p_org integer DEFAULT auth.org_id(),
    p_role text DEFAULT 'viewer'
)
    RETURNS integer
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_user integer;
    v_role auth.roles%ROWTYPE;
BEGIN
    IF p_org IS NOT NULL
       AND NOT auth.has_permission('auth.memberships:write', auth.uid(), p_org) THEN
        RAISE EXCEPTION 'not allowed to add members to organization %', p_org
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF p_org IS NOT NULL THEN
        SELECT * INTO v_role
          FROM auth.roles r
         WHERE r.name = p_role AND (r.organization_id = p_org OR r.organization_id IS NULL)
         ORDER BY r.organization_id NULLS LAST
         LIMIT 1;
        IF NOT FOUND THEN   -- a home organization without a seat would still open its rows
            RAISE EXCEPTION 'organization % has no role %', p_org, p_role
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF NOT auth.holds_all(v_role.permissions, auth.uid(), p_org) THEN
            RAISE EXCEPTION 'not allowed to give the role %', p_role
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'Nobody gives permissions beyond the own ones.';
        END IF;
    END IF;
    INSERT INTO auth.users (username, email, password_hash, organization_id)
    VALUES (p_username, p_email, p_password_hash, p_org)
    RETURNING id INTO v_user;
    IF p_org IS NOT NULL THEN
        INSERT INTO auth.memberships (organization_id, user_id, role_id, invited_by)
        VALUES (p_org, v_user, v_role.id, auth.uid());
    END IF;
    RETURN v_user;
END
$$;

COMMENT ON FUNCTION auth.create_user(text, text, text, integer, text) IS
    'Registers a user; with an organization, the caller needs auth.memberships:write and every '
    'permission of the role there';
REVOKE ALL ON FUNCTION auth.create_user(text, text, text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.create_user(text, text, text, integer, text) TO platform_app;

CREATE FUNCTION auth.create_organization(
    p_slug text,
    p_name text
)
    RETURNS integer
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_organization integer;
BEGIN
    IF auth.uid() IS NULL THEN
        RAISE EXCEPTION 'sign in first' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO auth.organizations (slug, name)
    VALUES (p_slug, p_name)
    RETURNING id INTO v_organization;
    INSERT INTO auth.memberships (organization_id, user_id, role_id)
    SELECT v_organization, auth.uid(), r.id
      FROM auth.roles r
     WHERE r.organization_id IS NULL AND r.name = 'owner';
    RETURN v_organization;
END
$$;

COMMENT ON FUNCTION auth.create_organization(text, text) IS
    'Creates an organization owned by the caller';
REVOKE ALL ON FUNCTION auth.create_organization(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.create_organization(text, text) TO platform_app;

-- Definer: the policy of memberships asks, and users are visible through memberships.
CREATE FUNCTION auth.is_colleague(
    p_user integer
)
    RETURNS boolean
    LANGUAGE sql
    STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT 1 FROM auth.users u
                    WHERE u.id = p_user AND u.organization_id = auth.org_id())
        OR EXISTS (SELECT 1 FROM auth.memberships m
                    WHERE m.user_id = p_user AND m.organization_id = auth.org_id()
                      AND m.status <> 'invited')
$$;

COMMENT ON FUNCTION auth.is_colleague(integer) IS
    'Does the user belong to the organization in the session context: by home or by a seat taken';
REVOKE ALL ON FUNCTION auth.is_colleague(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.is_colleague(integer) TO platform_app;

CREATE FUNCTION auth.accept_invitation(
    p_org integer
)
    RETURNS boolean
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE auth.memberships m
       SET status = 'active'
     WHERE m.organization_id = p_org AND m.user_id = auth.uid() AND m.status = 'invited';
    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION auth.accept_invitation(integer) IS
    'The user in the session context takes the seat offered by an organization; false without one';
REVOKE ALL ON FUNCTION auth.accept_invitation(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.accept_invitation(integer) TO platform_app;

-- Roles of no organization, which every organization may give to its members.
INSERT INTO auth.roles (organization_id, name, description, permissions) VALUES
    (NULL, 'owner', 'Everything in the organization', ARRAY['*:*']),
    (NULL, 'admin', 'Everything except billing and deletion',
     ARRAY['auth.*:*', 'data_platform.*:*', 'algo_platform.*:*', 'model_platform.*:*',
           'service_platform.*:*', 'monitoring.*:read']),
    (NULL, 'developer', 'Builds datasets, runs, models, services',
     ARRAY['data_platform.*:*', 'algo_platform.*:*', 'model_platform.*:*',
           'service_platform.*:read', 'service_platform.deployments:write']),
    (NULL, 'viewer', 'Reads', ARRAY['*:read'])
ON CONFLICT (organization_id, name) DO NOTHING;   -- the way back leaves those in use;

UPDATE public.alembic_version SET version_num='9686897fe439' WHERE public.alembic_version.version_num = 'becf7e9dbc8c';

COMMIT;
