DO $do$
BEGIN
    PERFORM data_platform.ensure_embedding_partition(1);
END
$do$;
