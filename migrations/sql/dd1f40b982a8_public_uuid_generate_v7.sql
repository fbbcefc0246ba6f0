-- No SET search_path, on purpose: it is the default of hot tables and stays inlined; pinning
-- halves its speed. It names core functions only, each by its schema or as an SQL construct.
DO $do$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE $create$
CREATE OR REPLACE FUNCTION public.uuid_generate_v7()
    RETURNS uuid
    LANGUAGE sql
    VOLATILE PARALLEL SAFE
AS 'SELECT pg_catalog.uuidv7()'
        $create$;
    ELSE
        EXECUTE $create$
CREATE OR REPLACE FUNCTION public.uuid_generate_v7()
    RETURNS uuid
    LANGUAGE sql
    VOLATILE PARALLEL SAFE
AS $body$
    SELECT pg_catalog.encode(
               pg_catalog.set_bit(
                   pg_catalog.set_bit(
                       pg_catalog.overlay(
                           pg_catalog.uuid_send(pg_catalog.gen_random_uuid()),
                           pg_catalog.substring(
                               pg_catalog.int8send(pg_catalog.floor(
                                   extract(epoch FROM pg_catalog.clock_timestamp())
                                   OPERATOR(pg_catalog.*) 1000)::bigint),
                               3),
                           1, 6),
                       52, 1),
                   53, 1),
               'hex')::uuid
$body$
        $create$;
    END IF;
END
$do$;

COMMENT ON FUNCTION public.uuid_generate_v7() IS
    'Time-ordered UUID v7; the core uuidv7() on PostgreSQL 18+, portable SQL below';
