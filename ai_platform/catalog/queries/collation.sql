-- Collations; their version is the operating system's affair.
SELECT 'collation' AS kind,
       c.oid::regcollation::text AS identity,
       'schema ' || quote_ident(n.nspname) AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(c.collowner),
           'provider', CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
                            WHEN 'c' THEN 'libc' ELSE 'default' END,
           'deterministic', c.collisdeterministic,
           'encoding', nullif(c.collencoding, -1),
           'collate', c.collcollate,
           'ctype', c.collctype,
           'locale', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
           'rules', c.collicurules,
           'comment', obj_description(c.oid, 'pg_collation')) AS properties
  FROM pg_collation c
  JOIN pg_namespace n ON n.oid = c.collnamespace
 WHERE c.collnamespace = ANY (%(namespaces)s)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_collation'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e');
