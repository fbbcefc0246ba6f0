ALTER TABLE algo_platform.algorithms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.algorithms
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON algo_platform.algorithms
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON algo_platform.algorithms
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON algo_platform.algorithms
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON algo_platform.algorithms
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.experiments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.experiments
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.experiments
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.jobs
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.jobs
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.run_artifacts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.run_artifacts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.run_artifacts
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.run_metrics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.run_metrics
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.run_metrics
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.runs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.runs
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.runs
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON algo_platform.runs AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        runs.algorithm_id IS NULL
        OR EXISTS (SELECT 1 FROM algo_platform.algorithms p WHERE p.id = runs.algorithm_id)
    );
