-- requires: tables, data_platform.schema, auth.org_id
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

GRANT SELECT ON data_platform.vectorizer_queue TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.vectorizer_queue TO platform_app;
