-- requires: tables, service_platform.schema, public.set_updated_at, auth.org_id
CREATE TRIGGER tr_prompts_updated_at
    BEFORE UPDATE ON service_platform.prompts
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE service_platform.prompts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompts
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON service_platform.prompts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompts TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.prompts_id_seq TO platform_app;
