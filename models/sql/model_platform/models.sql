-- requires: tables, model_platform.schema, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_models_updated_at
    BEFORE UPDATE ON model_platform.models
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_models_audit
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.models
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE model_platform.models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.models
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.models
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON model_platform.models AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        models.owner_group_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.groups p WHERE p.id = models.owner_group_id)
    );

GRANT SELECT ON model_platform.models TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.models TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.models_id_seq TO platform_app;
