-- requires: tables, service_platform.schema, public.set_updated_at, logs.audit_row_change, auth.has_permission, auth.org_id
-- the counter moves on every call and must not touch updated_at
CREATE TRIGGER tr_quotas_updated_at
    BEFORE UPDATE OF limit_value, soft_value, is_enforced ON service_platform.quotas
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_quotas_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.quotas
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE service_platform.quotas ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.quotas
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.quotas
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON service_platform.quotas AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('service_platform.quotas:write')));

CREATE POLICY may_update ON service_platform.quotas AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('service_platform.quotas:write')));

CREATE POLICY may_delete ON service_platform.quotas AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('service_platform.quotas:write')));

GRANT SELECT ON service_platform.quotas TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.quotas TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.quotas_id_seq TO platform_app;
