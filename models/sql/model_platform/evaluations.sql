-- requires: tables, model_platform.schema, auth.org_id
ALTER TABLE model_platform.evaluations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.evaluations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.evaluations
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON model_platform.evaluations TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.evaluations TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.evaluations_id_seq TO platform_app;
