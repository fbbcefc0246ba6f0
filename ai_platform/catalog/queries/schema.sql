-- Schemas: owner, rights, comment.
SELECT 'schema' AS kind,
       quote_ident(n.nspname) AS identity,
       NULL AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(n.nspowner),
           'hardenable', n.nspname = 'public',
           'rights', coalesce(n.nspacl, acldefault('n', n.nspowner))::text[],
           'comment', obj_description(n.oid, 'pg_namespace')) AS properties
  FROM pg_namespace n
 WHERE n.oid = ANY (%(namespaces)s)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid
                      AND d.deptype = 'e');
