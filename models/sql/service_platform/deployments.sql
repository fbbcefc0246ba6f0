-- requires: tables, service_platform.schema, public.set_updated_at, public.pb_notify_event, logs.audit_row_change, service_platform.check_traffic, auth.org_id
-- deferred: a roll-out moves several weights and is judged as a whole
CREATE CONSTRAINT TRIGGER tr_deployments_traffic
    AFTER INSERT OR UPDATE OF traffic_weight, role, endpoint_id, stopped_at OR DELETE
    ON service_platform.deployments
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION service_platform.check_traffic();

CREATE TRIGGER tr_deployments_updated_at
    BEFORE UPDATE ON service_platform.deployments
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_deployments_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.deployments
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_deployments_notify
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.deployments
    FOR EACH ROW EXECUTE FUNCTION public.pb_notify_event();

ALTER TABLE service_platform.deployments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.deployments
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.deployments
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON service_platform.deployments TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.deployments TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.deployments_id_seq TO platform_app;
