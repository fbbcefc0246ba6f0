-- requires: tables, auth.schema, public.set_updated_at, logs.audit_row_change, auth.has_permission, auth.org_id
CREATE TRIGGER tr_organizations_updated_at
    BEFORE UPDATE ON auth.organizations
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_organizations_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.organizations
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE auth.organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.organizations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY own_organization_select ON auth.organizations
    FOR SELECT TO platform_app, platform_readonly
    USING (id = (SELECT auth.org_id()));

CREATE POLICY own_organization_update ON auth.organizations
    FOR UPDATE TO platform_app
    USING (id = (SELECT auth.org_id()))
    WITH CHECK (id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_update ON auth.organizations AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.organizations:write')));

GRANT SELECT ON auth.organizations TO platform_app, platform_readonly;
GRANT UPDATE (name, settings) ON auth.organizations TO platform_app;
GRANT USAGE ON SEQUENCE auth.organizations_id_seq TO platform_app;
