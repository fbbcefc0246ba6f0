-- ALTER DEFAULT PRIVILEGES: rights that objects will be born with.
SELECT 'default privileges' AS kind,
       CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
            WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'
            ELSE 'large objects' END
           || ' of ' || quote_ident(pg_get_userbyid(d.defaclrole))
           || coalesce(' in ' || quote_ident(n.nspname), '') AS identity,
       NULL AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(d.defaclrole),
           'rights', d.defaclacl::text[],
           'instead of defaults', d.defaclnamespace = 0) AS properties
  FROM pg_default_acl d
  LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
 WHERE d.defaclnamespace = 0 OR d.defaclnamespace = ANY (%(namespaces)s);
