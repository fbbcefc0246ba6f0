-- Partitions that come and go at run time: what a judge must know of each.
SELECT p.oid::regclass::text AS name,
       (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = p.oid) AS parent,
       pg_get_expr(p.relpartbound, p.oid) AS bound,
       (SELECT i.inhdetachpending FROM pg_inherits i WHERE i.inhrelid = p.oid) AS detaching,
       jsonb_build_object(
           'persistence', CASE p.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
           'row security', p.relrowsecurity,
           'row security forced', p.relforcerowsecurity,
           'owner', pg_get_userbyid(p.relowner),
           'rights', coalesce(p.relacl, acldefault('r', p.relowner))::text[],
           'column rights', (SELECT jsonb_object_agg(a.attname, a.attacl::text[])
                               FROM pg_attribute a
                              WHERE a.attrelid = p.oid AND a.attacl IS NOT NULL),
           'policies', ARRAY(SELECT concat_ws(
                                     ' ', l.polname, l.polcmd::text,
                                     CASE WHEN NOT l.polpermissive THEN 'restrictive' END,
                                     pg_get_expr(l.polqual, l.polrelid),
                                     pg_get_expr(l.polwithcheck, l.polrelid), 'to',
                                     array_to_string(ARRAY(
                                         SELECT CASE u WHEN 0 THEN 'PUBLIC'
                                                ELSE pg_get_userbyid(u)::text END
                                           FROM unnest(l.polroles) u ORDER BY 1), ', '))
                                FROM pg_policy l
                               WHERE l.polrelid = p.oid ORDER BY 1),
           'options', ARRAY(SELECT unnest(p.reloptions) ORDER BY 1),
           'access method', (SELECT m.amname FROM pg_am m WHERE m.oid = p.relam),
           'tablespace', (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = p.reltablespace),
           'replica identity', nullif(p.relreplident, 'd'),
           'columns', ARRAY(
               SELECT concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                                CASE WHEN a.attnotnull THEN 'not null' END,
                                pg_get_expr(d.adbin, d.adrelid), a.attstorage,
                                nullif(a.attcompression, ''), nullif(a.attstattarget, -1))
                 FROM pg_attribute a
                 LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped
                ORDER BY a.attname),
           'indexes missing', ARRAY(
               SELECT i.indexrelid::regclass::text
                 FROM pg_index i
                WHERE i.indrelid = (SELECT h.inhparent FROM pg_inherits h
                                     WHERE h.inhrelid = p.oid)
                  AND NOT EXISTS (SELECT FROM pg_inherits h
                                    JOIN pg_index c ON c.indexrelid = h.inhrelid
                                   WHERE h.inhparent = i.indexrelid AND c.indrelid = p.oid
                                     AND c.indisvalid)
                ORDER BY 1),
           'indexes added', ARRAY(
               SELECT regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '')
                 FROM pg_index i
                WHERE i.indrelid = p.oid
                  AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
                ORDER BY 1),
           'constraints added', ARRAY(
               SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
                WHERE k.conrelid = p.oid AND k.coninhcount = 0 AND k.contype <> 'n'
                ORDER BY 1),
           'triggers', ARRAY(
               SELECT g.tgname || CASE WHEN g.tgparentid = 0 THEN ' (added)' ELSE '' END
                      || CASE WHEN g.tgenabled <> 'O' THEN ' (state ' || g.tgenabled::text || ')'
                              ELSE '' END
                 FROM pg_trigger g
                WHERE g.tgrelid = p.oid AND NOT g.tgisinternal ORDER BY 1)) AS form
  FROM pg_class p
 WHERE p.oid = ANY (%(partitions)s)
 ORDER BY 1;
