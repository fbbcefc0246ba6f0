-- a9a87f004b11 (down): Add objectives, alert rules and alerts
-- Why:   somebody has to hear when a promise is about to be broken, once per subject.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations, auth.users and service_platform.services until commit, for the foreign keys: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the function and the tables. Its rows are lost; restore them from a backup.
-- After: fb447a73537b
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade a9a87f004b11 -> fb447a73537b

SET LOCAL ROLE platform_owner;

DROP FUNCTION monitoring.raise_alert(integer, text, text, double precision, jsonb, boolean);

DROP TABLE monitoring.alerts;

DROP TABLE monitoring.alert_rules;

DROP TABLE monitoring.slos;

UPDATE public.alembic_version SET version_num='fb447a73537b' WHERE public.alembic_version.version_num = 'a9a87f004b11';

COMMIT;
