-- fb447a73537b (down): Add node metrics and their daily statistics
-- Why:   processes report every ten seconds; the days outlive the samples.
-- Lock:  none on existing tables; a new object is seen by nobody before commit.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the view, the function and the tables, with every daily partition. The rows are lost; restore them from a backup.
-- After: acfe33d7f24c
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade fb447a73537b -> acfe33d7f24c

SET LOCAL ROLE platform_owner;

DROP FUNCTION monitoring.archive_daily_stats();

DROP TABLE monitoring.daily_stats_archive;

DROP MATERIALIZED VIEW monitoring.daily_stats;

DROP TABLE monitoring.metrics;

DROP TABLE monitoring.nodes;

UPDATE public.alembic_version SET version_num='acfe33d7f24c' WHERE public.alembic_version.version_num = 'fb447a73537b';

COMMIT;
