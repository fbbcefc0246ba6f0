-- requires: tables, monitoring.schema, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_alert_rules_updated_at
    BEFORE UPDATE ON monitoring.alert_rules
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_alert_rules_audit
    AFTER INSERT OR UPDATE OR DELETE ON monitoring.alert_rules
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

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

GRANT SELECT ON monitoring.alert_rules TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.alert_rules TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.alert_rules_id_seq TO platform_app;
