-- Triggers with their state (disabled, replica, always).
SELECT 'trigger' AS kind,
       quote_ident(g.tgname) || ' on ' || g.tgrelid::regclass AS identity,
       CASE c.relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || g.tgrelid::regclass AS parent,
       jsonb_build_object(
           'definition', pg_get_triggerdef(g.oid),
           'state', CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                         WHEN 'A' THEN 'always' ELSE 'enabled' END,
           'cloned', g.tgparentid <> 0,
           'comment', obj_description(g.oid, 'pg_trigger')) AS properties
  FROM pg_trigger g
  JOIN pg_class c ON c.oid = g.tgrelid
 WHERE g.tgrelid = ANY (%(relations)s)
   AND NOT g.tgisinternal;
