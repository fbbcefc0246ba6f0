CREATE SCHEMA algo_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA algo_platform IS
    'Algorithms, experiments, runs, metrics, artifacts and the general job queue';
GRANT USAGE ON SCHEMA algo_platform TO platform_app, platform_readonly;
