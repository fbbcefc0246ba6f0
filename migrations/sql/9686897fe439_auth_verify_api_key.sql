CREATE FUNCTION auth.verify_api_key(
    p_hash bytea
)
    RETURNS TABLE (
        id uuid,
        organization_id integer,
        user_id integer,
        scopes text[],
        allowed_cidrs cidr[]
    )
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.id, k.organization_id, k.user_id, k.scopes, k.allowed_cidrs
      FROM auth.api_keys k
      JOIN auth.organizations o ON o.id = k.organization_id AND o.status = 'active'
     WHERE k.key_hash = p_hash AND k.revoked_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > now())
       -- a person's key ends with the person's account
       AND (k.user_id IS NULL
            OR EXISTS (SELECT 1 FROM auth.users u
                        WHERE u.id = k.user_id AND u.is_active AND u.deleted_at IS NULL));
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE auth.api_keys k
       SET last_used_at = now()
     WHERE k.key_hash = p_hash
       AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute');
END
$$;

COMMENT ON FUNCTION auth.verify_api_key(bytea) IS
    'Resolves a key digest to tenant, user and scopes; touches last_used_at at most once a minute';
REVOKE ALL ON FUNCTION auth.verify_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.verify_api_key(bytea) TO platform_app;
