-- requires: public.json_valid, monitoring.schema
-- A comment that is no JSON, or holds no number, counts as "size at build unknown".
CREATE VIEW monitoring.vector_index_status AS
SELECT t.oid::regclass::text AS table_name,
       i.oid::regclass::text AS index_name,
       am.amname AS kind,
       t.reltuples::bigint AS estimated_rows,
       substring(array_to_string(i.reloptions, ',') FROM 'lists=([0-9]+)')::integer AS lists,
       CASE WHEN am.amname = 'ivfflat'
            THEN GREATEST(10, CASE WHEN t.reltuples <= 1000000 THEN t.reltuples / 1000
                                   ELSE sqrt(t.reltuples) END)::integer END AS suggested_lists,
       b.rows_at_build,
       am.amname = 'ivfflat' AND t.reltuples > 0
           AND (COALESCE(b.rows_at_build, 0) < LEAST(t.reltuples, 1000)
                OR t.reltuples > 4 * b.rows_at_build) AS needs_rebuild,
       pg_relation_size(i.oid) AS bytes
  FROM pg_index x
  JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_class t ON t.oid = x.indrelid
  JOIN pg_am am ON am.oid = i.relam
 CROSS JOIN LATERAL (SELECT obj_description(i.oid, 'pg_class') AS note) d
 CROSS JOIN LATERAL (
       SELECT CASE WHEN public.json_valid(d.note) THEN d.note::jsonb ->> 'rows_at_build' END
              AS built
       ) j
 CROSS JOIN LATERAL (
       SELECT CASE WHEN pg_input_is_valid(j.built, 'bigint') THEN j.built::bigint END
              AS rows_at_build
       ) b
 WHERE am.amname IN ('ivfflat', 'hnsw') AND i.relkind = 'i';

COMMENT ON VIEW monitoring.vector_index_status IS
    'Vector indexes with their size at build (kept as JSON in the index comment by the CLI) and '
    'whether an ivfflat index was trained on too few rows';
COMMENT ON COLUMN monitoring.vector_index_status.table_name IS
    'Table or partition of the index, as SQL writes it';
COMMENT ON COLUMN monitoring.vector_index_status.index_name IS 'Index, as SQL writes it';
COMMENT ON COLUMN monitoring.vector_index_status.kind IS 'ivfflat or hnsw';
COMMENT ON COLUMN monitoring.vector_index_status.estimated_rows IS
    'Rows at the last ANALYZE or VACUUM; -1 when there was none';
COMMENT ON COLUMN monitoring.vector_index_status.lists IS
    'Lists of an ivfflat index; NULL for hnsw and for the default';
COMMENT ON COLUMN monitoring.vector_index_status.suggested_lists IS
    'Lists that suit the rows there are; NULL for hnsw';
COMMENT ON COLUMN monitoring.vector_index_status.rows_at_build IS
    'Rows when maintenance built it last; NULL when unknown';
COMMENT ON COLUMN monitoring.vector_index_status.needs_rebuild IS
    'Trained on too few rows, or the table is four times as large since';
COMMENT ON COLUMN monitoring.vector_index_status.bytes IS 'Size of the index';
GRANT SELECT ON monitoring.vector_index_status TO platform_app, platform_readonly;
