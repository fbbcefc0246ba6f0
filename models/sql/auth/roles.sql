-- requires: tables, auth.schema, public.set_updated_at, logs.audit_row_change, auth.has_permission, auth.holds_all, auth.org_id
CREATE TRIGGER tr_roles_updated_at
    BEFORE UPDATE ON auth.roles
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_roles_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.roles
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE auth.roles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.roles
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON auth.roles
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON auth.roles
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON auth.roles
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON auth.roles
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.roles AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.roles:write')));

CREATE POLICY may_update ON auth.roles AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.roles:write')));

CREATE POLICY may_delete ON auth.roles AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.roles:write')));

-- a role is written by who holds what it gives
CREATE POLICY may_give ON auth.roles AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (auth.holds_all(permissions));

GRANT SELECT ON auth.roles TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.roles TO platform_app;
GRANT USAGE ON SEQUENCE auth.roles_id_seq TO platform_app;
