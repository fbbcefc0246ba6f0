-- requires: tables, data_platform.schema, public.set_updated_at, auth.org_id
-- size at build, read by monitoring.vector_index_status; platform vectors keeps it
COMMENT ON INDEX data_platform.idx_text_embeddings_vector IS
    '{"kind": "ivfflat", "lists": 100, "rows_at_build": 0}';

CREATE TRIGGER tr_text_embeddings_updated_at
    BEFORE UPDATE ON data_platform.text_embeddings
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE data_platform.text_embeddings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.text_embeddings
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.text_embeddings
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.text_embeddings AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.embedding_models p
                 WHERE p.id = text_embeddings.embedding_model_id)
    );

GRANT SELECT ON data_platform.text_embeddings TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.text_embeddings TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.text_embeddings_id_seq TO platform_app;
