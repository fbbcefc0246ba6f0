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
