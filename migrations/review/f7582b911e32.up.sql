-- f7582b911e32 (up): Add the request log
-- Why:   clients of the seeds COPY into public.request_logs; a tenant reads its own rows through a view.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the view and the table, with every daily partition. The rows are lost; restore them from a backup.
-- After: e31dba63dfd0
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade e31dba63dfd0 -> f7582b911e32

SET LOCAL ROLE platform_owner;

CREATE TABLE request_logs (
    id UUID NOT NULL,
    created TIMESTAMP WITHOUT TIME ZONE DEFAULT (now() AT TIME ZONE 'UTC') NOT NULL,
    url TEXT,
    method TEXT,
    status INTEGER,
    auth TEXT,
    remote_ip TEXT,
    user_agent TEXT,
    meta JSONB,
    referer TEXT,
    organization_id INTEGER,
    duration_ms INTEGER,
    trace_id UUID
)
 PARTITION BY RANGE (created);

COMMENT ON TABLE request_logs IS 'HTTP request log, written in batches with COPY (seed table)';

COMMENT ON COLUMN request_logs.id IS 'UUID v7 made by the writer (seed)';

COMMENT ON COLUMN request_logs.created IS 'Request time in UTC, partition key (seed; the seed default NOW() follows the session time zone)';

COMMENT ON COLUMN request_logs.url IS 'Path and query, secrets stripped by the writer (seed)';

COMMENT ON COLUMN request_logs.method IS 'HTTP method (seed)';

COMMENT ON COLUMN request_logs.status IS 'HTTP status (seed)';

COMMENT ON COLUMN request_logs.auth IS 'Caller id (seed)';

COMMENT ON COLUMN request_logs.remote_ip IS 'Client address (seed)';

COMMENT ON COLUMN request_logs.user_agent IS 'Client software (seed)';

COMMENT ON COLUMN request_logs.meta IS 'Extra fields (seed)';

COMMENT ON COLUMN request_logs.referer IS 'Referrer (seed)';

COMMENT ON COLUMN request_logs.organization_id IS 'Tenant, when known';

COMMENT ON COLUMN request_logs.duration_ms IS 'Time taken';

COMMENT ON COLUMN request_logs.trace_id IS 'Correlation with service_platform.invocations';

CREATE INDEX idx_logs_auth ON request_logs (auth) WHERE auth IS NOT NULL;

CREATE INDEX idx_logs_created ON request_logs (created);

CREATE INDEX idx_logs_status ON request_logs (status) WHERE status >= 400;

-- A tenant reads its own requests here: the table itself has no row security, because COPY FROM
-- refuses it.
CREATE VIEW logs.tenant_request_logs
    WITH (security_barrier = true)
AS
SELECT id, created, url, method, status, auth, remote_ip, user_agent, duration_ms, trace_id
  FROM public.request_logs
 WHERE organization_id = (SELECT auth.org_id());

COMMENT ON VIEW logs.tenant_request_logs IS
    'Requests of the organization in the session context';
GRANT SELECT ON logs.tenant_request_logs TO platform_app, platform_readonly;

UPDATE public.alembic_version SET version_num='f7582b911e32' WHERE public.alembic_version.version_num = 'e31dba63dfd0';

COMMIT;
