-- Extensions; plpgsql belongs to every database.
SELECT 'extension' AS kind,
       quote_ident(e.extname) AS identity,
       NULL AS parent,
       jsonb_build_object('schema', n.nspname, 'version', e.extversion) AS properties
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname <> 'plpgsql';
