-- requires: tables, data_platform.schema, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_vectorizers_updated_at
    BEFORE UPDATE ON data_platform.vectorizers
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_vectorizers_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.vectorizers
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

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

GRANT SELECT ON data_platform.vectorizers TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.vectorizers TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.vectorizers_id_seq TO platform_app;
