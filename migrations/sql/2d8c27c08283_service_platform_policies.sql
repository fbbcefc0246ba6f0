ALTER TABLE service_platform.deployments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.deployments
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.deployments
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.endpoints ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.endpoints
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.endpoints
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.invocations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.invocations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.invocations
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the ledger of all tenants arrives in one batch: INSERT ... SELECT FROM unnest(), because
-- COPY FROM is refused under row security
CREATE POLICY ledger_insert ON service_platform.invocations
    FOR INSERT TO platform_log_writer
    WITH CHECK (true);

ALTER TABLE service_platform.prompt_labels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompt_labels
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompt_labels
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY protected_insert ON service_platform.prompt_labels AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (NOT is_protected
                OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

CREATE POLICY protected_update ON service_platform.prompt_labels AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (NOT is_protected
           OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

CREATE POLICY protected_delete ON service_platform.prompt_labels AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (NOT is_protected
           OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

ALTER TABLE service_platform.prompt_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompt_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompt_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.prompts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompts
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

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

ALTER TABLE service_platform.revisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.revisions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.revisions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

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

ALTER TABLE service_platform.usage_daily ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.usage_daily
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.usage_daily
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));
