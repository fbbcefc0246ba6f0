-- 431a5fca12ed (up): Prepare roles, extensions and rights
-- Why:   every later revision runs as platform_owner, which has to exist, own the version table and be allowed to create schemas. Runs as the login: superuser, owner of the database with CREATEROLE, or platform_migrator after a DBA has made the roles. Each step is left out when its result holds.
-- Lock:  none on tables but alembic_version; another database of the cluster that makes the same roles now is waited for.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  takes back what this revision made and nothing that it found: rights and extensions by the list in the comment on alembic_version, roles by their own comment. A role that another database still needs stays, with a notice.
-- After: base
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

CREATE TABLE public.alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 431a5fca12ed

-- What somebody prepared for us is not ours to take away again: noted here, compared at the end.
DO $do$
BEGIN
    PERFORM set_config('platform.found', COALESCE((
        SELECT jsonb_agg(f.fact)::text FROM (
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
        ) f (fact)), '[]'), true);
END
$do$;

-- Six roles that belong to the cluster, not to this database: another database may be creating
-- or granting the same ones right now, so the block tries again when the catalog moved under it
-- and issues nothing whose result holds already. What it makes carries a comment, by which the
-- way back knows what is ours.
DO $do$
DECLARE
    v_mark CONSTANT text := 'AI platform: made by its revisions';
    v_role text;
    v_pair text[];
BEGIN
    FOR v_attempt IN 1..50 LOOP
        BEGIN
            FOREACH v_role IN ARRAY ARRAY[
                'platform_owner', 'platform_migrator', 'platform_app',
                'platform_worker', 'platform_readonly', 'platform_log_writer'
            ] LOOP
                IF to_regrole(v_role) IS NULL THEN
                    -- password or certificate of the one login are set by the operator
                    EXECUTE format(
                        'CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS',
                        v_role,
                        CASE v_role WHEN 'platform_migrator' THEN 'LOGIN' ELSE 'NOLOGIN' END);
                    EXECUTE format('COMMENT ON ROLE %I IS %L', v_role, v_mark);
                ELSIF EXISTS (SELECT 1 FROM pg_catalog.pg_roles r
                               WHERE r.rolname = v_role AND (r.rolsuper OR r.rolbypassrls)) THEN
                    RAISE WARNING 'role % is exempt from row security', v_role
                        USING HINT = format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS', v_role);
                END IF;
            END LOOP;
            -- background workers: the application's rights plus claiming and maintenance
            IF NOT pg_has_role('platform_worker', 'platform_app', 'USAGE') THEN
                GRANT platform_app TO platform_worker;
            END IF;
            -- both become the owner on request and inherit none of its rights
            IF NOT pg_has_role('platform_migrator', 'platform_owner', 'SET') THEN
                GRANT platform_owner TO platform_migrator WITH INHERIT FALSE, SET TRUE;
            END IF;
            IF NOT pg_has_role(current_user, 'platform_owner', 'SET') THEN
                GRANT platform_owner TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
            END IF;
            EXIT;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '% may not create or grant the platform roles', current_user
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format(
                              'a DBA runs the output of platform db sql --bootstrap, or, as the '
                              'role that made them: GRANT platform_owner, platform_app TO %I '
                              'WITH ADMIN TRUE, INHERIT FALSE, SET TRUE', current_user);
            WHEN internal_error OR unique_violation OR duplicate_object OR undefined_object THEN
                IF v_attempt = 50
                   OR (SQLSTATE = 'XX000' AND SQLERRM NOT LIKE '%concurrently%') THEN
                    RAISE;
                END IF;
                PERFORM pg_sleep(0.02 + 0.08 * random());
        END;
    END LOOP;
END
$do$;

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

-- vector is required and must be reachable without its schema's name, because clients write
-- vector(1536). The others are named by the seeds, absent from several builds: wanted, not needed.
DO $do$
DECLARE
    v_schema text;
    v_name text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'vector') THEN
        BEGIN
            CREATE EXTENSION vector WITH SCHEMA public;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'extension vector is not installed and % may not install it',
                    current_user
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = 'an administrator runs CREATE EXTENSION vector in this database';
            WHEN undefined_file OR feature_not_supported THEN
                RAISE EXCEPTION 'this server has no extension vector'
                    USING ERRCODE = 'feature_not_supported',
                          HINT = 'install pgvector 0.8 or later on the server';
        END;
    END IF;
    SELECT n.nspname INTO STRICT v_schema
      FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
     WHERE x.extname = 'vector';
    BEGIN
        FOR v_name IN
            SELECT r.name
              FROM unnest(ARRAY['platform_owner', 'platform_app',
                                'platform_worker', 'platform_readonly']) AS r(name)
             WHERE NOT has_schema_privilege(r.name, v_schema, 'USAGE')
        LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', v_schema, v_name);
        END LOOP;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'schema % of extension vector is closed to the platform roles', v_schema
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('an administrator runs GRANT USAGE ON SCHEMA %I TO '
                                'platform_owner, platform_app, platform_readonly', v_schema);
    END;
    IF to_regtype('vector') IS DISTINCT FROM to_regtype(format('%I.vector', v_schema)) THEN
        RAISE EXCEPTION 'type vector is in schema %, which is not on the search_path (%)',
            v_schema, current_setting('search_path')
            USING ERRCODE = 'undefined_object',
                  HINT = format(
                      'ALTER DATABASE %I SET search_path = "$user", public, %I; then connect '
                      'again; the application needs the same setting',
                      current_database(), v_schema);
    END IF;
    FOREACH v_name IN ARRAY ARRAY['uuid-ossp', 'pg_trgm', 'pgcrypto'] LOOP
        IF EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions a
                    WHERE a.name = v_name AND a.installed_version IS NULL) THEN
            BEGIN
                EXECUTE format('CREATE EXTENSION %I WITH SCHEMA %I', v_name, v_schema);
            EXCEPTION WHEN OTHERS THEN
                RAISE WARNING 'extension % not installed: %', v_name, SQLERRM;
            END;
        END IF;
    END LOOP;
END
$do$;

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

SET LOCAL ROLE platform_owner;

INSERT INTO public.alembic_version (version_num) VALUES ('431a5fca12ed') RETURNING public.alembic_version.version_num;

COMMIT;
