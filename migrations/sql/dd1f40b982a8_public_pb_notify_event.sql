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
