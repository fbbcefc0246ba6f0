-- Extended statistics.
SELECT 'statistics' AS kind,
       quote_ident(n.nspname) || '.' || quote_ident(s.stxname) AS identity,
       'table ' || s.stxrelid::regclass AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(s.stxowner),
           'definition', pg_get_statisticsobjdef(s.oid),
           'target', nullif(s.stxstattarget, -1),
           'comment', obj_description(s.oid, 'pg_statistic_ext')) AS properties
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE s.stxrelid = ANY (%(relations)s);
