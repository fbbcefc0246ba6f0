-- requires: tables, algo_platform.schema, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_algorithms_updated_at
    BEFORE UPDATE ON algo_platform.algorithms
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_algorithms_audit
    AFTER INSERT OR UPDATE OR DELETE ON algo_platform.algorithms
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

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

GRANT SELECT ON algo_platform.algorithms TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.algorithms TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.algorithms_id_seq TO platform_app;
