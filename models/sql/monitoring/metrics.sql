-- requires: tables, monitoring.schema
GRANT SELECT ON monitoring.metrics TO platform_app, platform_readonly;
GRANT INSERT ON monitoring.metrics TO platform_app, platform_log_writer;
