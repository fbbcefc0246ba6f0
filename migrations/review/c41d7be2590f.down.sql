-- c41d7be2590f (down): Keep the fuller of two archived days
-- Why:   metrics are unlogged: after a crash a late sample made a finished day of one sample, and it replaced the whole day that was archived before.
-- Lock:  ACCESS EXCLUSIVE on monitoring.daily_stats_archive for an instant; no rewrite, no scan. Nobody waits but who archives or reads the archive.
-- Phase: expand - old code keeps working.
-- Back:  drops the column, its values are lost; the function overwrites days again.
-- After: 7cad5fb5b696
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade c41d7be2590f -> 7cad5fb5b696

SET LOCAL ROLE platform_owner;

CREATE OR REPLACE FUNCTION monitoring.archive_daily_stats()
    RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_rows bigint;
BEGIN
    INSERT INTO monitoring.daily_stats_archive AS a
           (day, node_id, avg_mem, max_mem, avg_goroutines, max_conns)
    SELECT date_trunc('day', m.time), m.node_id, avg(m.sys_mem_mb), max(m.sys_mem_mb),
           avg(m.go_routines), max(m.db_open_conns)
      FROM monitoring.metrics m
     WHERE m.time < date_trunc('day', now() AT TIME ZONE 'UTC')
       AND m.time >= COALESCE((SELECT max(x.day) FROM monitoring.daily_stats_archive x),
                              timestamp '-infinity')
     GROUP BY 1, 2
    ON CONFLICT (day, node_id) DO UPDATE
       SET avg_mem = excluded.avg_mem,
           max_mem = excluded.max_mem,
           avg_goroutines = excluded.avg_goroutines,
           max_conns = excluded.max_conns,
           archived_at = now();
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END
$$;

COMMENT ON FUNCTION monitoring.archive_daily_stats() IS
    'Copies finished days of metrics into daily_stats_archive, from the last archived day on';
REVOKE ALL ON FUNCTION monitoring.archive_daily_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitoring.archive_daily_stats() TO platform_worker;

ALTER TABLE monitoring.daily_stats_archive DROP COLUMN samples;

UPDATE public.alembic_version SET version_num='7cad5fb5b696' WHERE public.alembic_version.version_num = 'c41d7be2590f';

COMMIT;
