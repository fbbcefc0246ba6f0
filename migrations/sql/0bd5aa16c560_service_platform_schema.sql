CREATE SCHEMA service_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA service_platform IS
    'Services, revisions, endpoints, deployments, prompts, quotas and the usage ledger';
GRANT USAGE ON SCHEMA service_platform TO platform_app, platform_readonly, platform_log_writer;
