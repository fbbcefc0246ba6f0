-- requires: tables, monitoring.schema
GRANT SELECT ON monitoring.daily_stats_archive TO platform_app, platform_readonly;
