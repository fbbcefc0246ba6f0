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
GRANT SELECT ON logs.tenant_request_logs TO platform_app, platform_readonly;
