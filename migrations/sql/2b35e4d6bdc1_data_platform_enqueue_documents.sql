CREATE FUNCTION data_platform.enqueue_documents()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO data_platform.vectorizer_queue AS q (vectorizer_id, document_id, organization_id)
    SELECT v.id, d.id, d.organization_id
      FROM changed d
      JOIN data_platform.vectorizers v ON v.dataset_id = d.dataset_id AND v.status = 'active'
     WHERE d.valid_to_version IS NULL
     ORDER BY v.id, d.id
    ON CONFLICT (vectorizer_id, document_id) DO UPDATE
       SET generation = q.generation + 1, attempts = 0, failed_at = NULL, available_at = now();
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION data_platform.enqueue_documents() IS
    'AFTER INSERT statement trigger on documents: queues the new rows for every active vectorizer '
    'of their dataset';
REVOKE ALL ON FUNCTION data_platform.enqueue_documents() FROM PUBLIC;
