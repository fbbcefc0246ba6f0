CREATE SCHEMA monitoring AUTHORIZATION platform_owner;

COMMENT ON SCHEMA monitoring IS
    'Node metrics, daily statistics, alerts, objectives, partition policies';
GRANT USAGE ON SCHEMA monitoring TO platform_app, platform_readonly, platform_log_writer;
