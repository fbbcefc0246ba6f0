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
