-- Operators and casts that a person made.
SELECT 'operator' AS kind,
       o.oid::regoperator::text AS identity,
       'schema ' || quote_ident(n.nspname) AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(o.oprowner),
           'function', nullif(o.oprcode, 0)::regprocedure::text,
           'result', o.oprresult::regtype::text,
           'commutator', nullif(o.oprcom, 0)::regoperator::text,
           'negator', nullif(o.oprnegate, 0)::regoperator::text,
           'restrict', nullif(o.oprrest, 0)::regproc::text,
           'join', nullif(o.oprjoin, 0)::regproc::text,
           'hashes', o.oprcanhash,
           'merges', o.oprcanmerge,
           'comment', obj_description(o.oid, 'pg_operator')) AS properties
  FROM pg_operator o
  JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE o.oprnamespace = ANY (%(namespaces)s)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid
                      AND d.deptype = 'e')
UNION ALL
SELECT 'cast',
       k.castsource::regtype || ' as ' || k.casttarget::regtype,
       NULL,
       jsonb_build_object(
           'function', nullif(k.castfunc, 0)::regprocedure::text,
           'context', CASE k.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment'
                           ELSE 'explicit' END,
           'method', CASE k.castmethod WHEN 'f' THEN 'function' WHEN 'i' THEN 'inout'
                          ELSE 'binary' END,
           'comment', obj_description(k.oid, 'pg_cast'))
  FROM pg_cast k
 WHERE k.oid >= 16384  -- below that: the system's own
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_cast'::regclass AND d.objid = k.oid
                      AND (d.deptype = 'e'
                           OR d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass));
