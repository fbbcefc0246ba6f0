-- 67a1351b175c (down): Add the job queue, runs, metrics and artifacts
-- Why:   work is claimed with leases, and each run keeps what it measured and made.
-- Lock:  SHARE ROW EXCLUSIVE on the tables of experiments, datasets and users until commit, for the foreign keys: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the tables. Its rows are lost; restore them from a backup.
-- After: 849dbecf46cf
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 67a1351b175c -> 849dbecf46cf

SET LOCAL ROLE platform_owner;

DROP TABLE algo_platform.run_artifacts;

DROP TABLE algo_platform.run_metrics;

DROP TABLE algo_platform.runs;

DROP FUNCTION algo_platform.claim_jobs(text, text, integer, interval);

DROP TABLE algo_platform.jobs;

UPDATE public.alembic_version SET version_num='849dbecf46cf' WHERE public.alembic_version.version_num = '67a1351b175c';

COMMIT;
