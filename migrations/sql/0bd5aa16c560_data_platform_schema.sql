CREATE SCHEMA data_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA data_platform IS
    'Sources, versioned datasets, documents, chunks, embeddings, quality, lineage';
GRANT USAGE ON SCHEMA data_platform TO platform_app, platform_readonly;
