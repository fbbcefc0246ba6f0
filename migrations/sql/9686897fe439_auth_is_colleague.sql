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
