-- Rights on this database by role (its owner aside: that is the operator's choice) and
-- the settings that sessions of this database begin with.
SELECT 'database' AS kind,
       'this database' AS identity,
       NULL AS parent,
       jsonb_build_object(
           'database owner', pg_get_userbyid(d.datdba),
           'rights', coalesce(d.datacl, acldefault('d', d.datdba))::text[]) AS properties
  FROM pg_database d
 WHERE d.datname = current_database()
UNION ALL
SELECT 'settings',
       CASE s.setrole WHEN 0 THEN 'every session' ELSE quote_ident(pg_get_userbyid(s.setrole)) END,
       NULL,
       (SELECT jsonb_object_agg(split_part(x, '=', 1), substring(x FROM position('=' IN x) + 1))
          FROM unnest(s.setconfig) x)
  FROM pg_db_role_setting s
 WHERE s.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
