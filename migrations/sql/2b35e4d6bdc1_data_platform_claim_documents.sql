CREATE FUNCTION data_platform.claim_documents(
    p_vectorizer integer,
    p_worker text,
    p_limit integer DEFAULT 64,
    p_lease interval DEFAULT '5 minutes'
)
    RETURNS TABLE (
        document_id bigint,
        organization_id integer,
        generation integer,
        attempts smallint
    )
    LANGUAGE sql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    -- as a plain sub-select the planner may run the pick again per row and exceed the limit
    WITH pick AS MATERIALIZED (
        SELECT c.document_id
          FROM data_platform.vectorizer_queue c
         WHERE c.vectorizer_id = p_vectorizer AND c.failed_at IS NULL
           AND c.available_at <= now()
           AND (c.lease_expires_at IS NULL OR c.lease_expires_at < now())
         ORDER BY c.available_at
         LIMIT p_limit
           FOR UPDATE SKIP LOCKED
    )
    UPDATE data_platform.vectorizer_queue q
       SET leased_by = p_worker, lease_expires_at = now() + p_lease, attempts = q.attempts + 1
      FROM pick
     WHERE q.vectorizer_id = p_vectorizer AND q.document_id = pick.document_id
    RETURNING q.document_id, q.organization_id, q.generation, q.attempts
$$;

COMMENT ON FUNCTION data_platform.claim_documents(integer, text, integer, interval) IS
    'Worker only, across tenants: leases a batch with SKIP LOCKED and counts the attempt; commit '
    'before calling the provider';
REVOKE ALL ON FUNCTION data_platform.claim_documents(integer, text, integer, interval)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION data_platform.claim_documents(integer, text, integer, interval)
    TO platform_worker;
