-- requires: tables, service_platform.schema, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_services_updated_at
    BEFORE UPDATE ON service_platform.services
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_services_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.services
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE service_platform.services ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.services
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.services
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON service_platform.services AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        services.owner_group_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.groups p WHERE p.id = services.owner_group_id)
    );

GRANT SELECT ON service_platform.services TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.services TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.services_id_seq TO platform_app;
