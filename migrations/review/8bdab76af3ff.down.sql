-- 8bdab76af3ff (down): Add runs with their metrics and artifacts
-- Why:   each run keeps what went in, what it measured and what it made.
-- Lock:  SHARE ROW EXCLUSIVE on algo_platform.algorithms, algo_platform.experiments, algo_platform.jobs and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 8cfa609d83ea
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 8bdab76af3ff -> 8cfa609d83ea

SET LOCAL ROLE platform_owner;

DROP TABLE algo_platform.run_artifacts;

DROP TABLE algo_platform.run_metrics;

DROP TABLE algo_platform.runs;

UPDATE public.alembic_version SET version_num='8cfa609d83ea' WHERE public.alembic_version.version_num = '8bdab76af3ff';

COMMIT;
