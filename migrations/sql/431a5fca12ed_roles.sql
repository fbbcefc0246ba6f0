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
