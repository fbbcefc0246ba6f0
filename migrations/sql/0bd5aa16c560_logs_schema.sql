CREATE SCHEMA logs AUTHORIZATION platform_owner;

COMMENT ON SCHEMA logs IS
    'Daily partitions of public.request_logs (unlogged) and the audit log (logged, monthly)';
GRANT USAGE ON SCHEMA logs TO platform_app, platform_readonly;
