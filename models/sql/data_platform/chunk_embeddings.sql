-- requires: tables, data_platform.schema, auth.org_id
ALTER TABLE data_platform.chunk_embeddings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.chunk_embeddings
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.chunk_embeddings
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.chunk_embeddings AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.embedding_models p
                 WHERE p.id = chunk_embeddings.embedding_model_id)
        AND EXISTS (SELECT 1 FROM data_platform.chunks p WHERE p.id = chunk_embeddings.chunk_id)
    );

GRANT SELECT ON data_platform.chunk_embeddings TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.chunk_embeddings TO platform_app;
