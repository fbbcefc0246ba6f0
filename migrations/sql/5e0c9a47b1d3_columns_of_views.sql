COMMENT ON COLUMN data_platform.lineage_graph.id IS 'Id of the edge';
COMMENT ON COLUMN data_platform.lineage_graph.organization_id IS 'Tenant';
COMMENT ON COLUMN data_platform.lineage_graph.relation IS
    'ingested, derived, input, output, validated or distilled';
COMMENT ON COLUMN data_platform.lineage_graph.src_type IS
    'data_source, dataset_version, run or model_version';
COMMENT ON COLUMN data_platform.lineage_graph.src_id IS
    'Id of the source in the table of its type, as text';
COMMENT ON COLUMN data_platform.lineage_graph.dst_type IS 'dataset_version, run or model_version';
COMMENT ON COLUMN data_platform.lineage_graph.dst_id IS
    'Id of the destination in the table of its type, as text';
COMMENT ON COLUMN logs.tenant_request_logs.id IS 'UUID v7 made by the writer';
COMMENT ON COLUMN logs.tenant_request_logs.created IS
    'Request time in UTC, partition key of the log';
COMMENT ON COLUMN logs.tenant_request_logs.url IS 'Path and query, secrets stripped by the writer';
COMMENT ON COLUMN logs.tenant_request_logs.method IS 'HTTP method';
COMMENT ON COLUMN logs.tenant_request_logs.status IS 'HTTP status';
COMMENT ON COLUMN logs.tenant_request_logs.auth IS 'Caller id';
COMMENT ON COLUMN logs.tenant_request_logs.remote_ip IS 'Client address';
COMMENT ON COLUMN logs.tenant_request_logs.user_agent IS 'Client software';
COMMENT ON COLUMN logs.tenant_request_logs.duration_ms IS 'Time taken';
COMMENT ON COLUMN logs.tenant_request_logs.trace_id IS
    'Correlation with service_platform.invocations';
COMMENT ON COLUMN monitoring.daily_stats.day IS 'Start of the day in UTC (seed)';
COMMENT ON COLUMN monitoring.daily_stats.node_id IS 'Node (seed)';
COMMENT ON COLUMN monitoring.daily_stats.avg_mem IS 'Mean memory of the process in MB (seed)';
COMMENT ON COLUMN monitoring.daily_stats.max_mem IS 'Most memory of the process in MB (seed)';
COMMENT ON COLUMN monitoring.daily_stats.avg_goroutines IS 'Mean number of concurrent tasks (seed)';
COMMENT ON COLUMN monitoring.daily_stats.max_conns IS 'Most open database connections (seed)';
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
COMMENT ON COLUMN monitoring.vector_index_status.table_name IS
    'Table or partition of the index, as SQL writes it';
COMMENT ON COLUMN monitoring.vector_index_status.index_name IS 'Index, as SQL writes it';
COMMENT ON COLUMN monitoring.vector_index_status.kind IS 'ivfflat or hnsw';
COMMENT ON COLUMN monitoring.vector_index_status.estimated_rows IS
    'Rows at the last ANALYZE or VACUUM; -1 when there was none';
COMMENT ON COLUMN monitoring.vector_index_status.lists IS
    'Lists of an ivfflat index; NULL for hnsw and for the default';
COMMENT ON COLUMN monitoring.vector_index_status.suggested_lists IS
    'Lists that suit the rows there are; NULL for hnsw';
COMMENT ON COLUMN monitoring.vector_index_status.rows_at_build IS
    'Rows when maintenance built it last; NULL when unknown';
COMMENT ON COLUMN monitoring.vector_index_status.needs_rebuild IS
    'Trained on too few rows, or the table is four times as large since';
COMMENT ON COLUMN monitoring.vector_index_status.bytes IS 'Size of the index';
