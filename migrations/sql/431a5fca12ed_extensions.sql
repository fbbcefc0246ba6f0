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
