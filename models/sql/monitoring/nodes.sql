-- requires: tables, monitoring.schema
GRANT SELECT ON monitoring.nodes TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.nodes TO platform_app;
