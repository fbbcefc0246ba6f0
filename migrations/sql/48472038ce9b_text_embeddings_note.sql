-- size at build, read by monitoring.vector_index_status; platform vectors keeps it
COMMENT ON INDEX data_platform.idx_text_embeddings_vector IS
    '{"kind": "ivfflat", "lists": 100, "rows_at_build": 0}';
