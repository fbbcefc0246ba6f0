-- requires: tables, auth.schema, public.set_updated_at, logs.audit_row_change, auth.leave_home, auth.has_permission, auth.holds_all, auth.org_id, auth.is_colleague
CREATE TRIGGER tr_memberships_updated_at
    BEFORE UPDATE ON auth.memberships
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_memberships_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.memberships
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('organization_id', 'user_id');

CREATE TRIGGER tr_memberships_delete
    AFTER DELETE ON auth.memberships
    FOR EACH ROW EXECUTE FUNCTION auth.leave_home();

-- a seat that changes its user or organization is gone as well
CREATE TRIGGER tr_memberships_move
    AFTER UPDATE OF user_id, organization_id ON auth.memberships
    FOR EACH ROW WHEN ((OLD.user_id, OLD.organization_id)
                       IS DISTINCT FROM (NEW.user_id, NEW.organization_id))
    EXECUTE FUNCTION auth.leave_home();

ALTER TABLE auth.memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.memberships
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON auth.memberships
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.memberships AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.memberships:write')));

CREATE POLICY may_update ON auth.memberships AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.memberships:write')));

CREATE POLICY may_delete ON auth.memberships AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.memberships:write')));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON auth.memberships AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM auth.roles p WHERE p.id = memberships.role_id)
    );

-- a seat shows the user: strangers are invited and take it by auth.accept_invitation()
CREATE POLICY strangers_invited ON auth.memberships AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        memberships.status = 'invited' OR auth.is_colleague(memberships.user_id)
    );

-- a seat gives no more than the giver holds; one above the own can be suspended
CREATE POLICY may_give ON auth.memberships AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        memberships.status = 'suspended'
        OR EXISTS (SELECT 1 FROM auth.roles p
                    WHERE p.id = memberships.role_id AND auth.holds_all(p.permissions))
    );

GRANT SELECT ON auth.memberships TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.memberships TO platform_app;
