ALTER TABLE auth.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.api_keys
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON auth.api_keys
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.api_keys AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.api_keys:write')));

CREATE POLICY may_update ON auth.api_keys AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.api_keys:write')));

CREATE POLICY may_delete ON auth.api_keys AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.api_keys:write')));

-- whoever is named must belong to the organization; the key of one who left can be revoked
CREATE POLICY parents_visible ON auth.api_keys AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        api_keys.revoked_at IS NOT NULL OR api_keys.user_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.users p WHERE p.id = api_keys.user_id)
    );

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

ALTER TABLE auth.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.sessions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY own_sessions ON auth.sessions
    FOR ALL TO platform_app
    USING (user_id = (SELECT auth.uid()))
    WITH CHECK (user_id = (SELECT auth.uid()));

ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.users
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY same_organization_select ON auth.users
    FOR SELECT TO platform_app, platform_readonly
    USING (
        id = (SELECT auth.uid())
        OR organization_id = (SELECT auth.org_id())
        OR id IN (SELECT m.user_id FROM auth.memberships m
                   WHERE m.organization_id = (SELECT auth.org_id())
                     AND m.status <> 'invited')
    );

CREATE POLICY self_update ON auth.users
    FOR UPDATE TO platform_app
    USING (id = (SELECT auth.uid()))
    WITH CHECK (id = (SELECT auth.uid()));
