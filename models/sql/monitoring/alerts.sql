-- requires: tables, monitoring.schema, auth.org_id
ALTER TABLE monitoring.alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON monitoring.alerts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON monitoring.alerts
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON monitoring.alerts
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON monitoring.alerts
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON monitoring.alerts
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- an alert under a foreign or a shared rule would catch what is raised for that rule
CREATE POLICY parents_visible ON monitoring.alerts AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM monitoring.alert_rules p
                 WHERE p.id = alerts.rule_id
                   AND p.organization_id = (SELECT auth.org_id()))
    );

GRANT SELECT ON monitoring.alerts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.alerts TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.alerts_id_seq TO platform_app;
