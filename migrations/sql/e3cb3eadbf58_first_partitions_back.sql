-- All time partitions, also those made later and those detached but not yet dropped.
DO $do$
DECLARE
    v_partition regclass;
BEGIN
    FOR v_partition IN
        SELECT c.oid
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
         WHERE c.relkind = 'r'
           AND (i.inhparent IN ('public.request_logs'::regclass, 'logs.audit_log'::regclass,
                                'monitoring.metrics'::regclass,
                                'service_platform.invocations'::regclass)
                OR (i.inhparent IS NULL
                    AND n.nspname IN ('logs', 'monitoring', 'service_platform')
                    AND c.relname ~ ('^(request_logs|audit_log|metrics|invocations)'
                                     '_[0-9]{6,8}(_[0-9]+)?$')))
    LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;
END
$do$;
