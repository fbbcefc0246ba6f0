-- requires: auth.schema
-- Definer: who removes a seat may not write the user's row.
CREATE FUNCTION auth.leave_home()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE auth.users u
       SET organization_id = NULL
     WHERE u.id = OLD.user_id AND u.organization_id = OLD.organization_id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION auth.leave_home() IS
    'AFTER row trigger on memberships: an organization whose seat is gone is nobody''s home, or '
    'its rows would stay open';
REVOKE ALL ON FUNCTION auth.leave_home() FROM PUBLIC;
