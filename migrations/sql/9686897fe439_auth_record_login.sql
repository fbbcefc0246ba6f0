CREATE FUNCTION auth.record_login(
    p_user integer,
    p_ok boolean
)
    RETURNS void
    LANGUAGE sql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.users u
       SET failed_login_count = CASE WHEN p_ok THEN 0
                                     ELSE LEAST(u.failed_login_count + 1, 1000) END,
           locked_until = CASE WHEN p_ok THEN NULL
                               WHEN u.failed_login_count + 1 >= 10
                               THEN now() + interval '15 minutes'
                               ELSE u.locked_until END,
           last_login = CASE WHEN p_ok THEN now() ELSE u.last_login END
     WHERE u.id = p_user
$$;

COMMENT ON FUNCTION auth.record_login(integer, boolean) IS
    'Counts failures, locks for 15 minutes after ten, stamps last_login on success';
REVOKE ALL ON FUNCTION auth.record_login(integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.record_login(integer, boolean) TO platform_app;
