-- requires: tables, auth.schema
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
