CREATE FUNCTION public.json_valid(
    text
)
    RETURNS boolean
    LANGUAGE plpgsql
    IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN pg_input_is_valid($1, 'jsonb');
END
$$;

COMMENT ON FUNCTION public.json_valid(text) IS
    'SQLite-compatible: does the text convert to jsonb; NULL in, NULL out';
