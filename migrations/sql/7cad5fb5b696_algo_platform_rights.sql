GRANT SELECT ON algo_platform.algorithms TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.algorithms TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.algorithms_id_seq TO platform_app;

GRANT SELECT ON algo_platform.experiments TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.experiments TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.experiments_id_seq TO platform_app;

GRANT SELECT ON algo_platform.jobs TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.jobs TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.jobs_id_seq TO platform_app;

GRANT SELECT ON algo_platform.run_artifacts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.run_artifacts TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.run_artifacts_id_seq TO platform_app;

GRANT SELECT ON algo_platform.run_metrics TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.run_metrics TO platform_app;

GRANT SELECT ON algo_platform.runs TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.runs TO platform_app;
