-- Bound when created, as auth.uid(). A setting that is no number closes the door.
CREATE FUNCTION auth.org_id()
    RETURNS integer
    LANGUAGE sql
    STABLE PARALLEL SAFE
RETURN CASE
    WHEN current_setting('app.auth.org', true) ~ '^[0-9]{1,9}$'
    THEN current_setting('app.auth.org', true)::integer
    WHEN current_setting('app.auth.org', true) <> '' THEN NULL
    ELSE auth.home_organization()
END;

COMMENT ON FUNCTION auth.org_id() IS
    'Organization id of the session context: app.auth.org, without it the home organization of '
    'pb.auth.id; NULL means no tenant, so no rows';
GRANT EXECUTE ON FUNCTION auth.org_id() TO PUBLIC;
