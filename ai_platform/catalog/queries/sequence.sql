-- Sequences without their position.
SELECT 'sequence' AS kind,
       c.oid::regclass::text AS identity,
       coalesce('column ' || d.refobjid::regclass || '.' || quote_ident(a.attname),
                'schema ' || quote_ident(n.nspname)) AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(c.relowner),
           'rights', coalesce(c.relacl, acldefault('s', c.relowner))::text[],
           'comment', obj_description(c.oid, 'pg_class'),
           'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
           'type', s.seqtypid::regtype::text,
           'start', s.seqstart,
           'increment', s.seqincrement,
           'minimum', s.seqmin,
           'maximum', s.seqmax,
           'cache', s.seqcache,
           'cycle', s.seqcycle,
           'owned by', d.refobjid::regclass || '.' || quote_ident(a.attname),
           'identity', d.deptype = 'i') AS properties
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_sequence s ON s.seqrelid = c.oid
  LEFT JOIN pg_depend d
    ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
   AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE c.oid = ANY (%(relations)s)
   AND (d.refobjid IS NULL OR d.refobjid = ANY (%(relations)s));
