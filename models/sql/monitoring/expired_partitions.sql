-- requires: tables, monitoring.partition_ranges
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
