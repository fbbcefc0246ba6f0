DROP POLICY owner_all ON logs.audit_log;
DROP POLICY tenant_read ON logs.audit_log;
ALTER TABLE logs.audit_log NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
