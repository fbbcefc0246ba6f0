"""Rules of the house, each a query over the catalog that must find nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.cluster import Cluster

SCHEMAS: LiteralString = """
    ('auth', 'data_platform', 'algo_platform', 'model_platform', 'service_platform',
     'monitoring', 'logs')
"""
# objects of ours: those schemas, and what stands in public without an extension
OURS: LiteralString = f"""
    WITH ours AS (
        SELECT c.*, n.nspname, c.oid::regclass::text AS name
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE (n.nspname IN {SCHEMAS} OR c.relname LIKE 'request_logs%')
           AND c.relname NOT LIKE 'pg_toast%'),
    tables AS (SELECT * FROM ours WHERE relkind IN ('r', 'p')),
    parents AS (SELECT * FROM tables WHERE NOT relispartition),
    leaves AS (SELECT * FROM tables WHERE relispartition),
    routines AS (
        SELECT p.*, p.oid::regprocedure::text AS name
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE (n.nspname IN {SCHEMAS} OR n.nspname = 'public')
           AND NOT EXISTS (SELECT 1 FROM pg_depend d
                            WHERE d.objid = p.oid AND d.deptype = 'e')),
    users AS (SELECT * FROM pg_roles WHERE rolname LIKE 'platform\\_%')
"""

RULES: dict[str, LiteralString] = {
    "schemas have comments": f"""
        SELECT nspname FROM pg_namespace
         WHERE nspname IN {SCHEMAS} AND obj_description(oid, 'pg_namespace') IS NULL""",
    "tables and views have comments": """
        SELECT name FROM ours
         WHERE relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition
           AND obj_description(oid, 'pg_class') IS NULL""",
    "columns have comments": """
        SELECT name || '.' || attname FROM parents JOIN pg_attribute ON attrelid = oid
         WHERE attnum > 0 AND NOT attisdropped
           AND col_description(oid, attnum) IS NULL""",
    "functions have comments": """
        SELECT name FROM routines WHERE obj_description(oid, 'pg_proc') IS NULL""",
    # bodies bound when created need no search_path; the id is a hot column default
    "functions pin search_path": """
        SELECT name FROM routines
         WHERE NOT COALESCE(proconfig::text LIKE '%search_path=%', false)
           AND prosqlbody IS NULL AND proname <> 'uuid_generate_v7'""",
    # session-wide variables need a place among the temporary schemas: last, not first
    "functions look into pg_temp last": """
        SELECT name FROM routines
         WHERE proconfig::text LIKE '%search_path=%'
           AND NOT proconfig @> ARRAY['search_path=pg_catalog, pg_temp']""",
    "definer functions belong to the owner": """
        SELECT name FROM routines
         WHERE prosecdef AND proowner <> 'platform_owner'::regrole""",
    "definer functions are closed to PUBLIC": """
        SELECT name FROM routines WHERE prosecdef AND EXISTS (
            SELECT 1 FROM aclexplode(COALESCE(proacl, acldefault('f', proowner))) a
             WHERE a.grantee = 0)""",
    "every object belongs to the owner": f"""
        SELECT name FROM ours WHERE relowner <> 'platform_owner'::regrole
        UNION ALL SELECT name FROM routines WHERE proowner <> 'platform_owner'::regrole
        UNION ALL SELECT nspname FROM pg_namespace
         WHERE nspname IN {SCHEMAS} AND nspowner <> 'platform_owner'::regrole""",
    "nobody else creates in our schemas": f"""
        SELECT nspname || ' ' || r.rolname FROM users r CROSS JOIN pg_namespace
         WHERE nspname IN {SCHEMAS} AND r.rolname NOT IN ('platform_owner')
           AND has_schema_privilege(r.oid, nspname, 'CREATE')""",
    "PUBLIC has nothing in our schemas": f"""
        SELECT name FROM ours CROSS JOIN aclexplode(relacl) a WHERE a.grantee = 0
        UNION ALL
        SELECT nspname FROM pg_namespace CROSS JOIN aclexplode(nspacl) a
         WHERE a.grantee = 0 AND nspname IN {SCHEMAS}""",
    "no role is exempt from row security": """
        SELECT rolname FROM users WHERE rolsuper OR rolbypassrls OR rolcreaterole""",
    "only the migrator may become the owner": """
        SELECT m.member::regrole::text FROM pg_auth_members m
         WHERE m.roleid = 'platform_owner'::regrole
           AND (m.member::regrole::text LIKE 'platform%'
                AND m.member <> 'platform_migrator'::regrole OR m.inherit_option)""",
    "there are no default privileges": """
        SELECT defaclobjtype::text FROM pg_default_acl""",
    "policies name roles": """
        SELECT name || ' ' || polname
          FROM tables JOIN pg_policy ON polrelid = tables.oid
         WHERE 0 = ANY (polroles)""",
    "one permissive policy per table, role and action": """
        SELECT name || ' ' || r::regrole || ' ' || action
          FROM tables JOIN pg_policy p ON polrelid = tables.oid AND polpermissive
         CROSS JOIN unnest(polroles) r
         CROSS JOIN unnest(CASE polcmd WHEN '*' THEN ARRAY['r', 'a', 'w', 'd']
                                       ELSE ARRAY[polcmd::text] END) action
         GROUP BY name, r, action HAVING count(*) > 1""",
    # COPY is refused under row security: tenants read the request log through a view
    "rows with an organization have row security": """
        SELECT name FROM tables
         WHERE NOT (relrowsecurity AND relforcerowsecurity)
           AND pg_partition_root(oid) IS DISTINCT FROM 'public.request_logs'::regclass
           AND EXISTS (SELECT 1 FROM pg_attribute
                        WHERE attrelid = tables.oid AND attname = 'organization_id')""",
    "partitions have row security": """
        SELECT name FROM leaves WHERE NOT (relrowsecurity AND relforcerowsecurity)""",
    "partitions are for the owner alone": """
        SELECT name FROM leaves JOIN pg_policy ON polrelid = leaves.oid
         WHERE polroles <> ARRAY['platform_owner'::regrole::oid]
        UNION ALL
        SELECT name FROM leaves CROSS JOIN aclexplode(relacl) a
         WHERE a.grantee <> 'platform_owner'::regrole""",
    "there is no default partition": """
        SELECT name FROM leaves
         WHERE pg_get_expr(relpartbound, leaves.oid) = 'DEFAULT'""",
    # the parent's id leads: an organization alone would find a tenant's every row
    "foreign keys have an index": """
        SELECT name || ' ' || conname FROM parents JOIN pg_constraint k
               ON conrelid = parents.oid AND contype = 'f' AND conparentid = 0
         WHERE NOT EXISTS (
            SELECT 1 FROM pg_index i
              JOIN pg_attribute a ON attrelid = indrelid AND attnum = indkey[0]
             WHERE indrelid = conrelid AND attnum = ANY (conkey)
               AND (attname <> 'organization_id' OR cardinality(conkey) = 1)
               AND (indpred IS NULL
                    OR pg_get_expr(indpred, indrelid)
                       = format('(%I IS NOT NULL)', attname)))""",
    "constraints are named by convention": """
        SELECT name || ' ' || conname FROM parents JOIN pg_constraint k
               ON conrelid = parents.oid AND contype <> 'n' AND contype <> 't'
         WHERE conname !~ ('^(' || CASE contype WHEN 'p' THEN 'pk' WHEN 'u' THEN 'uq'
                           WHEN 'f' THEN 'fk' WHEN 'c' THEN 'ck' ELSE 'ex' END
                           || ')_' || relname || '(_|$)')
           AND NOT (name = ANY (ARRAY['auth.users', 'auth.groups',
                    'data_platform.data_sources', 'data_platform.text_embeddings',
                    'algo_platform.algorithms'])
                    AND conname ~ '_(pkey|key|fkey)$')""",
    "indexes are named by convention": """
        SELECT i.relname FROM parents JOIN pg_index x ON indrelid = parents.oid
          JOIN pg_class i ON i.oid = indexrelid
         WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
           AND i.relname !~ ('^' || CASE WHEN indisunique THEN 'uq' ELSE 'ix' END
                             || '_' || parents.relname || '_')
           AND i.relname !~ '^idx_(users|logs|monitor|text_embeddings)_'""",
    "triggers are named by convention": """
        SELECT tgname FROM parents JOIN pg_trigger ON tgrelid = parents.oid
         WHERE NOT tgisinternal AND tgname NOT LIKE 'tr\\_' || relname || '\\_%'""",
    "policies are named by what they do": """
        SELECT DISTINCT polname FROM tables JOIN pg_policy ON polrelid = tables.oid
         WHERE polname !~ '^(owner|tenant|through|may|own|same|self|protected|ledger)_'
           AND polname NOT IN ('parents_visible', 'strangers_invited')""",
    "no constraint or index is invalid": """
        SELECT conname FROM pg_constraint WHERE NOT convalidated
        UNION ALL
        SELECT name FROM pg_index JOIN ours ON ours.oid = indexrelid
         WHERE NOT indisvalid AND relkind = 'i'""",
    "every trigger fires": """
        SELECT tgname FROM tables JOIN pg_trigger ON tgrelid = tables.oid
         WHERE tgenabled <> 'O'""",
}


@pytest.fixture(scope="module")
def judged(cluster: Cluster, template: str) -> Iterator[psycopg.Connection[Any]]:
    """Give a database where partitions have been made by their functions too."""
    name = cluster.create(template)
    try:
        with cluster.connect(name) as connection:
            connection.execute(
                "SELECT monitoring.ensure_partitions(NULL, now() + interval '2 months')"
            )
            _second_model(connection)
            yield connection
    finally:
        cluster.drop(name)


def _second_model(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "INSERT INTO data_platform.embedding_models "
        "(organization_id, provider, name, dimensions) VALUES (NULL, 'x', 'x', 3)"
    )
    connection.execute("SET ROLE platform_owner")
    connection.execute(
        "SELECT data_platform.ensure_embedding_partition(max(id)) "
        "FROM data_platform.embedding_models"
    )
    connection.execute("RESET ROLE")


@pytest.mark.parametrize("rule", RULES)
def test_catalog_obeys(judged: psycopg.Connection[Any], rule: str) -> None:
    """Nothing in the catalog breaks the rule."""
    found = judged.execute((OURS + RULES[rule]).encode()).fetchall()

    assert [row[0] for row in found] == []


def test_rules_look_at_something(judged: psycopg.Connection[Any]) -> None:
    """The sets that the rules judge hold what the platform consists of."""
    query = (
        OURS
        + """
        SELECT (SELECT count(*) FROM parents), (SELECT count(*) FROM leaves),
               (SELECT count(*) FROM routines), (SELECT count(*) FROM users)
    """
    )
    [counts] = judged.execute(query.encode()).fetchall()

    assert counts[0] == 50
    assert counts[1] > 40
    assert counts[2] > 35
    assert counts[3] == 6


def test_plpgsql_check_finds_nothing(judged: psycopg.Connection[Any]) -> None:
    """The bodies of all plpgsql functions fit the tables they touch."""
    query = "SELECT 1 FROM pg_available_extensions WHERE name = 'plpgsql_check'"
    if judged.execute(query).fetchone() is None:
        pytest.skip("this server has no plpgsql_check")
    judged.execute("CREATE EXTENSION plpgsql_check")
    found = judged.execute("""
        SELECT p.oid::regprocedure::text, c.message
          FROM pg_proc p JOIN pg_language l ON l.oid = prolang AND lanname = 'plpgsql'
          LEFT JOIN LATERAL (SELECT min(tgrelid) AS relid FROM pg_trigger
                              WHERE tgfoid = p.oid) t ON true
         CROSS JOIN LATERAL plpgsql_check_function_tb(
               p.oid, COALESCE(t.relid, 0), other_warnings => false,
               extra_warnings => false, performance_warnings => false,
               newtable => CASE WHEN proname LIKE 'enqueue%' THEN 'changed' END,
               oldtable => CASE WHEN proname = 'enqueue_changed_documents'
                                THEN 'previous' END) c
         WHERE p.proowner = 'platform_owner'::regrole AND c.level = 'error'
    """).fetchall()

    assert found == []
