-- 2d8c27c08283 (down): Close every tenant table with row security
-- Why:   a query that forgets its WHERE must not cross from one organization to another. Forced, so that a restore under another owner stays closed. One permissive policy per table, role and action.
-- Lock:  ACCESS EXCLUSIVE on each tenant table until commit: everybody waits, for milliseconds.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the policies and opens the tables to whoever holds rights on them.
-- After: a2d9d7ae62cc
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 2d8c27c08283 -> a2d9d7ae62cc

SET LOCAL ROLE platform_owner;

DROP POLICY owner_all ON service_platform.deployments;
DROP POLICY tenant_isolation ON service_platform.deployments;
ALTER TABLE service_platform.deployments NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.endpoints;
DROP POLICY tenant_isolation ON service_platform.endpoints;
ALTER TABLE service_platform.endpoints NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.invocations;
DROP POLICY tenant_isolation ON service_platform.invocations;
DROP POLICY ledger_insert ON service_platform.invocations;
ALTER TABLE service_platform.invocations NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.prompt_labels;
DROP POLICY tenant_isolation ON service_platform.prompt_labels;
DROP POLICY protected_insert ON service_platform.prompt_labels;
DROP POLICY protected_update ON service_platform.prompt_labels;
DROP POLICY protected_delete ON service_platform.prompt_labels;
ALTER TABLE service_platform.prompt_labels NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.prompt_versions;
DROP POLICY tenant_isolation ON service_platform.prompt_versions;
ALTER TABLE service_platform.prompt_versions
    NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.prompts;
DROP POLICY tenant_isolation ON service_platform.prompts;
ALTER TABLE service_platform.prompts NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.quotas;
DROP POLICY tenant_isolation ON service_platform.quotas;
DROP POLICY may_insert ON service_platform.quotas;
DROP POLICY may_update ON service_platform.quotas;
DROP POLICY may_delete ON service_platform.quotas;
ALTER TABLE service_platform.quotas NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.revisions;
DROP POLICY tenant_isolation ON service_platform.revisions;
ALTER TABLE service_platform.revisions NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON service_platform.services;
DROP POLICY owner_all ON service_platform.services;
DROP POLICY tenant_isolation ON service_platform.services;
ALTER TABLE service_platform.services NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON service_platform.usage_daily;
DROP POLICY tenant_isolation ON service_platform.usage_daily;
ALTER TABLE service_platform.usage_daily NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

DROP POLICY parents_visible ON monitoring.alert_rules;
DROP POLICY owner_all ON monitoring.alert_rules;
DROP POLICY tenant_select ON monitoring.alert_rules;
DROP POLICY tenant_insert ON monitoring.alert_rules;
DROP POLICY tenant_update ON monitoring.alert_rules;
DROP POLICY tenant_delete ON monitoring.alert_rules;
ALTER TABLE monitoring.alert_rules NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON monitoring.alerts;
DROP POLICY owner_all ON monitoring.alerts;
DROP POLICY tenant_select ON monitoring.alerts;
DROP POLICY tenant_insert ON monitoring.alerts;
DROP POLICY tenant_update ON monitoring.alerts;
DROP POLICY tenant_delete ON monitoring.alerts;
ALTER TABLE monitoring.alerts NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON monitoring.slos;
DROP POLICY tenant_isolation ON monitoring.slos;
ALTER TABLE monitoring.slos NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

DROP POLICY owner_all ON model_platform.evaluations;
DROP POLICY tenant_isolation ON model_platform.evaluations;
ALTER TABLE model_platform.evaluations NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON model_platform.model_aliases;
DROP POLICY tenant_isolation ON model_platform.model_aliases;
ALTER TABLE model_platform.model_aliases NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON model_platform.model_versions;
DROP POLICY owner_all ON model_platform.model_versions;
DROP POLICY tenant_isolation ON model_platform.model_versions;
ALTER TABLE model_platform.model_versions NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON model_platform.models;
DROP POLICY owner_all ON model_platform.models;
DROP POLICY tenant_isolation ON model_platform.models;
ALTER TABLE model_platform.models NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

DROP POLICY owner_all ON logs.audit_log;
DROP POLICY tenant_read ON logs.audit_log;
ALTER TABLE logs.audit_log NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

DROP POLICY parents_visible ON data_platform.chunk_embeddings;
DROP POLICY owner_all ON data_platform.chunk_embeddings;
DROP POLICY tenant_isolation ON data_platform.chunk_embeddings;
ALTER TABLE data_platform.chunk_embeddings NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.chunks;
DROP POLICY tenant_isolation ON data_platform.chunks;
ALTER TABLE data_platform.chunks NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.data_sources;
DROP POLICY tenant_isolation ON data_platform.data_sources;
ALTER TABLE data_platform.data_sources NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.dataset_versions;
DROP POLICY tenant_isolation ON data_platform.dataset_versions;
ALTER TABLE data_platform.dataset_versions NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.datasets;
DROP POLICY tenant_isolation ON data_platform.datasets;
ALTER TABLE data_platform.datasets NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.documents;
DROP POLICY tenant_isolation ON data_platform.documents;
ALTER TABLE data_platform.documents NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.embedding_models;
DROP POLICY tenant_select ON data_platform.embedding_models;
DROP POLICY tenant_insert ON data_platform.embedding_models;
DROP POLICY tenant_update ON data_platform.embedding_models;
DROP POLICY tenant_delete ON data_platform.embedding_models;
ALTER TABLE data_platform.embedding_models NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.lineage_edges;
DROP POLICY tenant_isolation ON data_platform.lineage_edges;
ALTER TABLE data_platform.lineage_edges NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.quality_checks;
DROP POLICY tenant_isolation ON data_platform.quality_checks;
ALTER TABLE data_platform.quality_checks NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON data_platform.quality_results;
DROP POLICY tenant_isolation ON data_platform.quality_results;
ALTER TABLE data_platform.quality_results NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON data_platform.text_embeddings;
DROP POLICY owner_all ON data_platform.text_embeddings;
DROP POLICY tenant_isolation ON data_platform.text_embeddings;
ALTER TABLE data_platform.text_embeddings NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON data_platform.vectorizer_queue;
DROP POLICY owner_all ON data_platform.vectorizer_queue;
DROP POLICY tenant_isolation ON data_platform.vectorizer_queue;
ALTER TABLE data_platform.vectorizer_queue NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON data_platform.vectorizers;
DROP POLICY owner_all ON data_platform.vectorizers;
DROP POLICY tenant_isolation ON data_platform.vectorizers;
ALTER TABLE data_platform.vectorizers NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

DROP POLICY parents_visible ON auth.api_keys;
DROP POLICY owner_all ON auth.api_keys;
DROP POLICY tenant_isolation ON auth.api_keys;
DROP POLICY may_insert ON auth.api_keys;
DROP POLICY may_update ON auth.api_keys;
DROP POLICY may_delete ON auth.api_keys;
ALTER TABLE auth.api_keys NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY may_give ON auth.group_members;
DROP POLICY owner_all ON auth.group_members;
DROP POLICY through_group ON auth.group_members;
DROP POLICY may_insert ON auth.group_members;
DROP POLICY may_update ON auth.group_members;
DROP POLICY may_delete ON auth.group_members;
ALTER TABLE auth.group_members NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON auth.groups;
DROP POLICY may_give ON auth.groups;
DROP POLICY owner_all ON auth.groups;
DROP POLICY tenant_select ON auth.groups;
DROP POLICY tenant_insert ON auth.groups;
DROP POLICY tenant_update ON auth.groups;
DROP POLICY tenant_delete ON auth.groups;
DROP POLICY may_insert ON auth.groups;
DROP POLICY may_update ON auth.groups;
DROP POLICY may_delete ON auth.groups;
ALTER TABLE auth.groups NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY strangers_invited ON auth.memberships;
DROP POLICY parents_visible ON auth.memberships;
DROP POLICY may_give ON auth.memberships;
DROP POLICY owner_all ON auth.memberships;
DROP POLICY tenant_isolation ON auth.memberships;
DROP POLICY may_insert ON auth.memberships;
DROP POLICY may_update ON auth.memberships;
DROP POLICY may_delete ON auth.memberships;
ALTER TABLE auth.memberships NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON auth.organizations;
DROP POLICY own_organization_select ON auth.organizations;
DROP POLICY own_organization_update ON auth.organizations;
DROP POLICY may_update ON auth.organizations;
ALTER TABLE auth.organizations NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY may_give ON auth.roles;
DROP POLICY owner_all ON auth.roles;
DROP POLICY tenant_select ON auth.roles;
DROP POLICY tenant_insert ON auth.roles;
DROP POLICY tenant_update ON auth.roles;
DROP POLICY tenant_delete ON auth.roles;
DROP POLICY may_insert ON auth.roles;
DROP POLICY may_update ON auth.roles;
DROP POLICY may_delete ON auth.roles;
ALTER TABLE auth.roles NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON auth.sessions;
DROP POLICY own_sessions ON auth.sessions;
ALTER TABLE auth.sessions NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON auth.users;
DROP POLICY same_organization_select ON auth.users;
DROP POLICY self_update ON auth.users;
ALTER TABLE auth.users NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

DROP POLICY owner_all ON algo_platform.algorithms;
DROP POLICY tenant_select ON algo_platform.algorithms;
DROP POLICY tenant_insert ON algo_platform.algorithms;
DROP POLICY tenant_update ON algo_platform.algorithms;
DROP POLICY tenant_delete ON algo_platform.algorithms;
ALTER TABLE algo_platform.algorithms NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON algo_platform.experiments;
DROP POLICY tenant_isolation ON algo_platform.experiments;
ALTER TABLE algo_platform.experiments NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON algo_platform.jobs;
DROP POLICY tenant_isolation ON algo_platform.jobs;
ALTER TABLE algo_platform.jobs NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON algo_platform.run_artifacts;
DROP POLICY tenant_isolation ON algo_platform.run_artifacts;
ALTER TABLE algo_platform.run_artifacts NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_all ON algo_platform.run_metrics;
DROP POLICY tenant_isolation ON algo_platform.run_metrics;
ALTER TABLE algo_platform.run_metrics NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY parents_visible ON algo_platform.runs;
DROP POLICY owner_all ON algo_platform.runs;
DROP POLICY tenant_isolation ON algo_platform.runs;
ALTER TABLE algo_platform.runs NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

UPDATE public.alembic_version SET version_num='a2d9d7ae62cc' WHERE public.alembic_version.version_num = '2d8c27c08283';

COMMIT;
