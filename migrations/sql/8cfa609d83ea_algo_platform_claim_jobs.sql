CREATE FUNCTION algo_platform.claim_jobs(
    p_queue text,
    p_worker text,
    p_limit integer DEFAULT 1,
    p_lease interval DEFAULT '5 minutes'
)
    RETURNS SETOF algo_platform.jobs
    LANGUAGE plpgsql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- expired leases go back, or to the dead state
    WITH expired AS MATERIALIZED (
        SELECT e.id
          FROM algo_platform.jobs e
         WHERE e.status = 'running' AND e.lease_expires_at < now()
         ORDER BY e.id
         LIMIT 100
           FOR UPDATE SKIP LOCKED
    )
    UPDATE algo_platform.jobs j
       SET status = CASE WHEN j.attempts >= j.max_attempts THEN 'dead' ELSE 'queued' END,
           leased_by = NULL,
           lease_expires_at = NULL,
           last_error = 'lease expired',
           finished_at = CASE WHEN j.attempts >= j.max_attempts THEN now() END
      FROM expired
     WHERE j.id = expired.id;
    RETURN QUERY
    -- as a plain sub-select the planner may run the pick again per row and exceed the limit
    WITH pick AS MATERIALIZED (
        SELECT c.id
          FROM algo_platform.jobs c
         WHERE c.queue = p_queue AND c.status = 'queued' AND c.available_at <= now()
         ORDER BY c.priority DESC, c.available_at, c.id
         LIMIT p_limit
           FOR UPDATE SKIP LOCKED
    )
    UPDATE algo_platform.jobs j
       SET status = 'running',
           attempts = j.attempts + 1,
           leased_by = p_worker,
           lease_expires_at = now() + p_lease,
           started_at = COALESCE(j.started_at, now())
      FROM pick
     WHERE j.id = pick.id
    RETURNING j.*;
END
$$;

COMMENT ON FUNCTION algo_platform.claim_jobs(text, text, integer, interval) IS
    'Worker only, across tenants: returns expired leases to the queue, then leases up to p_limit '
    'ready jobs with SKIP LOCKED; commit before working';
REVOKE ALL ON FUNCTION algo_platform.claim_jobs(text, text, integer, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION algo_platform.claim_jobs(text, text, integer, interval)
    TO platform_worker;
