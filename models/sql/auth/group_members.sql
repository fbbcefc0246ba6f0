-- requires: tables, auth.schema, logs.audit_row_change, auth.has_permission, auth.holds_all, auth.org_id
CREATE TRIGGER tr_group_members_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.group_members
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('group_id', 'user_id');

ALTER TABLE auth.group_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.group_members
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY through_group ON auth.group_members
    FOR ALL TO platform_app, platform_readonly
    USING (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
    )
    WITH CHECK (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
    );

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.group_members AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
        AND (SELECT auth.has_permission('auth.groups:write'))
    );

CREATE POLICY may_update ON auth.group_members AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
        AND (SELECT auth.has_permission('auth.groups:write'))
    );

CREATE POLICY may_delete ON auth.group_members AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
        AND (SELECT auth.has_permission('auth.groups:write'))
    );

-- whoever joins a group gets its role, so the giver must hold it
CREATE POLICY may_give ON auth.group_members AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM auth.groups p LEFT JOIN auth.roles r ON r.id = p.role_id
                 WHERE p.id = group_members.group_id
                   AND (p.role_id IS NULL OR auth.holds_all(r.permissions)))
    );

GRANT SELECT ON auth.group_members TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.group_members TO platform_app;
