-- requires: tables, auth.uid
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
