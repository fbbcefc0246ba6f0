-- Constraints of tables and domains. The copies that a foreign key to a partitioned
-- table keeps per referenced partition are its own affair.
SELECT 'constraint' AS kind,
       quote_ident(k.conname) || ' on '
           || coalesce(nullif(k.conrelid, 0)::regclass::text, k.contypid::regtype::text)
           AS identity,
       CASE WHEN k.conrelid <> 0 THEN 'table ' || k.conrelid::regclass
            ELSE 'domain ' || k.contypid::regtype END AS parent,
       jsonb_build_object(
           'definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
           'not valid', NOT k.convalidated,
           'not enforced', to_jsonb(k) ->> 'conenforced' = 'false',
           'no inherit', k.connoinherit AND k.contype = 'c',
           'inherited', CASE WHEN k.coninhcount > 0 THEN
               CASE WHEN k.conislocal THEN 'and local' ELSE 'yes' END END,
           'triggers', (SELECT jsonb_agg(DISTINCT g.tgenabled) FROM pg_trigger g
                         WHERE g.tgconstraint = k.oid AND g.tgisinternal
                           AND g.tgenabled <> 'O'),
           'comment', obj_description(k.oid, 'pg_constraint')) AS properties
  FROM pg_constraint k
  LEFT JOIN pg_constraint p ON p.oid = k.conparentid
  LEFT JOIN pg_type t ON t.oid = k.contypid
 WHERE (k.conrelid = ANY (%(relations)s)
        OR t.typnamespace = ANY (%(namespaces)s))
   AND k.contype IN ('c', 'f', 'p', 'u', 'x')
   AND p.conrelid IS DISTINCT FROM k.conrelid
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = k.contypid
                      AND d.deptype = 'e');
