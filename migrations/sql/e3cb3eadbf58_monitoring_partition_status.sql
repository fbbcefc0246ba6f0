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
