-- Bound when created, as auth.uid().
CREATE FUNCTION auth.role()
    RETURNS text
    LANGUAGE sql
    STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('pb.auth.role', true), '');

COMMENT ON FUNCTION auth.role() IS
    'Role name of the session context (pb.auth.role); NULL when absent';
GRANT EXECUTE ON FUNCTION auth.role() TO PUBLIC;
