-- dd1f40b982a8 (up): Add the functions that clients of the seeds call
-- Why:   time-ordered keys, json_valid, case-insensitive collation and the generic triggers carry the names that existing clients use.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions and the collation.
-- After: 0bd5aa16c560
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade 0bd5aa16c560 -> dd1f40b982a8

SET LOCAL ROLE platform_owner;

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

-- Needs a server built with ICU; without it the lower() unique indexes carry the rule alone.
DO $do$
BEGIN
    CREATE COLLATION IF NOT EXISTS public.nocase (
        provider = icu, locale = 'und-u-ks-level2', deterministic = false
    );
EXCEPTION WHEN feature_not_supported THEN
    RAISE WARNING 'no ICU in this server: collation "nocase" not created';
END
$do$;

CREATE FUNCTION public.set_updated_at()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION public.set_updated_at() IS
    'BEFORE UPDATE row trigger: stamps updated_at when any column changed';

-- Gapless and race free: the parent row is the lock.
CREATE FUNCTION public.assign_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_parent CONSTANT text := to_jsonb(NEW) ->> TG_ARGV[1];
    v_column CONSTANT text := COALESCE(TG_ARGV[2], 'version');
    v_given CONSTANT text := to_jsonb(NEW) ->> v_column;
    v_next integer;
BEGIN
    IF v_given IS NULL THEN
        EXECUTE format('UPDATE %s SET latest_version = latest_version + 1 '
                       'WHERE id = $1 RETURNING latest_version', TG_ARGV[0])
           INTO v_next USING v_parent::integer;
    ELSE
        EXECUTE format('UPDATE %s SET latest_version = GREATEST(latest_version, $2) '
                       'WHERE id = $1 RETURNING $2', TG_ARGV[0])
           INTO v_next USING v_parent::integer, v_given::integer;
    END IF;
    IF v_next IS NULL THEN
        RAISE EXCEPTION '% % does not exist or is not visible', TG_ARGV[0], v_parent
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN jsonb_populate_record(NEW, jsonb_build_object(v_column, v_next));
END
$$;

COMMENT ON FUNCTION public.assign_version() IS
    'BEFORE INSERT trigger: takes the next version number from the parent row';

-- Arguments: columns that may still change. WHEN on the trigger says from which state on.
CREATE FUNCTION public.forbid_change_except()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (to_jsonb(NEW) - TG_ARGV::text[]) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV::text[]) THEN
        RAISE EXCEPTION '%.% row is immutable; only % may change',
            TG_TABLE_SCHEMA, TG_TABLE_NAME, array_to_string(TG_ARGV, ', ')
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION public.forbid_change_except() IS
    'BEFORE UPDATE trigger for immutable rows (versions, revisions)';

-- Ids only: a payload is limited to 8000 bytes. Arguments: the key columns where the key is not id.
CREATE FUNCTION public.pb_notify_event()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_row CONSTANT jsonb := COALESCE(to_jsonb(NEW), to_jsonb(OLD));
BEGIN
    PERFORM pg_notify('pb_events', json_build_object(
        'type', CASE TG_OP WHEN 'INSERT' THEN 'create'
                           WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
        'collection', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
        'id', CASE WHEN TG_NARGS > 0
                   THEN (SELECT string_agg(v_row ->> a, '/') FROM unnest(TG_ARGV) a)
                   ELSE v_row ->> 'id' END,
        'node_id', COALESCE(current_setting('pb.node_id', true), ''))::text);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.pb_notify_event() IS
    'AFTER row trigger (opt-in per table): publishes create/update/delete on channel pb_events';

UPDATE public.alembic_version SET version_num='dd1f40b982a8' WHERE public.alembic_version.version_num = '0bd5aa16c560';

COMMIT;
