GRANT SELECT ON model_platform.evaluations TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.evaluations TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.evaluations_id_seq TO platform_app;

GRANT SELECT ON model_platform.model_aliases TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.model_aliases TO platform_app;

GRANT SELECT ON model_platform.model_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.model_versions TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.model_versions_id_seq TO platform_app;

GRANT SELECT ON model_platform.models TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.models TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.models_id_seq TO platform_app;
