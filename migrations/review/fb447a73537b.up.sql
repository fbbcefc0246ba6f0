-- fb447a73537b (up): Add node metrics and their daily statistics
-- Why:   processes report every ten seconds; the days outlive the samples.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the view, the function and the tables, with every daily partition. The rows are lost; restore them from a backup.
-- After: acfe33d7f24c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade acfe33d7f24c -> fb447a73537b

SET LOCAL ROLE platform_owner;

CREATE TABLE monitoring.nodes (
    node_id TEXT NOT NULL,
    kind VARCHAR(20) DEFAULT 'api' NOT NULL,
    hostname TEXT,
    version VARCHAR(50),
    region VARCHAR(50),
    capacity JSONB DEFAULT '{}' NOT NULL,
    labels JSONB DEFAULT '{}' NOT NULL,
    status VARCHAR(20) DEFAULT 'up' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_nodes PRIMARY KEY (node_id),
    CONSTRAINT ck_nodes_kind CHECK (kind IN ('api', 'worker', 'gateway', 'gpu', 'database')),
    CONSTRAINT ck_nodes_status CHECK (status IN ('up', 'draining', 'down'))
)
 WITH (fillfactor = 50);

COMMENT ON TABLE monitoring.nodes IS 'Registry of platform processes and machines';

COMMENT ON COLUMN monitoring.nodes.node_id IS 'Same value as metrics.node_id (PB_NODE_ID)';

COMMENT ON COLUMN monitoring.nodes.kind IS 'api, worker, gateway, gpu or database';

COMMENT ON COLUMN monitoring.nodes.hostname IS 'Host name';

COMMENT ON COLUMN monitoring.nodes.version IS 'Software version';

COMMENT ON COLUMN monitoring.nodes.region IS 'Site';

COMMENT ON COLUMN monitoring.nodes.capacity IS 'CPU, memory, GPU';

COMMENT ON COLUMN monitoring.nodes.labels IS 'Scheduling labels';

COMMENT ON COLUMN monitoring.nodes.status IS 'up, draining or down';

COMMENT ON COLUMN monitoring.nodes.started_at IS 'Start of the process';

COMMENT ON COLUMN monitoring.nodes.last_seen_at IS 'Last heartbeat';

CREATE TABLE monitoring.metrics (
    time TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    node_id TEXT NOT NULL,
    sys_mem_mb INTEGER,
    go_routines INTEGER,
    db_open_conns INTEGER,
    db_wait_count INTEGER,
    extra JSONB
)
 PARTITION BY RANGE (time);

COMMENT ON TABLE monitoring.metrics IS 'Node samples, one row per node and interval (seed table)';

COMMENT ON COLUMN monitoring.metrics.time IS 'Sample time in UTC, partition key (seed)';

COMMENT ON COLUMN monitoring.metrics.node_id IS 'Node (seed)';

COMMENT ON COLUMN monitoring.metrics.sys_mem_mb IS 'Memory of the process in MB (seed)';

COMMENT ON COLUMN monitoring.metrics.go_routines IS 'Concurrent tasks: goroutines, threads or asyncio tasks (seed)';

COMMENT ON COLUMN monitoring.metrics.db_open_conns IS 'Open database connections (seed)';

COMMENT ON COLUMN monitoring.metrics.db_wait_count IS 'Waits for a connection (seed)';

COMMENT ON COLUMN monitoring.metrics.extra IS 'Anything else, e.g. cpu, gpu, queue depth (seed)';

CREATE INDEX idx_monitor_time ON monitoring.metrics USING brin (time);

CREATE INDEX ix_metrics_node_id_time ON monitoring.metrics (node_id, time DESC);

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

CREATE TABLE monitoring.daily_stats_archive (
    day TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    node_id TEXT NOT NULL,
    avg_mem NUMERIC,
    max_mem INTEGER,
    avg_goroutines NUMERIC,
    max_conns INTEGER,
    archived_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_daily_stats_archive PRIMARY KEY (day, node_id)
);

COMMENT ON TABLE monitoring.daily_stats_archive IS 'Daily statistics that survive a crash and the pruning of raw samples';

COMMENT ON COLUMN monitoring.daily_stats_archive.day IS 'UTC day, same type as daily_stats.day';

COMMENT ON COLUMN monitoring.daily_stats_archive.node_id IS 'Node';

COMMENT ON COLUMN monitoring.daily_stats_archive.avg_mem IS 'Mean memory';

COMMENT ON COLUMN monitoring.daily_stats_archive.max_mem IS 'Peak memory';

COMMENT ON COLUMN monitoring.daily_stats_archive.avg_goroutines IS 'Mean concurrent tasks';

COMMENT ON COLUMN monitoring.daily_stats_archive.max_conns IS 'Peak connections';

COMMENT ON COLUMN monitoring.daily_stats_archive.archived_at IS 'When it was copied';

CREATE FUNCTION monitoring.archive_daily_stats()
    RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_rows bigint;
BEGIN
    INSERT INTO monitoring.daily_stats_archive AS a
           (day, node_id, avg_mem, max_mem, avg_goroutines, max_conns)
    SELECT date_trunc('day', m.time), m.node_id, avg(m.sys_mem_mb), max(m.sys_mem_mb),
           avg(m.go_routines), max(m.db_open_conns)
      FROM monitoring.metrics m
     WHERE m.time < date_trunc('day', now() AT TIME ZONE 'UTC')
       AND m.time >= COALESCE((SELECT max(x.day) FROM monitoring.daily_stats_archive x),
                              timestamp '-infinity')
     GROUP BY 1, 2
    ON CONFLICT (day, node_id) DO UPDATE
       SET avg_mem = excluded.avg_mem,
           max_mem = excluded.max_mem,
           avg_goroutines = excluded.avg_goroutines,
           max_conns = excluded.max_conns,
           archived_at = now();
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END
$$;

COMMENT ON FUNCTION monitoring.archive_daily_stats() IS
    'Copies finished days of metrics into daily_stats_archive, from the last archived day on';
REVOKE ALL ON FUNCTION monitoring.archive_daily_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitoring.archive_daily_stats() TO platform_worker;

UPDATE public.alembic_version SET version_num='fb447a73537b' WHERE public.alembic_version.version_num = 'acfe33d7f24c';

COMMIT;
