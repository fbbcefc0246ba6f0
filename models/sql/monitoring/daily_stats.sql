-- requires: tables, monitoring.schema
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
COMMENT ON COLUMN monitoring.daily_stats.day IS 'Start of the day in UTC (seed)';
COMMENT ON COLUMN monitoring.daily_stats.node_id IS 'Node (seed)';
COMMENT ON COLUMN monitoring.daily_stats.avg_mem IS 'Mean memory of the process in MB (seed)';
COMMENT ON COLUMN monitoring.daily_stats.max_mem IS 'Most memory of the process in MB (seed)';
COMMENT ON COLUMN monitoring.daily_stats.avg_goroutines IS 'Mean number of concurrent tasks (seed)';
COMMENT ON COLUMN monitoring.daily_stats.max_conns IS 'Most open database connections (seed)';

-- REFRESH ... CONCURRENTLY needs it
CREATE UNIQUE INDEX uq_daily_stats_day_node_id ON monitoring.daily_stats (day, node_id);

GRANT SELECT ON monitoring.daily_stats TO platform_app, platform_readonly;
