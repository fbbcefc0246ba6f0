-- Rewrite rules, without the one that makes a view a view.
SELECT 'rule' AS kind,
       quote_ident(r.rulename) || ' on ' || r.ev_class::regclass AS identity,
       CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
            ELSE 'table ' END || r.ev_class::regclass AS parent,
       jsonb_build_object(
           'definition', pg_get_ruledef(r.oid),
           'state', CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                         WHEN 'A' THEN 'always' ELSE 'enabled' END,
           'comment', obj_description(r.oid, 'pg_rewrite')) AS properties
  FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class
 WHERE r.ev_class = ANY (%(relations)s)
   AND r.rulename <> '_RETURN';
