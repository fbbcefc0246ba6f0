CREATE FUNCTION auth.has_permission(
    p text,
    p_user integer DEFAULT auth.uid(),
    p_org integer DEFAULT auth.org_id()
)
    RETURNS boolean
    LANGUAGE sql
    STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT 1 FROM auth.users u
                    WHERE u.id = p_user AND u.is_active AND u.deleted_at IS NULL
                      AND u.is_superuser)
        OR EXISTS (
        SELECT 1
          FROM (SELECT m.role_id
                  FROM auth.memberships m
                 WHERE m.user_id = p_user AND m.organization_id = p_org AND m.status = 'active'
                UNION
                SELECT g.role_id
                  FROM auth.group_members gm
                  JOIN auth.groups g ON g.id = gm.group_id
                  JOIN auth.memberships m2 ON m2.user_id = gm.user_id
                       AND m2.organization_id = p_org AND m2.status = 'active'
                 WHERE gm.user_id = p_user AND g.organization_id = p_org) held
          JOIN auth.roles r ON r.id = held.role_id
          JOIN auth.users u ON u.id = p_user AND u.is_active AND u.deleted_at IS NULL
         CROSS JOIN unnest(r.permissions) perm
         -- a wildcard asked for is held by a wildcard as wide
         WHERE p ~ ('^' || replace(replace(perm, '.', '\.'), '*', '[a-z_.*]+') || '$'))
$$;

COMMENT ON FUNCTION auth.has_permission(text, integer, integer) IS
    'Does the user hold schema.object:action in the organization, directly or through a group';
REVOKE ALL ON FUNCTION auth.has_permission(text, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.has_permission(text, integer, integer) TO platform_app;
