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

ALTER TABLE data_platform.chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.chunks
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.chunks
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.data_sources ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.data_sources
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.data_sources
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.dataset_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.dataset_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.dataset_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.datasets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.datasets
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.datasets
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.documents
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.documents
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.embedding_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.embedding_models
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON data_platform.embedding_models
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON data_platform.embedding_models
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON data_platform.embedding_models
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON data_platform.embedding_models
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.lineage_edges ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.lineage_edges
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.lineage_edges
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.quality_checks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.quality_checks
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.quality_checks
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.quality_results ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.quality_results
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.quality_results
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

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

ALTER TABLE data_platform.vectorizer_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.vectorizer_queue
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.vectorizer_queue
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.vectorizer_queue AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.vectorizers p
                 WHERE p.id = vectorizer_queue.vectorizer_id)
        AND EXISTS (SELECT 1 FROM data_platform.documents p
                 WHERE p.id = vectorizer_queue.document_id)
    );

ALTER TABLE data_platform.vectorizers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.vectorizers
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.vectorizers
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.vectorizers AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.embedding_models p
                 WHERE p.id = vectorizers.embedding_model_id)
    );
