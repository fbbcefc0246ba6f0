-- 4a40ccfda27c (up): Add the audit log
-- Why:   who changed what, written by trigger and never changed afterwards.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the functions and the table, with every monthly partition. The rows are lost; restore them from a backup.
-- After: f7582b911e32
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade f7582b911e32 -> 4a40ccfda27c

SET LOCAL ROLE platform_owner;

CREATE TABLE logs.audit_log (
    id UUID DEFAULT uuid_generate_v7() NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    organization_id INTEGER,
    actor_user_id INTEGER,
    actor_role TEXT,
    db_user TEXT DEFAULT session_user NOT NULL,
    action VARCHAR(30) NOT NULL,
    object_table TEXT NOT NULL,
    object_id TEXT,
    changed TEXT[],
    old_values JSONB,
    new_values JSONB,
    transaction_id BIGINT DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL,
    request_id TEXT,
    CONSTRAINT pk_audit_log PRIMARY KEY (id, occurred_at)
)
 PARTITION BY RANGE (occurred_at);

COMMENT ON TABLE logs.audit_log IS 'Who changed what: append-only, written by trigger';

COMMENT ON COLUMN logs.audit_log.id IS 'Event id';

COMMENT ON COLUMN logs.audit_log.occurred_at IS 'Transaction time, partition key';

COMMENT ON COLUMN logs.audit_log.organization_id IS 'Tenant; no foreign keys here, so history survives deletion';

COMMENT ON COLUMN logs.audit_log.actor_user_id IS 'auth.uid() at the time';

COMMENT ON COLUMN logs.audit_log.actor_role IS 'auth.role() at the time';

COMMENT ON COLUMN logs.audit_log.db_user IS 'Database login';

COMMENT ON COLUMN logs.audit_log.action IS 'insert, update, delete, or an application event such as login.failed';

COMMENT ON COLUMN logs.audit_log.object_table IS 'schema.table';

COMMENT ON COLUMN logs.audit_log.object_id IS 'Primary key of the row';

COMMENT ON COLUMN logs.audit_log.changed IS 'Columns that changed';

COMMENT ON COLUMN logs.audit_log.old_values IS 'Changed columns before; secret columns never';

COMMENT ON COLUMN logs.audit_log.new_values IS 'Changed columns after; secret columns never';

COMMENT ON COLUMN logs.audit_log.transaction_id IS 'Groups the rows of one transaction';

COMMENT ON COLUMN logs.audit_log.request_id IS 'app.request_id of the session, when set';

CREATE INDEX ix_audit_log_actor_user_id ON logs.audit_log (actor_user_id, occurred_at DESC) WHERE actor_user_id IS NOT NULL;

CREATE INDEX ix_audit_log_object ON logs.audit_log (object_table, object_id, occurred_at DESC);

CREATE INDEX ix_audit_log_organization_id ON logs.audit_log (organization_id, occurred_at DESC);

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

CREATE FUNCTION logs.refuse_change()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

COMMENT ON FUNCTION logs.refuse_change() IS
    'BEFORE UPDATE or DELETE: keeps a table append-only, for the owner as well';
REVOKE ALL ON FUNCTION logs.refuse_change() FROM PUBLIC;

CREATE TRIGGER tr_audit_log_append_only
    BEFORE UPDATE OR DELETE ON logs.audit_log
    FOR EACH ROW EXECUTE FUNCTION logs.refuse_change();

UPDATE public.alembic_version SET version_num='4a40ccfda27c' WHERE public.alembic_version.version_num = 'f7582b911e32';

COMMIT;
