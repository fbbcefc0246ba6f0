-- requires: tables, model_platform.schema, public.assign_version, public.forbid_change_except, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_model_versions_version
    BEFORE INSERT ON model_platform.model_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('model_platform.models', 'model_id');

-- a version that is ready keeps its bytes and lineage
CREATE TRIGGER tr_model_versions_immutable
    BEFORE UPDATE ON model_platform.model_versions
    FOR EACH ROW WHEN (OLD.status = 'ready')
    EXECUTE FUNCTION public.forbid_change_except(
        'stage', 'status_message', 'license', 'model_card', 'tags', 'updated_at');

CREATE TRIGGER tr_model_versions_updated_at
    BEFORE UPDATE ON model_platform.model_versions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_model_versions_audit
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.model_versions
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE model_platform.model_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.model_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.model_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON model_platform.model_versions AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        model_versions.algorithm_id IS NULL
        OR EXISTS (SELECT 1 FROM algo_platform.algorithms p
                 WHERE p.id = model_versions.algorithm_id)
    );

GRANT SELECT ON model_platform.model_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.model_versions TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.model_versions_id_seq TO platform_app;
