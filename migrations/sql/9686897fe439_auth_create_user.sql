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
