-- requires: tables, algo_platform.schema, auth.org_id
ALTER TABLE algo_platform.run_artifacts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.run_artifacts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.run_artifacts
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON algo_platform.run_artifacts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.run_artifacts TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.run_artifacts_id_seq TO platform_app;
