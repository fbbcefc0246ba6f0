-- requires: tables, data_platform.schema, public.assign_version, public.forbid_change_except, public.set_updated_at, logs.audit_row_change, auth.org_id
CREATE TRIGGER tr_dataset_versions_version
    BEFORE INSERT ON data_platform.dataset_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('data_platform.datasets', 'dataset_id');

-- what was published never changes again
CREATE TRIGGER tr_dataset_versions_immutable
    BEFORE UPDATE ON data_platform.dataset_versions
    FOR EACH ROW WHEN (OLD.status IN ('published', 'deprecated'))
    EXECUTE FUNCTION public.forbid_change_except(
        'status', 'note', 'statistics', 'updated_at');

-- nor does it become a draft, which could be changed and published again
CREATE TRIGGER tr_dataset_versions_published
    BEFORE UPDATE ON data_platform.dataset_versions
    FOR EACH ROW WHEN (OLD.status IN ('published', 'deprecated')
                       AND NEW.status NOT IN ('published', 'deprecated'))
    EXECUTE FUNCTION public.forbid_change_except(
        'note', 'statistics', 'updated_at');

CREATE TRIGGER tr_dataset_versions_updated_at
    BEFORE UPDATE ON data_platform.dataset_versions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_dataset_versions_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.dataset_versions
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE data_platform.dataset_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.dataset_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.dataset_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON data_platform.dataset_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.dataset_versions TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.dataset_versions_id_seq TO platform_app;
