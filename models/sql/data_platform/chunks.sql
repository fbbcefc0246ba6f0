-- requires: tables, data_platform.schema, auth.org_id
ALTER TABLE data_platform.chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.chunks
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.chunks
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

GRANT SELECT ON data_platform.chunks TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.chunks TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.chunks_id_seq TO platform_app;
