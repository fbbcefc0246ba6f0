-- requires: tables, monitoring.force_row_security
-- Definer: the partition belongs to the owner of the platform, whoever asks for it.
CREATE FUNCTION data_platform.ensure_embedding_partition(
    p_model integer,
    p_index text DEFAULT 'hnsw',
    p_lists integer DEFAULT 100
)
    RETURNS text
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_model data_platform.embedding_models%ROWTYPE;
    v_table CONSTANT text := format('chunk_embeddings_m%s', p_model);
    v_schema text;
    v_type text;
    v_opclass text;
BEGIN
    SELECT n.nspname INTO STRICT v_schema
      FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
     WHERE x.extname = 'vector';
    SELECT * INTO STRICT v_model FROM data_platform.embedding_models WHERE id = p_model;
    PERFORM pg_advisory_xact_lock(hashtextextended('chunk_embeddings', p_model));
    IF to_regclass('data_platform.' || v_table) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('CREATE TABLE data_platform.%I '
                   '(LIKE data_platform.chunk_embeddings INCLUDING DEFAULTS)', v_table);
    EXECUTE format('ALTER TABLE data_platform.%I ADD CONSTRAINT %I '
                   'CHECK (%I.vector_dims(embedding) = %s)',
                   v_table, 'ck_' || v_table || '_dimensions', v_schema, v_model.dimensions);
    PERFORM monitoring.force_row_security(format('data_platform.%I', v_table)::regclass);
    EXECUTE format('ALTER TABLE data_platform.chunk_embeddings '
                   'ATTACH PARTITION data_platform.%I FOR VALUES IN (%s)', v_table, p_model);
    IF p_index IN ('hnsw', 'ivfflat') AND v_model.index_type IN ('vector', 'halfvec') THEN
        v_type := format('%I.%s(%s)', v_schema, v_model.index_type, v_model.dimensions);
        v_opclass := format('%I.%s', v_schema, v_model.index_type
                            || CASE v_model.distance
                               WHEN 'cosine' THEN '_cosine_ops'
                               WHEN 'l2' THEN '_l2_ops'
                               ELSE '_ip_ops' END);
        EXECUTE format('CREATE INDEX %I ON data_platform.%I '
                       'USING %s ((embedding::%s) %s) WITH (%s)',
                       format('ix_%s_%s', v_table, p_index), v_table, p_index, v_type, v_opclass,
                       CASE p_index WHEN 'hnsw' THEN 'm = 16, ef_construction = 64'
                                    ELSE format('lists = %s', p_lists) END);
    END IF;
    RETURN 'data_platform.' || v_table;
END
$$;

COMMENT ON FUNCTION data_platform.ensure_embedding_partition(integer, text, integer) IS
    'Creates the partition of one model with its dimension check and expression index; NULL when '
    'it is there';
REVOKE ALL ON FUNCTION data_platform.ensure_embedding_partition(integer, text, integer)
    FROM PUBLIC;
