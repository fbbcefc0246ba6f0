-- acfe33d7f24c (up): Add the usage ledger and its daily sums
-- Why:   every call is kept once with its cost; invoices are sums of that.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the tables, with every weekly partition. The rows are lost; restore them from a backup.
-- After: a610cf89e125
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade a610cf89e125 -> acfe33d7f24c

SET LOCAL ROLE platform_owner;

CREATE TABLE service_platform.invocations (
    id UUID DEFAULT uuid_generate_v7() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    organization_id INTEGER DEFAULT auth.org_id() NOT NULL,
    service_id INTEGER,
    endpoint_id INTEGER,
    deployment_id BIGINT,
    model_version_id BIGINT,
    prompt_version_id BIGINT,
    api_key_id UUID,
    user_id INTEGER,
    end_user VARCHAR(200),
    operation VARCHAR(30) NOT NULL,
    provider VARCHAR(50),
    model_name VARCHAR(200),
    status_code SMALLINT NOT NULL,
    error_type VARCHAR(100),
    is_cached BOOLEAN DEFAULT false NOT NULL,
    input_tokens BIGINT DEFAULT 0 NOT NULL,
    output_tokens BIGINT DEFAULT 0 NOT NULL,
    cached_tokens BIGINT DEFAULT 0 NOT NULL,
    cost NUMERIC(20, 10) DEFAULT 0 NOT NULL,
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    latency_ms INTEGER,
    first_token_ms INTEGER,
    trace_id UUID,
    node_id TEXT,
    tags JSONB,
    CONSTRAINT pk_invocations PRIMARY KEY (id, created_at),
    CONSTRAINT ck_invocations_created_at CHECK (created_at = public.uuid_v7_timestamp(id)),
    CONSTRAINT ck_invocations_counts CHECK (input_tokens >= 0 AND output_tokens >= 0 AND cached_tokens >= 0 AND cost >= 0)
)
 PARTITION BY RANGE (created_at);

COMMENT ON TABLE service_platform.invocations IS 'Usage ledger: one row per call, the source of every bill';

COMMENT ON COLUMN service_platform.invocations.id IS 'Request id; a retry carries the same one and is refused as a duplicate';

COMMENT ON COLUMN service_platform.invocations.created_at IS 'Time inside the id (uuid_v7_timestamp), partition key';

COMMENT ON COLUMN service_platform.invocations.organization_id IS 'Tenant';

COMMENT ON COLUMN service_platform.invocations.service_id IS 'Service; no foreign key: the ledger outlives what it names';

COMMENT ON COLUMN service_platform.invocations.endpoint_id IS 'Endpoint';

COMMENT ON COLUMN service_platform.invocations.deployment_id IS 'Deployment that answered';

COMMENT ON COLUMN service_platform.invocations.model_version_id IS 'Model version that answered';

COMMENT ON COLUMN service_platform.invocations.prompt_version_id IS 'Prompt version used';

COMMENT ON COLUMN service_platform.invocations.api_key_id IS 'Key that paid';

COMMENT ON COLUMN service_platform.invocations.user_id IS 'Platform user';

COMMENT ON COLUMN service_platform.invocations.end_user IS 'Caller''s own user id';

COMMENT ON COLUMN service_platform.invocations.operation IS 'chat, completion, embedding, rerank, predict, image, audio ...';

COMMENT ON COLUMN service_platform.invocations.provider IS 'Upstream provider; NULL when self-hosted';

COMMENT ON COLUMN service_platform.invocations.model_name IS 'Model as billed';

COMMENT ON COLUMN service_platform.invocations.status_code IS 'HTTP status';

COMMENT ON COLUMN service_platform.invocations.error_type IS 'Class of error';

COMMENT ON COLUMN service_platform.invocations.is_cached IS 'Answered from cache';

COMMENT ON COLUMN service_platform.invocations.input_tokens IS 'Tokens in';

COMMENT ON COLUMN service_platform.invocations.output_tokens IS 'Tokens out';

COMMENT ON COLUMN service_platform.invocations.cached_tokens IS 'Input tokens billed at the cache rate';

COMMENT ON COLUMN service_platform.invocations.cost IS 'Exact cost; never floating point';

COMMENT ON COLUMN service_platform.invocations.currency IS 'ISO 4217';

COMMENT ON COLUMN service_platform.invocations.latency_ms IS 'Total time';

COMMENT ON COLUMN service_platform.invocations.first_token_ms IS 'Time to first token';

COMMENT ON COLUMN service_platform.invocations.trace_id IS 'Correlation with traces and request_logs';

COMMENT ON COLUMN service_platform.invocations.node_id IS 'Node that served it';

COMMENT ON COLUMN service_platform.invocations.tags IS 'Caller''s labels for cost allocation';

CREATE INDEX ix_invocations_api_key_id ON service_platform.invocations (api_key_id, created_at DESC) WHERE api_key_id IS NOT NULL;

CREATE INDEX ix_invocations_organization_id ON service_platform.invocations (organization_id, created_at DESC);

CREATE INDEX ix_invocations_service_id ON service_platform.invocations (service_id, created_at DESC) WHERE service_id IS NOT NULL;

CREATE INDEX ix_invocations_trace_id ON service_platform.invocations USING hash (trace_id) WHERE trace_id IS NOT NULL;

CREATE TABLE service_platform.usage_daily (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    day DATE NOT NULL,
    organization_id INTEGER DEFAULT auth.org_id() NOT NULL,
    service_id INTEGER,
    api_key_id UUID,
    user_id INTEGER,
    model_name VARCHAR(200),
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    requests BIGINT DEFAULT 0 NOT NULL,
    errors BIGINT DEFAULT 0 NOT NULL,
    input_tokens NUMERIC(20) DEFAULT 0 NOT NULL,
    output_tokens NUMERIC(20) DEFAULT 0 NOT NULL,
    cached_tokens NUMERIC(20) DEFAULT 0 NOT NULL,
    cost NUMERIC(24, 10) DEFAULT 0 NOT NULL,
    latency_ms_sum BIGINT DEFAULT 0 NOT NULL,
    computed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_usage_daily PRIMARY KEY (id),
    CONSTRAINT fk_usage_daily_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES auth.organizations (id) ON DELETE RESTRICT,
    CONSTRAINT uq_usage_daily_bucket UNIQUE NULLS NOT DISTINCT (day, organization_id, service_id, api_key_id, user_id, model_name, currency)
);

COMMENT ON TABLE service_platform.usage_daily IS 'Ledger summed per day; stays when ledger partitions are dropped';

COMMENT ON COLUMN service_platform.usage_daily.id IS 'Surrogate key';

COMMENT ON COLUMN service_platform.usage_daily.day IS 'UTC day';

COMMENT ON COLUMN service_platform.usage_daily.organization_id IS 'Tenant';

COMMENT ON COLUMN service_platform.usage_daily.service_id IS 'Service';

COMMENT ON COLUMN service_platform.usage_daily.api_key_id IS 'Key';

COMMENT ON COLUMN service_platform.usage_daily.user_id IS 'User';

COMMENT ON COLUMN service_platform.usage_daily.model_name IS 'Model as billed';

COMMENT ON COLUMN service_platform.usage_daily.currency IS 'ISO 4217';

COMMENT ON COLUMN service_platform.usage_daily.requests IS 'Calls';

COMMENT ON COLUMN service_platform.usage_daily.errors IS 'Calls with status 400 and above';

COMMENT ON COLUMN service_platform.usage_daily.input_tokens IS 'Tokens in';

COMMENT ON COLUMN service_platform.usage_daily.output_tokens IS 'Tokens out';

COMMENT ON COLUMN service_platform.usage_daily.cached_tokens IS 'Tokens at the cache rate';

COMMENT ON COLUMN service_platform.usage_daily.cost IS 'Exact cost';

COMMENT ON COLUMN service_platform.usage_daily.latency_ms_sum IS 'For averages';

COMMENT ON COLUMN service_platform.usage_daily.computed_at IS 'When the day was last summed';

CREATE INDEX ix_usage_daily_organization_id ON service_platform.usage_daily (organization_id, day);

CREATE FUNCTION service_platform.rollup_usage(
    p_day date
)
    RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_rows bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('usage_daily', p_day - date '2000-01-01'));
    DELETE FROM service_platform.usage_daily u WHERE u.day = p_day;
    INSERT INTO service_platform.usage_daily (
        day, organization_id, service_id, api_key_id, user_id, model_name, currency,
        requests, errors, input_tokens, output_tokens, cached_tokens, cost, latency_ms_sum)
    SELECT p_day, i.organization_id, i.service_id, i.api_key_id, i.user_id, i.model_name,
           i.currency, count(*), count(*) FILTER (WHERE i.status_code >= 400),
           sum(i.input_tokens), sum(i.output_tokens), sum(i.cached_tokens), sum(i.cost),
           COALESCE(sum(i.latency_ms), 0)
      FROM service_platform.invocations i
     WHERE i.created_at >= p_day::timestamp AT TIME ZONE 'UTC'
       AND i.created_at < (p_day + 1)::timestamp AT TIME ZONE 'UTC'
     GROUP BY 2, 3, 4, 5, 6, 7;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END
$$;

COMMENT ON FUNCTION service_platform.rollup_usage(date) IS
    'Recomputes one UTC day of usage_daily from the ledger; safe to repeat';
REVOKE ALL ON FUNCTION service_platform.rollup_usage(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION service_platform.rollup_usage(date) TO platform_worker;

UPDATE public.alembic_version SET version_num='acfe33d7f24c' WHERE public.alembic_version.version_num = 'a610cf89e125';

COMMIT;
