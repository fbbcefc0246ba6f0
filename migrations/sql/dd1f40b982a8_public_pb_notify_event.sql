-- Ids only: a payload is limited to 8000 bytes.
CREATE FUNCTION public.pb_notify_event()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('pb_events', json_build_object(
        'type', CASE TG_OP WHEN 'INSERT' THEN 'create'
                           WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
        'collection', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
        'id', COALESCE(to_jsonb(NEW), to_jsonb(OLD)) ->> 'id',
        'node_id', COALESCE(current_setting('pb.node_id', true), ''))::text);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.pb_notify_event() IS
    'AFTER row trigger (opt-in per table): publishes create/update/delete on channel pb_events';
