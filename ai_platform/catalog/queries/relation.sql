-- Tables, views and materialized views, without their columns.
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
            ELSE 'table' END AS kind,
       c.oid::regclass::text AS identity,
       'schema ' || quote_ident(n.nspname) AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(c.relowner),
           'rights', coalesce(c.relacl, acldefault('r', c.relowner))::text[],
           'comment', obj_description(c.oid, 'pg_class'),
           'form', CASE c.relkind WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' END,
           'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
           'row security', c.relrowsecurity,
           'row security forced', c.relforcerowsecurity,
           'replica identity', CASE c.relreplident
               WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END,
           'options', ARRAY(SELECT unnest(c.reloptions) ORDER BY 1),
           'toast options', ARRAY(SELECT unnest(t.reloptions) ORDER BY 1),
           'tablespace', (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace),
           'access method', (SELECT a.amname FROM pg_am a
                              WHERE a.oid = c.relam AND c.relkind IN ('r', 'm')),
           'inherits', ARRAY(SELECT i.inhparent::regclass::text FROM pg_inherits i
                              WHERE i.inhrelid = c.oid ORDER BY i.inhseqno),
           'detach pending', (SELECT bool_or(i.inhdetachpending) FROM pg_inherits i
                               WHERE i.inhrelid = c.oid),
           'of type', nullif(c.reloftype, 0)::regtype::text,
           'partition key', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
           'partition bound', pg_get_expr(c.relpartbound, c.oid),
           'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
           'populated', CASE WHEN c.relkind = 'm' THEN c.relispopulated END,
           'server', (SELECT s.srvname FROM pg_foreign_table f
                        JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
           'foreign options', (SELECT f.ftoptions FROM pg_foreign_table f
                                WHERE f.ftrelid = c.oid),
           'column order', ARRAY(SELECT a.attname FROM pg_attribute a
                                  WHERE a.attrelid = c.oid AND a.attnum > 0
                                    AND NOT a.attisdropped ORDER BY a.attnum)) AS properties
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
 WHERE c.oid = ANY (%(relations)s)
   AND c.relkind NOT IN ('S', 'c');
