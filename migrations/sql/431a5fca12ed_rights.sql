-- Rights on this database and on schema public, each only where it is missing: a login without
-- the right to grant passes when a DBA has granted before.
DO $do$
DECLARE
    v_right record;
BEGIN
    FOR v_right IN
        WITH wanted (role, privilege, object) AS (
            VALUES ('platform_owner', 'CONNECT', 'DATABASE'),
                   ('platform_owner', 'CREATE', 'DATABASE'),
                   ('platform_owner', 'TEMPORARY', 'DATABASE'),
                   ('platform_migrator', 'CONNECT', 'DATABASE'),
                   ('platform_app', 'CONNECT', 'DATABASE'),
                   -- bulk load: COPY to a temporary table, then INSERT ... SELECT
                   ('platform_app', 'TEMPORARY', 'DATABASE'),
                   ('platform_worker', 'CONNECT', 'DATABASE'),
                   ('platform_readonly', 'CONNECT', 'DATABASE'),
                   ('platform_log_writer', 'CONNECT', 'DATABASE'),
                   ('platform_owner', 'USAGE', 'SCHEMA'),
                   ('platform_owner', 'CREATE', 'SCHEMA'),
                   -- reads alembic_version under its own name, also after platform harden
                   ('platform_migrator', 'USAGE', 'SCHEMA'),
                   ('platform_app', 'USAGE', 'SCHEMA'),
                   ('platform_worker', 'USAGE', 'SCHEMA'),
                   ('platform_readonly', 'USAGE', 'SCHEMA'),
                   ('platform_log_writer', 'USAGE', 'SCHEMA')
        ),
        held (object, acl) AS (
            SELECT 'DATABASE', d.datacl FROM pg_catalog.pg_database d
             WHERE d.datname = current_database()
            UNION ALL
            SELECT 'SCHEMA', n.nspacl FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public'
        )
        SELECT w.role, w.privilege, w.object,
               CASE w.object WHEN 'DATABASE' THEN current_database() ELSE 'public' END AS name
          FROM wanted w JOIN held h USING (object)
         WHERE NOT EXISTS (SELECT 1 FROM aclexplode(h.acl) a
                            WHERE a.grantee = to_regrole(w.role)
                              AND a.privilege_type = w.privilege)
    LOOP
        IF (CASE v_right.object
            WHEN 'DATABASE' THEN
                has_database_privilege(v_right.name, v_right.privilege || ' WITH GRANT OPTION')
            ELSE has_schema_privilege(v_right.name, v_right.privilege || ' WITH GRANT OPTION')
            END) THEN
            EXECUTE format('GRANT %s ON %s %I TO %I',
                           v_right.privilege, v_right.object, v_right.name, v_right.role);
        -- without the right to grant, what everybody holds through PUBLIC has to do
        ELSIF NOT (CASE v_right.object
                   WHEN 'DATABASE' THEN
                       has_database_privilege(v_right.role, v_right.name, v_right.privilege)
                   ELSE has_schema_privilege(v_right.role, v_right.name, v_right.privilege)
                   END) THEN
            RAISE EXCEPTION '% lacks % on % % and % may not grant it', v_right.role,
                v_right.privilege, lower(v_right.object), v_right.name, current_user
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'a DBA runs the output of platform db sql --bootstrap';
        END IF;
    END LOOP;
END
$do$;
