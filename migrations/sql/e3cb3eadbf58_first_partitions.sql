DO $do$
BEGIN
    PERFORM monitoring.ensure_partitions();
END
$do$;
