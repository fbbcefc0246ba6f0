-- The model of the seeds: the column default of text_embeddings and the first partition of
-- chunk_embeddings refer to it by number.
INSERT INTO data_platform.embedding_models
       (id, organization_id, provider, name, dimensions, max_input_tokens, is_default)
VALUES (1, NULL, 'openai', 'text-embedding-ada-002', 1536, 8191, true);

DO $do$
BEGIN
    PERFORM setval(pg_get_serial_sequence('data_platform.embedding_models', 'id'), 1);
END
$do$;
