INSERT INTO monitoring.partition_policies
       (parent_table, partition_schema, granularity, precreate, retention, is_unlogged)
VALUES
    ('public.request_logs', 'logs', 'day', 7, interval '7 days', true),
    ('logs.audit_log', 'logs', 'month', 8, interval '7 years', false),
    ('monitoring.metrics', 'monitoring', 'day', 7, interval '30 days', true),
    ('service_platform.invocations', 'service_platform', 'week', 8, interval '400 days', false);
