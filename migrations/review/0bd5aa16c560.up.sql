-- 0bd5aa16c560 (up): Create the seven schemas
-- Why:   one schema per area of the platform keeps rights and searches apart.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the schemas; refuses when somebody put an object of their own there.
-- After: 431a5fca12ed
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade 431a5fca12ed -> 0bd5aa16c560

SET LOCAL ROLE platform_owner;

CREATE SCHEMA auth AUTHORIZATION platform_owner;

COMMENT ON SCHEMA auth IS
    'Organizations, people, roles, keys, sessions and the session-context helpers used by row '
    'security';
GRANT USAGE ON SCHEMA auth TO platform_app, platform_readonly;

CREATE SCHEMA data_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA data_platform IS
    'Sources, versioned datasets, documents, chunks, embeddings, quality, lineage';
GRANT USAGE ON SCHEMA data_platform TO platform_app, platform_readonly;

CREATE SCHEMA algo_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA algo_platform IS
    'Algorithms, experiments, runs, metrics, artifacts and the general job queue';
GRANT USAGE ON SCHEMA algo_platform TO platform_app, platform_readonly;

CREATE SCHEMA model_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA model_platform IS
    'Model registry: models, versions, aliases, evaluations';
GRANT USAGE ON SCHEMA model_platform TO platform_app, platform_readonly;

CREATE SCHEMA service_platform AUTHORIZATION platform_owner;

COMMENT ON SCHEMA service_platform IS
    'Services, revisions, endpoints, deployments, prompts, quotas and the usage ledger';
GRANT USAGE ON SCHEMA service_platform TO platform_app, platform_readonly, platform_log_writer;

CREATE SCHEMA monitoring AUTHORIZATION platform_owner;

COMMENT ON SCHEMA monitoring IS
    'Node metrics, daily statistics, alerts, objectives, partition policies';
GRANT USAGE ON SCHEMA monitoring TO platform_app, platform_readonly, platform_log_writer;

CREATE SCHEMA logs AUTHORIZATION platform_owner;

COMMENT ON SCHEMA logs IS
    'Daily partitions of public.request_logs (unlogged) and the audit log (logged, monthly)';
GRANT USAGE ON SCHEMA logs TO platform_app, platform_readonly;

UPDATE public.alembic_version SET version_num='0bd5aa16c560' WHERE public.alembic_version.version_num = '431a5fca12ed';

COMMIT;
