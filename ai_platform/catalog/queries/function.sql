-- Functions, procedures, window functions and aggregates, part by part.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
            ELSE 'function' END AS kind,
       p.oid::regprocedure::text AS identity,
       'schema ' || quote_ident(n.nspname) AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(p.proowner),
           'rights', coalesce(p.proacl, acldefault('f', p.proowner))::text[],
           'comment', obj_description(p.oid, 'pg_proc'),
           'arguments', pg_get_function_arguments(p.oid),
           'returns', pg_get_function_result(p.oid),
           'language', l.lanname,
           'body', coalesce(pg_get_function_sqlbody(p.oid), p.prosrc),
           'library', p.probin,
           'window', p.prokind = 'w',
           'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable'
                              ELSE 'volatile' END,
           'parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted'
                            ELSE 'unsafe' END,
           'strict', p.proisstrict,
           'security definer', p.prosecdef,
           'leakproof', p.proleakproof,
           'cost', p.procost,
           'rows', p.prorows,
           'support', nullif(p.prosupport, 0)::regproc::text,
           'transforms', p.protrftypes::regtype[]::text[],
           'settings', ARRAY(SELECT unnest(p.proconfig) ORDER BY 1),
           'dropped with extensions', ARRAY(
               SELECT x.extname::text FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                  AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x' ORDER BY 1),
           'aggregate', CASE WHEN p.prokind = 'a' THEN (
               SELECT to_jsonb(g) - 'aggfnoid' - 'aggtranstype' - 'aggmtranstype' - 'aggsortop'
                      || jsonb_build_object(
                             'aggtranstype', g.aggtranstype::regtype::text,
                             'aggmtranstype', nullif(g.aggmtranstype, 0)::regtype::text,
                             'aggsortop', nullif(g.aggsortop, 0)::regoperator::text)
                 FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END) AS properties
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = ANY (%(namespaces)s)
   -- constructor functions of range types come and go with their type
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                      AND (d.deptype = 'e'
                           OR d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass));
