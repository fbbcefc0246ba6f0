-- requires: tables, auth.org_id, logs.schema
-- A tenant reads its own requests here: the table itself has no row security, because COPY FROM
-- refuses it.
CREATE VIEW logs.tenant_request_logs
    WITH (security_barrier = true)
AS
SELECT id, created, url, method, status, auth, remote_ip, user_agent, duration_ms, trace_id
  FROM public.request_logs
 WHERE organization_id = (SELECT auth.org_id());

COMMENT ON VIEW logs.tenant_request_logs IS
    'Requests of the organization in the session context';
COMMENT ON COLUMN logs.tenant_request_logs.id IS 'UUID v7 made by the writer';
COMMENT ON COLUMN logs.tenant_request_logs.created IS
    'Request time in UTC, partition key of the log';
COMMENT ON COLUMN logs.tenant_request_logs.url IS 'Path and query, secrets stripped by the writer';
COMMENT ON COLUMN logs.tenant_request_logs.method IS 'HTTP method';
COMMENT ON COLUMN logs.tenant_request_logs.status IS 'HTTP status';
COMMENT ON COLUMN logs.tenant_request_logs.auth IS 'Caller id';
COMMENT ON COLUMN logs.tenant_request_logs.remote_ip IS 'Client address';
COMMENT ON COLUMN logs.tenant_request_logs.user_agent IS 'Client software';
COMMENT ON COLUMN logs.tenant_request_logs.duration_ms IS 'Time taken';
COMMENT ON COLUMN logs.tenant_request_logs.trace_id IS
    'Correlation with service_platform.invocations';
GRANT SELECT ON logs.tenant_request_logs TO platform_app, platform_readonly;
