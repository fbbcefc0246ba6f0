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
