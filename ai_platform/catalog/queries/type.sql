-- Enums, domains, ranges, composite and base types that a person made.
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range'
            WHEN 'c' THEN 'composite type' ELSE 'type' END AS kind,
       t.oid::regtype::text AS identity,
       'schema ' || quote_ident(n.nspname) AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(t.typowner),
           'rights', coalesce(t.typacl, acldefault('T', t.typowner))::text[],
           'comment', obj_description(t.oid, 'pg_type'),
           'values', ARRAY(SELECT e.enumlabel::text FROM pg_enum e
                            WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
           'base', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
           'collation', CASE WHEN t.typtype = 'd'
                             THEN nullif(t.typcollation, 0)::regcollation::text END,
           'not null', t.typtype = 'd' AND t.typnotnull,
           'default', t.typdefault,
           'attributes', ARRAY(
               SELECT quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
                      || CASE WHEN a.attcollation <> y.typcollation
                              THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END
                      || coalesce(' -- ' || col_description(c.oid, a.attnum), '')
                 FROM pg_attribute a
                 JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'c'
                 JOIN pg_type y ON y.oid = a.atttypid
                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                ORDER BY a.attnum),
           'subtype', (SELECT to_jsonb(ARRAY[r.rngsubtype::regtype::text,
                                             nullif(r.rngcollation, 0)::regcollation::text,
                                             o.opcname::text,
                                             nullif(r.rngcanonical, 0)::regproc::text,
                                             nullif(r.rngsubdiff, 0)::regproc::text,
                                             nullif(r.rngmultitypid, 0)::regtype::text])
                         FROM pg_range r
                         JOIN pg_opclass o ON o.oid = r.rngsubopc
                        WHERE r.rngtypid = t.oid),
           'functions', CASE WHEN t.typtype = 'b' THEN ARRAY[
               t.typinput::text, t.typoutput::text, t.typreceive::text, t.typsend::text,
               t.typmodin::text, t.typmodout::text, t.typanalyze::text] END,
           'length', CASE WHEN t.typtype = 'b' THEN t.typlen END) AS properties
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE t.typnamespace = ANY (%(namespaces)s)
   AND t.typtype IN ('e', 'd', 'r', 'c', 'b')
   AND coalesce(c.relkind, 'c') = 'c'
   AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                      AND d.deptype = 'e');
