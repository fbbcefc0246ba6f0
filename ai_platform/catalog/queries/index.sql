-- Indexes part by part, so that a difference names the part.
SELECT 'index' AS kind,
       i.indexrelid::regclass::text AS identity,
       coalesce('constraint ' || quote_ident(k.conname) || ' on ' || i.indrelid::regclass,
                CASE r.relkind WHEN 'm' THEN 'materialized view ' ELSE 'table ' END
                    || i.indrelid::regclass) AS parent,
       jsonb_build_object(
           'table', i.indrelid::regclass::text,
           'method', m.amname,
           'unique', i.indisunique,
           'nulls not distinct', i.indnullsnotdistinct,
           'constraint', quote_ident(k.conname),
           'keys', ARRAY(
               SELECT pg_get_indexdef(i.indexrelid, pos, false)
                      || CASE WHEN i.indcollation[pos - 1] <> coalesce(y.typcollation, 0)
                              THEN ' COLLATE ' || i.indcollation[pos - 1]::regcollation
                              ELSE '' END
                      || ' ' || quote_ident(o.opcname)
                      || coalesce('(' || array_to_string(a.attoptions, ', ') || ')', '')
                      || CASE WHEN i.indoption[pos - 1] & 1 = 1 THEN ' DESC' ELSE '' END
                      || CASE (i.indoption[pos - 1] & 3)
                              WHEN 1 THEN ' NULLS LAST' WHEN 2 THEN ' NULLS FIRST' ELSE '' END
                 FROM generate_series(1, i.indnkeyatts) pos
                 JOIN pg_opclass o ON o.oid = i.indclass[pos - 1]
                 JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = pos
                 LEFT JOIN pg_type y ON y.oid = a.atttypid
                ORDER BY pos),
           'include', ARRAY(
               SELECT pg_get_indexdef(i.indexrelid, pos, false)
                 FROM generate_series(i.indnkeyatts + 1, i.indnatts) pos ORDER BY pos),
           'where', pg_get_expr(i.indpred, i.indrelid),
           'options', ARRAY(SELECT unnest(x.reloptions) ORDER BY 1),
           'statistics targets', ARRAY(
               SELECT a.attnum || ': ' || a.attstattarget FROM pg_attribute a
                WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0 ORDER BY a.attnum),
           'deferred check', NOT i.indimmediate,
           'invalid', NOT (i.indisvalid AND i.indisready AND i.indislive),
           'clustered', i.indisclustered,
           'replica identity', i.indisreplident,
           'attached to', (SELECT h.inhparent::regclass::text FROM pg_inherits h
                            WHERE h.inhrelid = i.indexrelid),
           'tablespace', (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = x.reltablespace),
           -- of a vector index: what maintenance wrote when it built the index last
           'build record', CASE WHEN note.text LIKE '{%%' THEN note.text END,
           'comment', CASE WHEN note.text NOT LIKE '{%%' THEN note.text END) AS properties
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_class r ON r.oid = i.indrelid
  JOIN pg_am m ON m.oid = x.relam
  CROSS JOIN LATERAL (SELECT obj_description(i.indexrelid, 'pg_class') AS text) note
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
 WHERE i.indrelid = ANY (%(relations)s);
