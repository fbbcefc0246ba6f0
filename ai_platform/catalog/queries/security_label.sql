-- Security labels.
SELECT 'security label' AS kind,
       l.provider || ' on ' || l.objtype || ' ' || l.objname AS identity,
       NULL AS parent,
       jsonb_build_object('label', l.label) AS properties
  FROM pg_seclabels l
 WHERE l.classoid NOT IN ('pg_authid'::regclass, 'pg_tablespace'::regclass,
                          'pg_database'::regclass);
