GRANT SELECT ON service_platform.deployments TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.deployments TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.deployments_id_seq TO platform_app;

GRANT SELECT ON service_platform.endpoints TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.endpoints TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.endpoints_id_seq TO platform_app;

GRANT SELECT ON service_platform.invocations TO platform_app, platform_readonly;
GRANT INSERT ON service_platform.invocations TO platform_app, platform_log_writer;

GRANT SELECT ON service_platform.prompt_labels TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompt_labels TO platform_app;

GRANT SELECT ON service_platform.prompt_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompt_versions TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.prompt_versions_id_seq TO platform_app;

GRANT SELECT ON service_platform.prompts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompts TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.prompts_id_seq TO platform_app;

GRANT SELECT ON service_platform.quotas TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.quotas TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.quotas_id_seq TO platform_app;

GRANT SELECT ON service_platform.revisions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.revisions TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.revisions_id_seq TO platform_app;

GRANT SELECT ON service_platform.services TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.services TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.services_id_seq TO platform_app;

GRANT SELECT ON service_platform.usage_daily TO platform_app, platform_readonly;
GRANT USAGE ON SEQUENCE service_platform.usage_daily_id_seq TO platform_app;
