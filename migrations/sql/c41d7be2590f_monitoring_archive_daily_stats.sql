-- requires: monitoring.schema
CREATE OR REPLACE FUNCTION monitoring.archive_daily_stats()
    RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_today CONSTANT timestamp := date_trunc('day', now() AT TIME ZONE 'UTC');
    v_fresh bigint;
    v_saved bigint := 0;
BEGIN
    -- Samples are lost in a crash, and others come late. So every day that still has
    -- some is looked at, and the day that was computed from more of them stays.
    INSERT INTO monitoring.daily_stats_archive AS a
           (day, node_id, avg_mem, max_mem, avg_goroutines, max_conns, samples)
    SELECT date_trunc('day', m.time), m.node_id, avg(m.sys_mem_mb), max(m.sys_mem_mb),
           avg(m.go_routines), max(m.db_open_conns), count(*)
      FROM monitoring.metrics m
     WHERE m.time < v_today
     GROUP BY 1, 2
    ON CONFLICT (day, node_id) DO UPDATE
       SET avg_mem = excluded.avg_mem,
           max_mem = excluded.max_mem,
           avg_goroutines = excluded.avg_goroutines,
           max_conns = excluded.max_conns,
           samples = excluded.samples,
           archived_at = now()
     WHERE excluded.samples > a.samples;
    GET DIAGNOSTICS v_fresh = ROW_COUNT;

    -- After a crash the view may be the last to know a day; the next refresh empties it.
    IF (SELECT c.relispopulated FROM pg_class c
         WHERE c.oid = to_regclass('monitoring.daily_stats')) THEN
        INSERT INTO monitoring.daily_stats_archive
               (day, node_id, avg_mem, max_mem, avg_goroutines, max_conns)
        SELECT v.day, v.node_id, v.avg_mem, v.max_mem, v.avg_goroutines, v.max_conns
          FROM monitoring.daily_stats v
         WHERE v.day < v_today
        ON CONFLICT (day, node_id) DO NOTHING;
        GET DIAGNOSTICS v_saved = ROW_COUNT;
    END IF;
    RETURN v_fresh + v_saved;
END
$$;

COMMENT ON FUNCTION monitoring.archive_daily_stats() IS
    'Copies finished days into daily_stats_archive; a day kept there is replaced only by '
    'one of more samples';
REVOKE ALL ON FUNCTION monitoring.archive_daily_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitoring.archive_daily_stats() TO platform_worker;
