GRANT SELECT ON monitoring.alert_rules TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.alert_rules TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.alert_rules_id_seq TO platform_app;

GRANT SELECT ON monitoring.alerts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.alerts TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.alerts_id_seq TO platform_app;

GRANT SELECT ON monitoring.daily_stats_archive TO platform_app, platform_readonly;

GRANT SELECT ON monitoring.metrics TO platform_app, platform_readonly;
GRANT INSERT ON monitoring.metrics TO platform_app, platform_log_writer;

GRANT SELECT ON monitoring.nodes TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.nodes TO platform_app;

GRANT SELECT ON monitoring.partition_policies TO platform_app, platform_readonly;

GRANT SELECT ON monitoring.slos TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.slos TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.slos_id_seq TO platform_app;
