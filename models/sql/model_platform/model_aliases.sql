-- requires: tables, model_platform.schema, public.set_updated_at, public.pb_notify_event, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_model_aliases_updated_at
    BEFORE UPDATE ON model_platform.model_aliases
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_model_aliases_audit
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.model_aliases
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('model_id', 'alias');

CREATE TRIGGER tr_model_aliases_notify
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.model_aliases
    FOR EACH ROW EXECUTE FUNCTION public.pb_notify_event('model_id', 'alias');

ALTER TABLE model_platform.model_aliases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.model_aliases
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.model_aliases
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON model_platform.model_aliases TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.model_aliases TO platform_app;
