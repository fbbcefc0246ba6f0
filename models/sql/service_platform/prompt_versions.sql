-- requires: tables, service_platform.schema, public.assign_version, public.forbid_change_except, auth.org_id
CREATE TRIGGER tr_prompt_versions_version
    BEFORE INSERT ON service_platform.prompt_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('service_platform.prompts', 'prompt_id');

CREATE TRIGGER tr_prompt_versions_immutable
    BEFORE UPDATE ON service_platform.prompt_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.forbid_change_except(
        'commit_message', 'created_by');

ALTER TABLE service_platform.prompt_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompt_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompt_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON service_platform.prompt_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompt_versions TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.prompt_versions_id_seq TO platform_app;
