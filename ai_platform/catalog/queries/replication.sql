-- Publications, and subscriptions without their connection strings.
SELECT 'publication' AS kind,
       quote_ident(p.pubname) AS identity,
       NULL AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(p.pubowner),
           'all tables', p.puballtables,
           'via root', p.pubviaroot,
           'publishes', to_jsonb(array_remove(ARRAY[
               CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
               CASE WHEN p.pubdelete THEN 'delete' END,
               CASE WHEN p.pubtruncate THEN 'truncate' END], NULL)),
           'generated columns', to_jsonb(p) ->> 'pubgencols',
           'tables', ARRAY(
               SELECT r.prrelid::regclass
                      || coalesce(' (' || array_to_string(ARRAY(
                             SELECT a.attname FROM pg_attribute a
                              WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)
                              ORDER BY a.attnum), ', ') || ')', '')
                      || coalesce(' WHERE ' || pg_get_expr(r.prqual, r.prrelid), '')
                 FROM pg_publication_rel r WHERE r.prpubid = p.oid ORDER BY 1),
           'schemas', ARRAY(SELECT s.pnnspid::regnamespace::text FROM pg_publication_namespace s
                             WHERE s.pnpubid = p.oid ORDER BY 1),
           'comment', obj_description(p.oid, 'pg_publication')) AS properties
  FROM pg_publication p
UNION ALL
SELECT 'subscription',
       quote_ident(s.subname),
       NULL,
       jsonb_build_object(
           'owner', pg_get_userbyid(s.subowner),
           'enabled', s.subenabled,
           'slot', s.subslotname,
           'publications', ARRAY(SELECT unnest(s.subpublications) ORDER BY 1))
  FROM pg_subscription s
 WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
