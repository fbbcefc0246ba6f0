-- A name that reads like somebody's address must not shadow that address: the address wins.
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
     ORDER BY lower(u.email) = lower(p_login) DESC
     LIMIT 1
$$;

COMMENT ON FUNCTION auth.find_login(text) IS
    'The only way for the application to read a password hash: one row, by login name or address';
REVOKE ALL ON FUNCTION auth.find_login(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.find_login(text) TO platform_app;
