CREATE FUNCTION auth.permissions_valid(
    p text[]
)
    RETURNS boolean
    LANGUAGE sql
    IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
RETURN p IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM unnest(p) x
     WHERE x IS NULL OR x !~ '^([a-z_]+|\*)(\.([a-z_]+|\*))?:([a-z_]+|\*)$');

COMMENT ON FUNCTION auth.permissions_valid(text[]) IS
    'Every element reads schema.object:action, with * as wildcard';
GRANT EXECUTE ON FUNCTION auth.permissions_valid(text[]) TO PUBLIC;
