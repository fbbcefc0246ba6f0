-- requires: tables, service_platform.schema, auth.org_id
ALTER TABLE service_platform.usage_daily ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.usage_daily
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.usage_daily
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON service_platform.usage_daily TO platform_app, platform_readonly;
GRANT USAGE ON SEQUENCE service_platform.usage_daily_id_seq TO platform_app;
