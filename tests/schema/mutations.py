"""One property of one object of a catalog changed at a time, as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import CatalogObject, Snapshot

__all__ = ["Mutation", "mutations"]

OTHER = "platform_log_writer"


class Mutation(NamedTuple):
    """*sql* changes the *aspect* of an object of *kind*."""

    kind: str
    aspect: str
    identity: str
    sql: str


# `{0}` is the identity; for what lies on a table, `{name}` and `{table}` are its parts
TEMPLATES: dict[str, dict[str, str]] = {
    "schema": {
        "comment": "COMMENT ON SCHEMA {0} IS 'changed'",
        "owner": "ALTER SCHEMA {0} OWNER TO {other}",
        "right": "GRANT CREATE ON SCHEMA {0} TO {other}",
        "name": "ALTER SCHEMA {0} RENAME TO renamed",
    },
    "table": {
        "comment": "COMMENT ON TABLE {0} IS 'changed'",
        "owner": "ALTER TABLE {0} OWNER TO {other}",
        "right": "GRANT TRUNCATE ON {0} TO {other}",
        "replica identity": "ALTER TABLE {0} REPLICA IDENTITY FULL",
        "name": "ALTER TABLE {0} RENAME TO renamed",
        "policy": "CREATE POLICY more ON {0} USING (false)",
        "rule": "CREATE RULE more AS ON DELETE TO {0} DO INSTEAD NOTHING",
        "column": "ALTER TABLE {0} ADD more integer",
    },
    "column": {
        "comment": "COMMENT ON COLUMN {0} IS 'changed'",
        "right": "GRANT REFERENCES ({name}) ON {table} TO {other}",
        "statistics": "ALTER TABLE {table} ALTER {name} SET STATISTICS 77",
        "options": "ALTER TABLE {table} ALTER {name} SET (n_distinct = 77)",
        "name": "ALTER TABLE {table} RENAME {name} TO renamed",
    },
    "constraint": {
        "comment": "COMMENT ON CONSTRAINT {name} ON {table} IS 'changed'",
        "name": "ALTER TABLE {table} RENAME CONSTRAINT {name} TO renamed",
        "presence": "ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE",
    },
    "index": {
        "comment": "COMMENT ON INDEX {0} IS 'changed'",
        "name": "ALTER INDEX {0} RENAME TO renamed",
        "validity": "UPDATE pg_index SET indisvalid = NOT indisvalid"
        " WHERE indexrelid = '{0}'::regclass",
    },
    "sequence": {
        "comment": "COMMENT ON SEQUENCE {0} IS 'changed'",
        "right": "GRANT UPDATE ON SEQUENCE {0} TO {other}",
        "step": "ALTER SEQUENCE {0} INCREMENT 77",
        "cache": "ALTER SEQUENCE {0} CACHE 77",
        "cycle": "ALTER SEQUENCE {0} CYCLE",
    },
    "function": {
        "comment": "COMMENT ON FUNCTION {0} IS 'changed'",
        "owner": "ALTER FUNCTION {0} OWNER TO {other}",
        "right": "GRANT EXECUTE ON FUNCTION {0} TO {other} WITH GRANT OPTION",
        "cost": "ALTER FUNCTION {0} COST 77",
        "setting": "ALTER FUNCTION {0} SET work_mem = '77MB'",
        "leakproof": "ALTER FUNCTION {0} LEAKPROOF",
        "body": "UPDATE pg_proc SET prosrc = prosrc || ' ', prosqlbody = NULL"
        " WHERE oid = '{0}'::regprocedure",
        "name": "ALTER FUNCTION {0} RENAME TO renamed",
    },
    "trigger": {
        "comment": "COMMENT ON TRIGGER {name} ON {table} IS 'changed'",
        "state": "ALTER TABLE {table} DISABLE TRIGGER {name}",
        "firing": "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        "name": "ALTER TRIGGER {name} ON {table} RENAME TO renamed",
        "presence": "DROP TRIGGER {name} ON {table}",
    },
    "policy": {
        "comment": "COMMENT ON POLICY {name} ON {table} IS 'changed'",
        "role": "ALTER POLICY {name} ON {table} TO PUBLIC",
        "name": "ALTER POLICY {name} ON {table} RENAME TO renamed",
        "condition": "UPDATE pg_policy SET polqual = polwithcheck,"
        " polwithcheck = polqual, polpermissive = NOT polpermissive"
        " WHERE polrelid = '{table}'::regclass AND polname = '{name}'",
        "presence": "DROP POLICY {name} ON {table}",
    },
    "view": {
        "comment": "COMMENT ON VIEW {0} IS 'changed'",
        "owner": "ALTER VIEW {0} OWNER TO {other}",
        "right": "GRANT INSERT ON {0} TO {other}",
        "option": "ALTER VIEW {0} SET (security_barrier = off)",
        "presence": "DROP VIEW {0} CASCADE",
    },
    "materialized view": {
        "comment": "COMMENT ON MATERIALIZED VIEW {0} IS 'changed'",
        "owner": "ALTER MATERIALIZED VIEW {0} OWNER TO {other}",
        "option": "ALTER MATERIALIZED VIEW {0} SET (fillfactor = 77)",
        "presence": "DROP MATERIALIZED VIEW {0} CASCADE",
    },
    "partition": {
        "right": "GRANT SELECT ON {0} TO {other}",
        "owner": "ALTER TABLE {0} OWNER TO {other}",
        "row security": "ALTER TABLE {0} DISABLE ROW LEVEL SECURITY",
        "force": "ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY",
        "policy": "CREATE POLICY more ON {0} USING (true)",
        "option": "ALTER TABLE {0} SET (fillfactor = 77)",
        "trigger": "CREATE TRIGGER more BEFORE UPDATE ON {0} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    },
}


def mutations(catalog: Snapshot, partitions: list[str]) -> Iterator[Mutation]:
    """Yield every mutation of *catalog* and of its run-time *partitions*."""
    for item in catalog:
        kind, identity = item.key
        for aspect, template in TEMPLATES.get(kind, {}).items():
            if not _impossible(item, aspect):
                yield Mutation(kind, aspect, identity, _filled(template, identity))
        if kind == "table":
            yield from _flags(item)
        if kind == "column":
            yield from _column(item)
    for name in partitions:
        for aspect, template in TEMPLATES["partition"].items():
            yield Mutation("partition", aspect, name, _filled(template, name))


def _filled(template: str, identity: str) -> str:
    name, _, table = identity.partition(" on ")
    if not table:
        table, _, name = identity.rpartition(".")
    return template.format(identity, name=name, table=table, other=OTHER)


def _impossible(item: CatalogObject, aspect: str) -> bool:
    """Return whether PostgreSQL has no such thing for *item*, or does not let go."""
    kind, properties = item.key.kind, item.properties
    view = (item.parent or "").startswith(("view", "materialized view"))
    inherited = properties.get("inherited") or properties.get("attached to")
    if kind == "table":
        attached = bool(properties.get("partition bound"))
        return aspect == "column" and attached
    if kind == "column":
        partition = _is_list_partition(item.parent or "")
        return (view and aspect != "comment") or (partition and aspect == "name")
    if kind == "constraint":
        return bool(inherited) and aspect != "comment"
    if kind == "schema":
        return item.key.identity == "public" and aspect in ("name", "owner")
    return kind == "trigger" and bool(properties.get("cloned")) and aspect != "comment"


def _is_list_partition(parent: str) -> bool:
    return "run_metrics_p" in parent


def _flags(item: CatalogObject) -> Iterator[Mutation]:
    on = item.properties.get("row security")
    forced = item.properties.get("row security forced")
    table = item.key.identity
    first = f"ALTER TABLE {table} {'DIS' if on else 'EN'}ABLE ROW LEVEL SECURITY"
    second = f"ALTER TABLE {table} {'NO ' if forced else ''}FORCE ROW LEVEL SECURITY"
    yield Mutation("table", "row security", table, first)
    yield Mutation("table", "row security forced", table, second)


def _column(item: CatalogObject) -> Iterator[Mutation]:
    """Yield a default dropped and a NOT NULL set, where that changes anything."""
    parent = item.parent or ""
    own = item.properties.get("identity") or item.properties.get("generated")
    if not parent.startswith("table") or own:
        return
    table, _, name = item.key.identity.rpartition(".")
    if item.properties.get("default"):
        sql = f"ALTER TABLE ONLY {table} ALTER {name} DROP DEFAULT"
        yield Mutation("column", "default", item.key.identity, sql)
    if not item.properties.get("not null"):
        # by hand: reference rows may hold NULL already
        sql = f"""UPDATE pg_attribute SET attnotnull = true
                   WHERE attrelid = '{table}'::regclass AND attname = '{name}'"""
        yield Mutation("column", "not null", item.key.identity, sql)
