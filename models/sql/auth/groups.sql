-- requires: tables, auth.schema, public.set_updated_at, logs.audit_row_change, auth.has_permission, auth.holds_all, auth.org_id
CREATE TRIGGER tr_groups_updated_at
    BEFORE UPDATE ON auth.groups
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_groups_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.groups
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE auth.groups ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.groups
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON auth.groups
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON auth.groups
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON auth.groups
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON auth.groups
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.groups AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.groups:write')));

CREATE POLICY may_update ON auth.groups AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.groups:write')));

CREATE POLICY may_delete ON auth.groups AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.groups:write')));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON auth.groups AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        groups.role_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.roles p WHERE p.id = groups.role_id)
    );

-- a group gives no more than the giver holds
CREATE POLICY may_give ON auth.groups AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        groups.role_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.roles p
                    WHERE p.id = groups.role_id AND auth.holds_all(p.permissions))
    );

GRANT SELECT ON auth.groups TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.groups TO platform_app;
GRANT USAGE ON SEQUENCE auth.groups_id_seq TO platform_app;
