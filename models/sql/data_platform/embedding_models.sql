-- requires: tables, data_platform.schema, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_embedding_models_updated_at
    BEFORE UPDATE ON data_platform.embedding_models
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_embedding_models_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.embedding_models
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

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

GRANT SELECT ON data_platform.embedding_models TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.embedding_models TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.embedding_models_id_seq TO platform_app;
