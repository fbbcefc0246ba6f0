CREATE MATERIALIZED VIEW monitoring.daily_stats AS
SELECT
    date_trunc('day', time) as day,
    node_id,
    avg(sys_mem_mb) as avg_mem,
    max(sys_mem_mb) as max_mem,
    avg(go_routines) as avg_goroutines,
    max(db_open_conns) as max_conns
FROM monitoring.metrics
GROUP BY 1, 2;

COMMENT ON MATERIALIZED VIEW monitoring.daily_stats IS
    'Per-node daily statistics (seed); covers only the days whose partitions exist, so '
    'daily_stats_archive keeps the rest';

-- REFRESH ... CONCURRENTLY needs it
CREATE UNIQUE INDEX uq_daily_stats_day_node_id ON monitoring.daily_stats (day, node_id);

GRANT SELECT ON monitoring.daily_stats TO platform_app, platform_readonly;
