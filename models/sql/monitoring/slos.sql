-- requires: tables, monitoring.schema, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_slos_updated_at
    BEFORE UPDATE ON monitoring.slos
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_slos_audit
    AFTER INSERT OR UPDATE OR DELETE ON monitoring.slos
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE monitoring.slos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON monitoring.slos
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON monitoring.slos
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON monitoring.slos TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.slos TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.slos_id_seq TO platform_app;
