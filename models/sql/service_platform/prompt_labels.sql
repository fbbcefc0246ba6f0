-- requires: tables, service_platform.schema, public.set_updated_at, public.pb_notify_event, logs.audit_row_change, auth.has_permission, auth.org_id
CREATE TRIGGER tr_prompt_labels_updated_at
    BEFORE UPDATE ON service_platform.prompt_labels
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_prompt_labels_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.prompt_labels
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('prompt_id', 'label');

CREATE TRIGGER tr_prompt_labels_notify
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.prompt_labels
    FOR EACH ROW EXECUTE FUNCTION public.pb_notify_event('prompt_id', 'label');

ALTER TABLE service_platform.prompt_labels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompt_labels
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompt_labels
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY protected_insert ON service_platform.prompt_labels AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (NOT is_protected
                OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

CREATE POLICY protected_update ON service_platform.prompt_labels AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (NOT is_protected
           OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

CREATE POLICY protected_delete ON service_platform.prompt_labels AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (NOT is_protected
           OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

GRANT SELECT ON service_platform.prompt_labels TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompt_labels TO platform_app;
