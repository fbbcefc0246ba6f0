-- requires: tables, data_platform.schema, public.set_updated_at, data_platform.enqueue_documents, data_platform.enqueue_changed_documents, auth.org_id
CREATE TRIGGER tr_documents_enqueue_insert
    AFTER INSERT ON data_platform.documents
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION data_platform.enqueue_documents();

CREATE TRIGGER tr_documents_enqueue_update
    AFTER UPDATE ON data_platform.documents
    REFERENCING OLD TABLE AS previous NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION data_platform.enqueue_changed_documents();

CREATE TRIGGER tr_documents_updated_at
    BEFORE UPDATE ON data_platform.documents
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE data_platform.documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.documents
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.documents
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON data_platform.documents TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.documents TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.documents_id_seq TO platform_app;
