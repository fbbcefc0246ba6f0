-- requires: tables, monitoring.schema
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
COMMENT ON COLUMN monitoring.partition_status.parent_table IS
    'schema.table of the parent, as in partition_policies';
COMMENT ON COLUMN monitoring.partition_status.partition IS
    'Name of the partition, as SQL writes it';
COMMENT ON COLUMN monitoring.partition_status.is_unlogged IS
    'Whether the partition is UNLOGGED: no WAL, empty after a crash';
COMMENT ON COLUMN monitoring.partition_status.should_be_unlogged IS
    'What the policy asks of new partitions';
COMMENT ON COLUMN monitoring.partition_status.is_detach_pending IS
    'A DETACH CONCURRENTLY began and did not end';
COMMENT ON COLUMN monitoring.partition_status.range_from IS 'Lower bound, inclusive, as text';
COMMENT ON COLUMN monitoring.partition_status.range_to IS 'Upper bound, exclusive, as text';
COMMENT ON COLUMN monitoring.partition_status.estimated_rows IS
    'Rows at the last ANALYZE or VACUUM; -1 when there was none';
COMMENT ON COLUMN monitoring.partition_status.bytes IS 'Size with indexes and TOAST';
GRANT SELECT ON monitoring.partition_status TO platform_app, platform_readonly;
