CREATE SCHEMA model_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA model_platform IS
    'Model registry: models, versions, aliases, evaluations';
GRANT USAGE ON SCHEMA model_platform TO platform_app, platform_readonly;
