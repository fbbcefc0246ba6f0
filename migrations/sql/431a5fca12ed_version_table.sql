-- Alembic's table goes to the owner, who writes every later row. Its comment lists what this
-- revision made, for the way back. Where another tool keeps the versions there is none.
DO $do$
DECLARE
    -- not known outside the transaction that noted it: then nothing counts as ours
    v_found CONSTANT jsonb := NULLIF(current_setting('platform.found', true), '');
    v_made jsonb;
BEGIN
    IF to_regclass('public.alembic_version') IS NULL THEN
        RETURN;
    END IF;
    SELECT COALESCE(jsonb_agg(f.fact ORDER BY f.fact), '[]') INTO v_made FROM (
        SELECT 'extension ' || x.extname
          FROM pg_catalog.pg_extension x
         WHERE x.extname IN ('vector', 'uuid-ossp', 'pg_trgm', 'pgcrypto')
        UNION ALL
        SELECT format('database %s %s', a.privilege_type, r.rolname)
          FROM pg_catalog.pg_database d
         CROSS JOIN LATERAL aclexplode(d.datacl) a
          JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
         WHERE d.datname = current_database() AND r.rolname LIKE 'platform\_%'
        UNION ALL
        SELECT format('schema %s %s %s', a.privilege_type, r.rolname, n.nspname)
          FROM pg_catalog.pg_namespace n
         CROSS JOIN LATERAL aclexplode(n.nspacl) a
          JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
         WHERE r.rolname LIKE 'platform\_%'
    ) f (fact)
     WHERE NOT v_found ? f.fact;
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c
                    WHERE c.oid = to_regclass('public.alembic_version')
                      AND c.relowner = to_regrole('platform_owner')) THEN
        ALTER TABLE public.alembic_version OWNER TO platform_owner;
    END IF;
    SET LOCAL ROLE platform_owner;
    GRANT SELECT ON public.alembic_version TO PUBLIC;
    EXECUTE format('COMMENT ON TABLE public.alembic_version IS %L', v_made);
END
$do$;
