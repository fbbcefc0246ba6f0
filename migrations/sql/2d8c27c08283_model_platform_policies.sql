ALTER TABLE model_platform.evaluations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.evaluations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.evaluations
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE model_platform.model_aliases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.model_aliases
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.model_aliases
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE model_platform.model_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.model_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.model_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON model_platform.model_versions AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        model_versions.algorithm_id IS NULL
        OR EXISTS (SELECT 1 FROM algo_platform.algorithms p
                 WHERE p.id = model_versions.algorithm_id)
    );

ALTER TABLE model_platform.models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.models
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.models
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON model_platform.models AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        models.owner_group_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.groups p WHERE p.id = models.owner_group_id)
    );
