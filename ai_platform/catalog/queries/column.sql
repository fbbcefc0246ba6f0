-- Columns; a constraint NOT NULL is a property of its column, and its name counts only
-- when a person chose it (18 makes one for every column, older servers have none).
SELECT 'column' AS kind,
       c.oid::regclass || '.' || quote_ident(a.attname) AS identity,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END
           || ' ' || c.oid::regclass AS parent,
       jsonb_build_object(
           'type', format_type(a.atttypid, a.atttypmod),
           'collation', CASE WHEN a.attcollation <> t.typcollation
                             THEN a.attcollation::regcollation::text END,
           'not null', CASE WHEN a.attnotnull THEN
               CASE WHEN nn.oid IS NOT NULL AND NOT nn.convalidated
                    THEN to_jsonb('not valid'::text) ELSE to_jsonb(true) END END,
           'not null name', CASE WHEN nn.conname !~ '_not_null[0-9]*$' THEN nn.conname END,
           'not null no inherit', nn.connoinherit,
           'default', pg_get_expr(d.adbin, d.adrelid),
           'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
           'generated', CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END,
           'storage', CASE WHEN a.attstorage <> t.typstorage THEN
               CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                 WHEN 'm' THEN 'main' ELSE 'extended' END END,
           'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
           'statistics target', nullif(a.attstattarget, -1),
           'options', a.attoptions,
           'foreign options', a.attfdwoptions,
           'inherited', CASE WHEN a.attinhcount > 0 AND NOT c.relispartition
                             THEN CASE WHEN a.attislocal THEN 'and local' ELSE 'yes' END END,
           'rights', a.attacl::text[],
           'owner', pg_get_userbyid(c.relowner),
           'comment', col_description(c.oid, a.attnum)) AS properties
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_constraint nn
    ON nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey[1] = a.attnum
 WHERE a.attrelid = ANY (%(relations)s)
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND c.relkind NOT IN ('S', 'c');
