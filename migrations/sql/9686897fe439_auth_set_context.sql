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
