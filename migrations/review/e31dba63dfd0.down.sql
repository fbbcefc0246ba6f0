-- e31dba63dfd0 (down): Add alert rules and alerts
-- Why:   somebody has to hear when a promise is about to be broken, once per subject.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations, auth.users and monitoring.slos until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the tables. The rows are lost; restore them from a backup.
-- After: 9dc2cd6c14cc
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade e31dba63dfd0 -> 9dc2cd6c14cc

SET LOCAL ROLE platform_owner;

DROP FUNCTION monitoring.raise_alert(integer, text, text, double precision, jsonb, boolean);

DROP TABLE monitoring.alerts;

DROP TABLE monitoring.alert_rules;

UPDATE public.alembic_version SET version_num='9dc2cd6c14cc' WHERE public.alembic_version.version_num = 'e31dba63dfd0';

COMMIT;
