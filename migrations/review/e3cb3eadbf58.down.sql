-- e3cb3eadbf58 (down): Add partition policies and the first partitions
-- Why:   there is no default partition: partitions are made ahead, and a writer who finds none can make the one it needs.
-- Lock:  SHARE UPDATE EXCLUSIVE on the four partitioned parents until commit: readers and writers go on.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops all time partitions of the four parents, then functions, view and table. The rows are lost; restore them from a backup.
-- After: 4a40ccfda27c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade e3cb3eadbf58 -> 4a40ccfda27c

SET LOCAL ROLE platform_owner;

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

DROP VIEW monitoring.partition_status;

DROP FUNCTION monitoring.expired_partitions(text, timestamptz);

DROP FUNCTION monitoring.ensure_partition_for(text, timestamptz);

DROP FUNCTION monitoring.ensure_partitions(text, timestamptz);

DROP FUNCTION monitoring.create_partition(regclass, timestamptz, timestamptz, boolean, text);

DROP FUNCTION monitoring.partition_ranges(regclass);

DROP TABLE monitoring.partition_policies;

UPDATE public.alembic_version SET version_num='4a40ccfda27c' WHERE public.alembic_version.version_num = 'e3cb3eadbf58';

COMMIT;
