-- Foreign data wrappers, servers and user mappings; options of mappings may hold a
-- password, so only their digest is kept.
SELECT 'foreign data wrapper' AS kind,
       quote_ident(w.fdwname) AS identity,
       NULL AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(w.fdwowner),
           'rights', coalesce(w.fdwacl, acldefault('F', w.fdwowner))::text[],
           'handler', nullif(w.fdwhandler, 0)::regproc::text,
           'validator', nullif(w.fdwvalidator, 0)::regproc::text,
           'options', w.fdwoptions,
           'comment', obj_description(w.oid, 'pg_foreign_data_wrapper')) AS properties
  FROM pg_foreign_data_wrapper w
 WHERE NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_foreign_data_wrapper'::regclass
                      AND d.objid = w.oid AND d.deptype = 'e')
UNION ALL
SELECT 'foreign server',
       quote_ident(s.srvname),
       NULL,
       jsonb_build_object(
           'owner', pg_get_userbyid(s.srvowner),
           'rights', coalesce(s.srvacl, acldefault('S', s.srvowner))::text[],
           'wrapper', w.fdwname,
           'type', s.srvtype,
           'version', s.srvversion,
           'options', s.srvoptions,
           'comment', obj_description(s.oid, 'pg_foreign_server'))
  FROM pg_foreign_server s
  JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
UNION ALL
SELECT 'user mapping',
       quote_ident(m.usename) || ' on ' || quote_ident(m.srvname),
       'foreign server ' || quote_ident(m.srvname),
       jsonb_build_object('options digest', md5(m.umoptions::text))
  FROM pg_user_mappings m;
