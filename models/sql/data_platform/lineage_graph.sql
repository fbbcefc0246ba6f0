-- requires: tables, data_platform.schema
CREATE VIEW data_platform.lineage_graph
    WITH (security_invoker = true, security_barrier = true)
AS
SELECT e.id, e.organization_id, e.relation,
       CASE WHEN e.src_data_source_id IS NOT NULL THEN 'data_source'
            WHEN e.src_dataset_version_id IS NOT NULL THEN 'dataset_version'
            WHEN e.src_run_id IS NOT NULL THEN 'run'
            ELSE 'model_version' END AS src_type,
       COALESCE(e.src_data_source_id::text, e.src_dataset_version_id::text,
                e.src_run_id::text, e.src_model_version_id::text) AS src_id,
       CASE WHEN e.dst_dataset_version_id IS NOT NULL THEN 'dataset_version'
            WHEN e.dst_run_id IS NOT NULL THEN 'run'
            ELSE 'model_version' END AS dst_type,
       COALESCE(e.dst_dataset_version_id::text, e.dst_run_id::text,
                e.dst_model_version_id::text) AS dst_id
  FROM data_platform.lineage_edges e;

COMMENT ON VIEW data_platform.lineage_graph IS
    'lineage_edges as (type, id) pairs for recursive walks';
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
GRANT SELECT ON data_platform.lineage_graph TO platform_app, platform_readonly;
