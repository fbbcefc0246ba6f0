ALTER TABLE monitoring.alert_rules ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON monitoring.alert_rules
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON monitoring.alert_rules
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON monitoring.alert_rules
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON monitoring.alert_rules
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON monitoring.alert_rules
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON monitoring.alert_rules AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        alert_rules.slo_id IS NULL
        OR EXISTS (SELECT 1 FROM monitoring.slos p WHERE p.id = alert_rules.slo_id)
    );

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

ALTER TABLE monitoring.slos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON monitoring.slos
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON monitoring.slos
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));
