-- What counts: the schemas and relations of this database that are neither the
-- system's nor an extension's, without the partitions that come and go by the clock.
WITH RECURSIVE namespaces AS (
    SELECT n.oid, n.nspname
      FROM pg_namespace n
     WHERE n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema'
       AND n.nspname <> ALL (%(hidden_schemas)s::text[])
       AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
),
-- by catalog: to_regclass() would raise for a login without USAGE on the schema
named AS (
    SELECT c.oid, n.nspname || '.' || c.relname AS name
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
),
runtime_parents AS (
    SELECT p.partrelid AS oid
      FROM pg_partitioned_table p
      LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
     WHERE (%(by_clock)s AND p.partstrat = 'r'
            AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype))
        OR p.partrelid IN (SELECT oid FROM named WHERE name = ANY (%(runtime_parents)s))
),
runtime_partitions AS (
    SELECT i.inhrelid AS oid, i.inhparent AS parent
      FROM pg_inherits i
      JOIN runtime_parents p ON p.oid = i.inhparent
    UNION
    SELECT i.inhrelid, i.inhparent
      FROM pg_inherits i
      JOIN runtime_partitions p ON p.oid = i.inhparent
),
relations AS (
    SELECT c.oid
      FROM pg_class c
      JOIN namespaces n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
       AND c.oid NOT IN (SELECT oid FROM runtime_partitions)
       AND c.oid NOT IN (SELECT oid FROM named WHERE name = ANY (%(hidden_relations)s))
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
)
SELECT (SELECT coalesce(array_agg(oid), '{}') FROM namespaces) AS namespaces,
       (SELECT coalesce(array_agg(oid), '{}') FROM relations) AS relations,
       (SELECT coalesce(array_agg(oid), '{}') FROM runtime_partitions
         WHERE oid IN (SELECT inhrelid FROM pg_inherits
                        WHERE inhparent IN (SELECT oid FROM relations))
            OR parent IN (SELECT oid FROM runtime_partitions)) AS partitions;
