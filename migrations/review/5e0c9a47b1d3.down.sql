-- 5e0c9a47b1d3 (down): Explain the columns of views
-- Why:   tables explain each column to whoever sits at psql, views explained none.
-- Lock:  SHARE UPDATE EXCLUSIVE on five views for an instant; nobody waits.
-- Phase: expand - old code keeps working.
-- Back:  the comments go.
-- After: c41d7be2590f
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 5e0c9a47b1d3 -> c41d7be2590f

SET LOCAL ROLE platform_owner;

COMMENT ON COLUMN data_platform.lineage_graph.id IS NULL;
COMMENT ON COLUMN data_platform.lineage_graph.organization_id IS NULL;
COMMENT ON COLUMN data_platform.lineage_graph.relation IS NULL;
COMMENT ON COLUMN data_platform.lineage_graph.src_type IS NULL;
COMMENT ON COLUMN data_platform.lineage_graph.src_id IS NULL;
COMMENT ON COLUMN data_platform.lineage_graph.dst_type IS NULL;
COMMENT ON COLUMN data_platform.lineage_graph.dst_id IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.id IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.created IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.url IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.method IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.status IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.auth IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.remote_ip IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.user_agent IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.duration_ms IS NULL;
COMMENT ON COLUMN logs.tenant_request_logs.trace_id IS NULL;
COMMENT ON COLUMN monitoring.daily_stats.day IS NULL;
COMMENT ON COLUMN monitoring.daily_stats.node_id IS NULL;
COMMENT ON COLUMN monitoring.daily_stats.avg_mem IS NULL;
COMMENT ON COLUMN monitoring.daily_stats.max_mem IS NULL;
COMMENT ON COLUMN monitoring.daily_stats.avg_goroutines IS NULL;
COMMENT ON COLUMN monitoring.daily_stats.max_conns IS NULL;
COMMENT ON COLUMN monitoring.partition_status.parent_table IS NULL;
COMMENT ON COLUMN monitoring.partition_status.partition IS NULL;
COMMENT ON COLUMN monitoring.partition_status.is_unlogged IS NULL;
COMMENT ON COLUMN monitoring.partition_status.should_be_unlogged IS NULL;
COMMENT ON COLUMN monitoring.partition_status.is_detach_pending IS NULL;
COMMENT ON COLUMN monitoring.partition_status.range_from IS NULL;
COMMENT ON COLUMN monitoring.partition_status.range_to IS NULL;
COMMENT ON COLUMN monitoring.partition_status.estimated_rows IS NULL;
COMMENT ON COLUMN monitoring.partition_status.bytes IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.table_name IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.index_name IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.kind IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.estimated_rows IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.lists IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.suggested_lists IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.rows_at_build IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.needs_rebuild IS NULL;
COMMENT ON COLUMN monitoring.vector_index_status.bytes IS NULL;

UPDATE public.alembic_version SET version_num='c41d7be2590f' WHERE public.alembic_version.version_num = '5e0c9a47b1d3';

COMMIT;
