-- requires: tables, service_platform.schema, public.assign_version, public.forbid_change_except, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_revisions_version
    BEFORE INSERT ON service_platform.revisions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('service_platform.services', 'service_id', 'revision');

CREATE TRIGGER tr_revisions_immutable
    BEFORE UPDATE ON service_platform.revisions
    FOR EACH ROW
    EXECUTE FUNCTION public.forbid_change_except(
        'note', 'created_by');

CREATE TRIGGER tr_revisions_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.revisions
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE service_platform.revisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.revisions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.revisions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON service_platform.revisions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.revisions TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.revisions_id_seq TO platform_app;
