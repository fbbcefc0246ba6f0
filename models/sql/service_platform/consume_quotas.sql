-- requires: tables, auth.org_id, service_platform.schema
-- Definer: whoever uses a service consumes, and only some may write quotas; the organization is
-- checked here.
CREATE FUNCTION service_platform.consume_quotas(
    p_ids integer[],
    p_amounts numeric[]
)
    RETURNS TABLE (
        quota_id integer,
        allowed boolean,
        used numeric,
        limit_value numeric
    )
    LANGUAGE sql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH want AS (
        SELECT i.id, sum(i.amount) AS amount
          FROM unnest(p_ids, p_amounts) AS i(id, amount)
         GROUP BY i.id
    ),
    locked AS MATERIALIZED (   -- one statement, one order: no deadlock between callers
        SELECT q.id, q.limit_value, q.is_enforced, w.amount,
               CASE WHEN q.window_kind = 'total'
                      OR q.window_started_at >= date_trunc(q.window_kind, now(), 'UTC')
                    THEN q.used_value ELSE 0 END AS base,
               CASE WHEN q.window_kind = 'total' THEN q.window_started_at
                    ELSE date_trunc(q.window_kind, now(), 'UTC') END AS win
          FROM service_platform.quotas q JOIN want w USING (id)
         WHERE q.organization_id = (SELECT auth.org_id())
         ORDER BY q.id
           FOR UPDATE OF q
    ),
    verdict AS (
        SELECT COALESCE(bool_and(NOT is_enforced OR base + amount <= limit_value), true) AS ok
          FROM locked
    ),
    upd AS (
        UPDATE service_platform.quotas q
           SET used_value = l.base + CASE WHEN v.ok THEN l.amount ELSE 0 END,
               window_started_at = GREATEST(l.win, q.window_started_at)
          FROM locked l, verdict v
         WHERE q.id = l.id
        RETURNING q.id, v.ok, q.used_value, q.limit_value
    )
    SELECT id, ok, used_value, limit_value FROM upd ORDER BY id
$$;

COMMENT ON FUNCTION service_platform.consume_quotas(integer[], numeric[]) IS
    'All or nothing: takes the amounts from every quota or from none, in id order';
REVOKE ALL ON FUNCTION service_platform.consume_quotas(integer[], numeric[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION service_platform.consume_quotas(integer[], numeric[]) TO platform_app;
