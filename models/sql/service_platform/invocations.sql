-- requires: tables, service_platform.schema, auth.org_id
ALTER TABLE service_platform.invocations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.invocations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.invocations
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the ledger of all tenants arrives in one batch: INSERT ... SELECT FROM unnest(), because
-- COPY FROM is refused under row security
CREATE POLICY ledger_insert ON service_platform.invocations
    FOR INSERT TO platform_log_writer
    WITH CHECK (true);

GRANT SELECT ON service_platform.invocations TO platform_app, platform_readonly;
GRANT INSERT ON service_platform.invocations TO platform_app, platform_log_writer;
