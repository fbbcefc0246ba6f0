CREATE FUNCTION logs.audit_row_change()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_hidden CONSTANT text[] := ARRAY[
        'password_hash', 'key_hash', 'refresh_token_hash', 'previous_refresh_token_hash',
        'updated_at', 'last_used_at', 'last_login', 'used_value', 'window_started_at',
        'latest_version', 'observed_at', 'ready_replicas'];
    v_old jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - v_hidden END;
    v_new jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - v_hidden END;
    v_row CONSTANT jsonb := COALESCE(to_jsonb(NEW), to_jsonb(OLD));
    v_new_password CONSTANT boolean := TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'users'
        AND to_jsonb(OLD) -> 'password_hash' <> to_jsonb(NEW) -> 'password_hash';
    v_changed text[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(k.key ORDER BY k.key) INTO v_changed
          FROM jsonb_each(v_new) k
         WHERE k.value IS DISTINCT FROM v_old -> k.key;
        IF v_new_password THEN
            v_changed := array_append(v_changed, 'password_hash');
        ELSIF v_changed IS NULL THEN
            RETURN NULL;   -- only counters or timestamps moved
        END IF;
        SELECT jsonb_object_agg(k, v_old -> k), jsonb_object_agg(k, v_new -> k)
          INTO v_old, v_new
          FROM unnest(v_changed) k
         WHERE k <> 'password_hash';
    END IF;
    -- maintenance is late: make the partition first (an exception block instead would cost a
    -- subtransaction per row)
    IF NOT EXISTS (
        SELECT 1 FROM pg_class c
         WHERE c.oid = to_regclass('logs.audit_log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM'))
           AND c.relispartition) THEN
        PERFORM monitoring.ensure_partition_for('logs.audit_log', now());
    END IF;
    INSERT INTO logs.audit_log (
        organization_id, actor_user_id, actor_role, action, object_table, object_id,
        changed, old_values, new_values, request_id)
    VALUES (
        COALESCE((v_row ->> 'organization_id')::integer,
                 CASE WHEN TG_TABLE_NAME = 'organizations' THEN (v_row ->> 'id')::integer END,
                 auth.org_id()),
        auth.uid(),
        auth.role(),
        lower(TG_OP),
        TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
        CASE WHEN TG_NARGS > 0
             THEN (SELECT string_agg(v_row ->> a, '/') FROM unnest(TG_ARGV) a)
             ELSE v_row ->> 'id' END,
        v_changed,
        v_old,
        v_new,
        NULLIF(current_setting('app.request_id', true), ''));
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION logs.audit_row_change() IS
    'AFTER row trigger: writes the changed columns to logs.audit_log, secrets and counters left '
    'out; args name the key columns';
REVOKE ALL ON FUNCTION logs.audit_row_change() FROM PUBLIC;
