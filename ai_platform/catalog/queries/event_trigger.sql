-- Event triggers.
SELECT 'event trigger' AS kind,
       quote_ident(e.evtname) AS identity,
       NULL AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(e.evtowner),
           'event', e.evtevent,
           'function', e.evtfoid::regprocedure::text,
           'tags', ARRAY(SELECT unnest(e.evttags) ORDER BY 1),
           'state', CASE e.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                         WHEN 'A' THEN 'always' ELSE 'enabled' END,
           'comment', obj_description(e.oid, 'pg_event_trigger')) AS properties
  FROM pg_event_trigger e
 WHERE NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid
                      AND d.deptype = 'e');
