CREATE FUNCTION auth.rotate_session(
    p_hash bytea,
    p_new_hash bytea,
    p_ip inet DEFAULT NULL,
    p_user_agent text DEFAULT NULL
)
    RETURNS TABLE (
        session_id uuid,
        user_id integer,
        organization_id integer,
        outcome text
    )
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_session auth.sessions%ROWTYPE;
    v_outcome text := 'rotated';
BEGIN
    SELECT * INTO v_session
      FROM auth.sessions x
     WHERE (x.refresh_token_hash = p_hash OR x.previous_refresh_token_hash = p_hash)
       AND x.revoked_at IS NULL AND x.expires_at > now()
       AND EXISTS (SELECT 1 FROM auth.users u
                    WHERE u.id = x.user_id AND u.is_active AND u.deleted_at IS NULL)
       FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_session.refresh_token_hash = p_hash
       OR v_session.refreshed_at > now() - interval '10 seconds' THEN
        -- an old token within ten seconds: the reply of the last rotation may have been lost
        UPDATE auth.sessions x
           SET refresh_token_hash = p_new_hash,
               refresh_counter = x.refresh_counter + 1,
               refreshed_at = now(),
               previous_refresh_token_hash = p_hash,
               ip = COALESCE(p_ip, x.ip),
               user_agent = COALESCE(p_user_agent, x.user_agent)
         WHERE x.id = v_session.id;
    ELSE
        UPDATE auth.sessions x SET revoked_at = now() WHERE x.id = v_session.id;
        v_outcome := 'reuse_detected';
    END IF;
    RETURN QUERY
    SELECT v_session.id, v_session.user_id, v_session.organization_id, v_outcome;
END
$$;

COMMENT ON FUNCTION auth.rotate_session(bytea, bytea, inet, text) IS
    'Exchanges a refresh token; an old token revokes the session (outcome reuse_detected); no row '
    'means unknown';
REVOKE ALL ON FUNCTION auth.rotate_session(bytea, bytea, inet, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.rotate_session(bytea, bytea, inet, text) TO platform_app;
