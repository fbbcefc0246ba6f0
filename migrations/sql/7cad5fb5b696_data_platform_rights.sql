GRANT SELECT ON data_platform.chunk_embeddings TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.chunk_embeddings TO platform_app;

GRANT SELECT ON data_platform.chunks TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.chunks TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.chunks_id_seq TO platform_app;

GRANT SELECT ON data_platform.data_sources TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.data_sources TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.data_sources_id_seq TO platform_app;

GRANT SELECT ON data_platform.dataset_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.dataset_versions TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.dataset_versions_id_seq TO platform_app;

GRANT SELECT ON data_platform.datasets TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.datasets TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.datasets_id_seq TO platform_app;

GRANT SELECT ON data_platform.documents TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.documents TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.documents_id_seq TO platform_app;

GRANT SELECT ON data_platform.embedding_models TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.embedding_models TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.embedding_models_id_seq TO platform_app;

GRANT SELECT ON data_platform.lineage_edges TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.lineage_edges TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.lineage_edges_id_seq TO platform_app;

GRANT SELECT ON data_platform.quality_checks TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.quality_checks TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.quality_checks_id_seq TO platform_app;

GRANT SELECT ON data_platform.quality_results TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.quality_results TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.quality_results_id_seq TO platform_app;

GRANT SELECT ON data_platform.text_embeddings TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.text_embeddings TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.text_embeddings_id_seq TO platform_app;

GRANT SELECT ON data_platform.vectorizer_queue TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.vectorizer_queue TO platform_app;

GRANT SELECT ON data_platform.vectorizers TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.vectorizers TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.vectorizers_id_seq TO platform_app;
