-- Policies of row security.
SELECT 'policy' AS kind,
       quote_ident(p.polname) || ' on ' || p.polrelid::regclass AS identity,
       'table ' || p.polrelid::regclass AS parent,
       jsonb_build_object(
           'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'
                           WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
           'restrictive', NOT p.polpermissive,
           'roles', ARRAY(SELECT CASE u WHEN 0 THEN 'PUBLIC'
                                      ELSE pg_get_userbyid(u)::text END
                            FROM unnest(p.polroles) u ORDER BY 1),
           'using', pg_get_expr(p.polqual, p.polrelid),
           'with check', pg_get_expr(p.polwithcheck, p.polrelid),
           'comment', obj_description(p.oid, 'pg_policy')) AS properties
  FROM pg_policy p
 WHERE p.polrelid = ANY (%(relations)s);
