-- Rarely made kinds of object: compared by their catalog row, without object ids.
WITH made AS (
    SELECT 'pg_opclass'::regclass AS classid, o.oid, o.opcnamespace AS nsp, o.opcowner AS owner,
           to_jsonb(ARRAY[o.opcintype::regtype::text, nullif(o.opckeytype, 0)::regtype::text,
                          o.opcdefault::text, f.opfname::text]) AS detail
      FROM pg_opclass o JOIN pg_opfamily f ON f.oid = o.opcfamily
    UNION ALL
    SELECT 'pg_opfamily'::regclass, f.oid, f.opfnamespace, f.opfowner,
           to_jsonb(ARRAY(
               SELECT 'operator ' || a.amopstrategy || ' ' || a.amopopr::regoperator
                 FROM pg_amop a WHERE a.amopfamily = f.oid
               UNION ALL
               SELECT 'function ' || p.amprocnum || ' ' || p.amproc::regprocedure
                 FROM pg_amproc p WHERE p.amprocfamily = f.oid ORDER BY 1))
      FROM pg_opfamily f
    UNION ALL
    SELECT 'pg_ts_config'::regclass, c.oid, c.cfgnamespace, c.cfgowner,
           to_jsonb(ARRAY(SELECT m.maptokentype || '/' || m.mapseqno || ' '
                                 || m.mapdict::regdictionary
                            FROM pg_ts_config_map m WHERE m.mapcfg = c.oid
                           ORDER BY m.maptokentype, m.mapseqno))
      FROM pg_ts_config c
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, t.oid, t.dictnamespace, t.dictowner,
           to_jsonb(t.dictinitoption)
      FROM pg_ts_dict t
    UNION ALL
    SELECT 'pg_conversion'::regclass, v.oid, v.connamespace, v.conowner,
           to_jsonb(ARRAY[pg_encoding_to_char(v.conforencoding)::text,
                          pg_encoding_to_char(v.contoencoding)::text,
                          v.conproc::text, v.condefault::text])
      FROM pg_conversion v
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, NULL, l.lanowner,
           to_jsonb(ARRAY[l.lanpltrusted::text, l.lanacl::text])
      FROM pg_language l WHERE l.oid >= 16384
    UNION ALL
    SELECT 'pg_am'::regclass, a.oid, NULL, NULL, to_jsonb(a.amhandler::text)
      FROM pg_am a WHERE a.oid >= 16384
)
SELECT i.type AS kind,
       i.identity,
       NULL AS parent,
       jsonb_build_object(
           'owner', pg_get_userbyid(m.owner),
           'detail', m.detail,
           'comment', obj_description(m.oid, m.classid::text::name)) AS properties
  FROM made m
 CROSS JOIN LATERAL pg_identify_object(m.classid, m.oid, 0) i
 WHERE (m.nsp IS NULL OR m.nsp = ANY (%(namespaces)s))
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = m.classid AND d.objid = m.oid AND d.deptype = 'e');
