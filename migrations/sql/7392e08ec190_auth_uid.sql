-- A RETURN body is bound when created: no search_path can change what a policy calls, so it
-- carries no SET clause, which would forbid inlining (it is a policy term and a default).
CREATE FUNCTION auth.uid()
    RETURNS integer
    LANGUAGE sql
    STABLE PARALLEL SAFE
RETURN CASE
    WHEN current_setting('pb.auth.id', true) ~ '^[0-9]{1,9}$'
    THEN current_setting('pb.auth.id', true)::integer
END;

COMMENT ON FUNCTION auth.uid() IS
    'User id of the session context (pb.auth.id); NULL when absent or not a number';
GRANT EXECUTE ON FUNCTION auth.uid() TO PUBLIC;
