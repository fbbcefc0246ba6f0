CREATE FUNCTION data_platform.enqueue_changed_documents()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO data_platform.vectorizer_queue AS q (vectorizer_id, document_id, organization_id)
    SELECT v.id, d.id, d.organization_id
      FROM changed d
      JOIN previous p ON p.id = d.id
      JOIN data_platform.vectorizers v ON v.dataset_id = d.dataset_id AND v.status = 'active'
     WHERE d.valid_to_version IS NULL
       AND (p.content IS DISTINCT FROM d.content
            OR p.content_sha256 IS DISTINCT FROM d.content_sha256
            OR p.title IS DISTINCT FROM d.title)
     ORDER BY v.id, d.id
    ON CONFLICT (vectorizer_id, document_id) DO UPDATE
       SET generation = q.generation + 1, attempts = 0, failed_at = NULL, available_at = now();
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION data_platform.enqueue_changed_documents() IS
    'AFTER UPDATE statement trigger on documents: queues only rows whose content or title changed';
REVOKE ALL ON FUNCTION data_platform.enqueue_changed_documents() FROM PUBLIC;
