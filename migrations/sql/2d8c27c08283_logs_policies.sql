ALTER TABLE logs.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON logs.audit_log
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_read ON logs.audit_log
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()));
