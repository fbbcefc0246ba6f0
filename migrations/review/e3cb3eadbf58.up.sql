-- e3cb3eadbf58 (up): Add partition policies and the first partitions
-- Why:   there is no default partition: partitions are made ahead, and a writer who finds none can make the one it needs.
-- Lock:  SHARE UPDATE EXCLUSIVE on the four partitioned parents until commit: readers and writers go on.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops all time partitions of the four parents, then functions, view and table. The rows are lost; restore them from a backup.
-- After: 4a40ccfda27c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade 4a40ccfda27c -> e3cb3eadbf58

SET LOCAL ROLE platform_owner;

CREATE TABLE monitoring.partition_policies (
    parent_table TEXT NOT NULL,
    partition_schema TEXT NOT NULL,
    granularity VARCHAR(10) NOT NULL,
    precreate SMALLINT DEFAULT 7 NOT NULL,
    retention INTERVAL,
    is_unlogged BOOLEAN DEFAULT false NOT NULL,
    is_enabled BOOLEAN DEFAULT true NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_partition_policies PRIMARY KEY (parent_table),
    CONSTRAINT ck_partition_policies_granularity CHECK (granularity IN ('day', 'week', 'month')),
    CONSTRAINT ck_partition_policies_retention CHECK (retention > interval '0'),
    CONSTRAINT ck_partition_policies_precreate CHECK (precreate BETWEEN 1 AND 400)
);

COMMENT ON TABLE monitoring.partition_policies IS 'How each time-partitioned table is extended and pruned';

COMMENT ON COLUMN monitoring.partition_policies.parent_table IS 'schema.table of the parent';

COMMENT ON COLUMN monitoring.partition_policies.partition_schema IS 'Schema its partitions are put into';

COMMENT ON COLUMN monitoring.partition_policies.granularity IS 'day, week or month';

COMMENT ON COLUMN monitoring.partition_policies.precreate IS 'Partitions made ahead of the current one; there is no default partition';

COMMENT ON COLUMN monitoring.partition_policies.retention IS 'Age at which a whole partition is dropped; NULL keeps everything';

COMMENT ON COLUMN monitoring.partition_policies.is_unlogged IS 'New partitions are UNLOGGED: no WAL, empty after a crash';

COMMENT ON COLUMN monitoring.partition_policies.is_enabled IS 'False leaves the table alone';

COMMENT ON COLUMN monitoring.partition_policies.updated_at IS 'Last change, kept by trigger';

-- Bounds are text in the catalog: time zone and date style are pinned, or they would be read
-- differently by every session.
CREATE FUNCTION monitoring.partition_ranges(
    p_parent regclass
)
    RETURNS TABLE (
        partition regclass,
        range_from timestamptz,
        range_to timestamptz
    )
    LANGUAGE sql
    STABLE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT c.oid::regclass,
           COALESCE(substring(b.bound FROM 'FROM \(''([^'']+)''')::timestamptz, '-infinity'),
           COALESCE(substring(b.bound FROM 'TO \(''([^'']+)''')::timestamptz, 'infinity')
      FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid
     CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b(bound)
     WHERE i.inhparent = p_parent AND NOT i.inhdetachpending
       -- NULL when the partition was dropped meanwhile: it would count as one without ends
       AND b.bound LIKE 'FOR VALUES FROM%'
$$;

COMMENT ON FUNCTION monitoring.partition_ranges(regclass) IS
    'Attached range partitions of a table with their bounds; bounds without a time zone are UTC';
REVOKE ALL ON FUNCTION monitoring.partition_ranges(regclass) FROM PUBLIC;

CREATE FUNCTION monitoring.create_partition(
    p_parent regclass,
    p_from timestamptz,
    p_to timestamptz,
    p_unlogged boolean DEFAULT false,
    p_schema text DEFAULT NULL
)
    RETURNS text
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    v_schema text;
    v_base text;
    v_name text;
    v_key text;
    v_key_type text;
    v_from timestamptz := p_from;
    v_to timestamptz := p_to;
    v_covered timestamptz;
    v_taken regclass;
    v_suffix integer := 0;
BEGIN
    SELECT COALESCE(p_schema, n.nspname), c.relname, a.attname, format_type(a.atttypid, NULL)
      INTO STRICT v_schema, v_base, v_key, v_key_type
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_partitioned_table p ON p.partrelid = c.oid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
     WHERE c.oid = p_parent AND p.partstrat = 'r';
    IF EXISTS (SELECT FROM pg_partitioned_table p
                WHERE p.partrelid = p_parent AND p.partdefid <> 0)
    THEN
        -- ATTACH would lock the default partition exclusively and scan it
        RAISE EXCEPTION '% has a default partition', p_parent
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Move its rows and drop it.';
    END IF;
    PERFORM pg_advisory_xact_lock(
        hashtextextended('monitoring.partitions', p_parent::oid::bigint));
    LOOP   -- only the gap is made: partitions of another granularity may reach into the range
        SELECT max(r.range_to) INTO v_covered
          FROM monitoring.partition_ranges(p_parent) r
         WHERE r.range_from <= v_from AND r.range_to > v_from;
        EXIT WHEN v_covered IS NULL;
        v_from := v_covered;
    END LOOP;
    SELECT LEAST(v_to, min(r.range_from)) INTO v_to
      FROM monitoring.partition_ranges(p_parent) r
     WHERE r.range_from > v_from;
    IF v_from >= v_to THEN
        RETURN NULL;
    END IF;
    v_base := v_base || '_' || to_char(v_from, CASE WHEN v_to - v_from > interval '27 days'
                                                    THEN 'YYYYMM' ELSE 'YYYYMMDD' END);
    v_name := v_base;
    LOOP
        -- a longer one would be cut, and the next day would find it taken
        IF octet_length(v_name) > 63 THEN
            RAISE EXCEPTION 'the name % has more than 63 bytes', v_name
                USING ERRCODE = 'name_too_long';
        END IF;
        v_taken := to_regclass(format('%I.%I', v_schema, v_name));
        EXIT WHEN v_taken IS NULL;
        IF pg_partition_root(v_taken) = p_parent AND NOT EXISTS
               (SELECT FROM monitoring.partition_ranges(p_parent) r WHERE r.partition = v_taken)
        THEN
            RETURN NULL;                                -- attached after this snapshot was taken
        END IF;
        v_suffix := v_suffix + 1;                       -- a detached or renamed one has the name
        v_name := v_base || '_' || v_suffix;
    END LOOP;
    -- built aside, checked, closed, then attached: the parent is never locked exclusively and
    -- nothing is scanned
    EXECUTE format('CREATE %s TABLE %I.%I (LIKE %s INCLUDING ALL EXCLUDING IDENTITY, CONSTRAINT %I '
                   'CHECK (%I IS NOT NULL AND %I >= %L::%s AND %I < %L::%s))',
                   CASE WHEN p_unlogged THEN 'UNLOGGED' ELSE '' END, v_schema, v_name, p_parent,
                   'ck_' || v_name || '_range',
                   v_key, v_key, v_from, v_key_type, v_key, v_to, v_key_type);
    PERFORM monitoring.force_row_security(format('%I.%I', v_schema, v_name)::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                   p_parent, v_schema, v_name, v_from, v_to);
    EXECUTE format('ALTER TABLE %I.%I DROP CONSTRAINT %I',
                   v_schema, v_name, 'ck_' || v_name || '_range');
    RETURN format('%I.%I', v_schema, v_name);
END
$$;

COMMENT ON FUNCTION
    monitoring.create_partition(regclass, timestamptz, timestamptz, boolean, text) IS
    'Creates and attaches one range partition (UTC bounds) in the given schema, without an '
    'exclusive lock on the parent; NULL when the range is covered';
REVOKE ALL ON FUNCTION
    monitoring.create_partition(regclass, timestamptz, timestamptz, boolean, text) FROM PUBLIC;

CREATE FUNCTION monitoring.ensure_partitions(
    p_parent text DEFAULT NULL,
    p_at timestamptz DEFAULT now()
)
    RETURNS SETOF text
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_policy record;
    v_start timestamp;
    v_step interval;
    v_made text;
BEGIN
    FOR v_policy IN
        SELECT * FROM monitoring.partition_policies pp
         WHERE pp.is_enabled AND (p_parent IS NULL OR pp.parent_table = p_parent)
         ORDER BY pp.parent_table
    LOOP
        v_step := ('1 ' || v_policy.granularity)::interval;
        v_start := date_trunc(v_policy.granularity, p_at AT TIME ZONE 'UTC');
        FOR i IN 0..v_policy.precreate LOOP
            v_made := monitoring.create_partition(
                v_policy.parent_table::regclass,
                (v_start + i * v_step) AT TIME ZONE 'UTC',
                (v_start + (i + 1) * v_step) AT TIME ZONE 'UTC',
                v_policy.is_unlogged,
                v_policy.partition_schema);
            IF v_made IS NOT NULL THEN
                RETURN NEXT v_made;
            END IF;
        END LOOP;
    END LOOP;
END
$$;

COMMENT ON FUNCTION monitoring.ensure_partitions(text, timestamptz) IS
    'Creates the current and the coming partitions of every policy; safe to repeat and to run '
    'twice at once';
REVOKE ALL ON FUNCTION monitoring.ensure_partitions(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitoring.ensure_partitions(text, timestamptz) TO platform_worker;

-- The window keeps a row dated 2100 from making partitions until then.
CREATE FUNCTION monitoring.ensure_partition_for(
    p_parent text,
    p_at timestamptz
)
    RETURNS text
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_policy monitoring.partition_policies%ROWTYPE;
    v_start timestamp;
BEGIN
    SELECT * INTO v_policy FROM monitoring.partition_policies pp WHERE pp.parent_table = p_parent;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% has no partition policy', p_parent
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_at IS NULL OR p_at < now() - interval '1 day' OR p_at > now() + interval '2 days' THEN
        RAISE EXCEPTION '% is not within a day back and two days ahead', p_at
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT 1 FROM monitoring.partition_ranges(v_policy.parent_table::regclass) r
                WHERE r.range_from <= p_at AND r.range_to > p_at) THEN
        RETURN NULL;
    END IF;
    v_start := date_trunc(v_policy.granularity, p_at AT TIME ZONE 'UTC');
    RETURN monitoring.create_partition(
        v_policy.parent_table::regclass,
        v_start AT TIME ZONE 'UTC',
        (v_start + ('1 ' || v_policy.granularity)::interval) AT TIME ZONE 'UTC',
        v_policy.is_unlogged,
        v_policy.partition_schema);
END
$$;

COMMENT ON FUNCTION monitoring.ensure_partition_for(text, timestamptz) IS
    'For writers that met "no partition": creates the one partition for a moment near now, then '
    'write again; NULL when it is there';
REVOKE ALL ON FUNCTION monitoring.ensure_partition_for(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitoring.ensure_partition_for(text, timestamptz)
    TO platform_app, platform_log_writer;

-- Lists only. Removal is client code, because no function can DETACH CONCURRENTLY, and a plain
-- DETACH would lock every reader and writer out. The zone is pinned: "7 days" ago is an hour
-- off where clocks changed in between.
CREATE FUNCTION monitoring.expired_partitions(
    p_parent text DEFAULT NULL,
    p_at timestamptz DEFAULT now()
)
    RETURNS TABLE (
        parent_table text,
        partition regclass,
        range_to timestamptz
    )
    LANGUAGE sql
    STABLE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
AS $$
    SELECT pp.parent_table, r.partition, r.range_to
      FROM monitoring.partition_policies pp
     CROSS JOIN LATERAL monitoring.partition_ranges(to_regclass(pp.parent_table)) r
     WHERE pp.is_enabled
       AND (p_parent IS NULL OR pp.parent_table = p_parent)
       AND r.range_to <= p_at - pp.retention
     ORDER BY pp.parent_table, r.range_to
$$;

COMMENT ON FUNCTION monitoring.expired_partitions(text, timestamptz) IS
    'Partitions past the retention of their policy, oldest first; detaching and dropping them is '
    'client code';
REVOKE ALL ON FUNCTION monitoring.expired_partitions(text, timestamptz) FROM PUBLIC;

CREATE VIEW monitoring.partition_status AS
SELECT pp.parent_table,
       c.oid::regclass::text AS partition,
       c.relpersistence = 'u' AS is_unlogged,
       pp.is_unlogged AS should_be_unlogged,
       i.inhdetachpending AS is_detach_pending,
       substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''([^'']+)''') AS range_from,
       substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''') AS range_to,
       c.reltuples::bigint AS estimated_rows,
       pg_total_relation_size(c.oid) AS bytes
  FROM monitoring.partition_policies pp
  JOIN pg_inherits i ON i.inhparent = to_regclass(pp.parent_table)
  JOIN pg_class c ON c.oid = i.inhrelid;

COMMENT ON VIEW monitoring.partition_status IS
    'Every partition of every policy with bounds, persistence and size';
GRANT SELECT ON monitoring.partition_status TO platform_app, platform_readonly;

INSERT INTO monitoring.partition_policies
       (parent_table, partition_schema, granularity, precreate, retention, is_unlogged)
VALUES
    ('public.request_logs', 'logs', 'day', 7, interval '7 days', true),
    ('logs.audit_log', 'logs', 'month', 8, interval '7 years', false),
    ('monitoring.metrics', 'monitoring', 'day', 7, interval '30 days', true),
    ('service_platform.invocations', 'service_platform', 'week', 8, interval '400 days', false);

DO $do$
BEGIN
    PERFORM monitoring.ensure_partitions();
END
$do$;

UPDATE public.alembic_version SET version_num='e3cb3eadbf58' WHERE public.alembic_version.version_num = '4a40ccfda27c';

COMMIT;
