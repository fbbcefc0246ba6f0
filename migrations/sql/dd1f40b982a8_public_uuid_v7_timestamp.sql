DO $do$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE $create$
CREATE OR REPLACE FUNCTION public.uuid_v7_timestamp(
    u uuid
)
    RETURNS timestamptz
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS 'SELECT pg_catalog.uuid_extract_timestamp(u)'
        $create$;
    ELSE
        EXECUTE $create$
CREATE OR REPLACE FUNCTION public.uuid_v7_timestamp(
    u uuid
)
    RETURNS timestamptz
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $body$
    SELECT timestamptz 'epoch'
         + ('x0000' || left(replace(u::text, '-', ''), 12))::bit(64)::bigint
           * interval '1 millisecond'
$body$
        $create$;
    END IF;
END
$do$;

COMMENT ON FUNCTION public.uuid_v7_timestamp(uuid) IS
    'Millisecond timestamp held in the first 48 bits of a UUID v7';
