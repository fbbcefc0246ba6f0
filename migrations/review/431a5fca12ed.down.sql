-- 431a5fca12ed (down): Prepare roles, extensions and rights
-- Why:   every later revision runs as platform_owner, which has to exist, own the version table and be allowed to create schemas. Runs as the login: superuser, owner of the database with CREATEROLE, or platform_migrator after a DBA has made the roles. Each step is left out when its result holds.
-- Lock:  none on tables but alembic_version; another database of the cluster that makes the same roles now is waited for.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  takes back what this revision made and nothing that it found: rights and extensions by the list in the comment on alembic_version, roles by their own comment. A role that another database still needs stays, with a notice.
-- After: base
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 431a5fca12ed ->

-- As the owner: the runner's journal goes, and the list of what the way up had made is read.
SET LOCAL ROLE platform_owner;
DO $do$
DECLARE
    v_taken text;
BEGIN
    -- what platform harden took from everyone is given back below, by the login
    IF to_regclass('platform_meta.hardening') IS NOT NULL THEN
        SELECT jsonb_agg(h.privilege || ' ' || h.object)::text INTO v_taken
          FROM platform_meta.hardening h;
    END IF;
    PERFORM set_config('platform.taken', COALESCE(v_taken, '[]'), true);
END
$do$;
DROP SCHEMA IF EXISTS platform_meta CASCADE;
DO $do$
BEGIN
    PERFORM set_config('platform.made', COALESCE(
        obj_description(to_regclass('public.alembic_version'), 'pg_class'), '[]'), true);
    IF to_regclass('public.alembic_version') IS NOT NULL THEN
        COMMENT ON TABLE public.alembic_version IS NULL;
        REVOKE SELECT ON public.alembic_version FROM PUBLIC;
    END IF;
END
$do$;
SET LOCAL ROLE NONE;

-- As the login: the version table comes back to it, because the owner role may go and Alembic
-- has yet to delete its row.
DO $do$
BEGIN
    IF to_regclass('public.alembic_version') IS NULL THEN
        RETURN;
    END IF;
    BEGIN
        ALTER TABLE public.alembic_version OWNER TO CURRENT_USER;
        RETURN;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;   -- only who inherits from the owner role may: try that for this one statement
    END;
    BEGIN
        GRANT platform_owner TO CURRENT_USER WITH INHERIT TRUE;
        ALTER TABLE public.alembic_version OWNER TO CURRENT_USER;
        GRANT platform_owner TO CURRENT_USER WITH INHERIT FALSE;
    EXCEPTION WHEN insufficient_privilege THEN
        -- roles made by a DBA stay, the owner among them, and so does its table
        SET LOCAL ROLE platform_owner;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.alembic_version TO %I',
                       session_user);
        SET LOCAL ROLE NONE;
    END;
END
$do$;

-- What platform harden took: back to everyone, where the login may give it.
DO $do$
DECLARE
    v_right text;
BEGIN
    FOR v_right IN
        SELECT t.value FROM jsonb_array_elements_text(
            current_setting('platform.taken')::jsonb) AS t (value)
    LOOP
        IF split_part(v_right, ' ', 2) = 'schema' THEN
            IF has_schema_privilege('public', split_part(v_right, ' ', 1)
                                              || ' WITH GRANT OPTION') THEN
                EXECUTE format('GRANT %s ON SCHEMA public TO PUBLIC',
                               split_part(v_right, ' ', 1));
                CONTINUE;
            END IF;
        ELSIF has_database_privilege(current_database(), split_part(v_right, ' ', 1)
                                                         || ' WITH GRANT OPTION') THEN
            EXECUTE format('GRANT %s ON DATABASE %I TO PUBLIC',
                           split_part(v_right, ' ', 1), current_database());
            CONTINUE;
        END IF;
        RAISE WARNING 'PUBLIC does not get back %: % may not grant it', v_right, current_user;
    END LOOP;
END
$do$;

-- Extensions and rights: only what the way up had made, and only where nobody else uses it.
DO $do$
DECLARE
    v_fact text;
    v_word text[];
    v_name text;
BEGIN
    FOR v_fact IN
        SELECT f.fact FROM jsonb_array_elements_text(
            current_setting('platform.made')::jsonb) AS f (fact)
    LOOP
        v_word := string_to_array(v_fact, ' ');
        BEGIN
            CASE v_word[1]
            WHEN 'extension' THEN
                EXECUTE format('DROP EXTENSION IF EXISTS %I', v_word[2]);
            WHEN 'database' THEN
                IF has_database_privilege(
                       current_database(), v_word[2] || ' WITH GRANT OPTION') THEN
                    EXECUTE format('REVOKE %s ON DATABASE %I FROM %I',
                                   v_word[2], current_database(), v_word[3]);
                END IF;
            WHEN 'schema' THEN
                v_name := array_to_string(v_word[4:], ' ');
                IF to_regnamespace(quote_ident(v_name)) IS NOT NULL
                   AND has_schema_privilege(v_name, v_word[2] || ' WITH GRANT OPTION') THEN
                    EXECUTE format('REVOKE %s ON SCHEMA %I FROM %I',
                                   v_word[2], v_name, v_word[3]);
                END IF;
            END CASE;
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
            RAISE NOTICE '% stays: %', v_fact, SQLERRM;
        END;
    END LOOP;
END
$do$;

-- Roles belong to the cluster: only those that a revision made, and only when no other database
-- needs them.
DO $do$
DECLARE
    v_role text;
BEGIN
    FOR v_role IN
        SELECT r.rolname FROM pg_catalog.pg_roles r
         WHERE r.rolname IN ('platform_worker', 'platform_app', 'platform_readonly',
                             'platform_log_writer', 'platform_migrator', 'platform_owner')
           AND shobj_description(r.oid, 'pg_authid') = 'AI platform: made by its revisions'
         ORDER BY r.rolname = 'platform_owner', r.rolname DESC
    LOOP
        FOR v_attempt IN 1..50 LOOP
            BEGIN
                EXECUTE format('DROP ROLE IF EXISTS %I', v_role);
                EXIT;
            EXCEPTION
                WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN
                    RAISE NOTICE 'role % stays: %', v_role, SQLERRM;
                    EXIT;
                WHEN internal_error THEN
                    IF v_attempt = 50 OR SQLERRM NOT LIKE '%concurrently%' THEN
                        RAISE;
                    END IF;
                    PERFORM pg_sleep(0.02 + 0.08 * random());
            END;
        END LOOP;
    END LOOP;
END
$do$;

DELETE FROM public.alembic_version WHERE public.alembic_version.version_num = '431a5fca12ed';

COMMIT;
