-- requires: monitoring.schema
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
