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
