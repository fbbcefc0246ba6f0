-- requires: monitoring.partition_ranges, monitoring.force_row_security
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
