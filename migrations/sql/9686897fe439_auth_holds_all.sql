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
