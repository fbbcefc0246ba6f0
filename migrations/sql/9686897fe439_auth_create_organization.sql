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
