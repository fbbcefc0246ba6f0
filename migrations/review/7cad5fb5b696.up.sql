-- 7cad5fb5b696 (up): Grant each role the least it needs
-- Why:   rights come last: until here nobody but the owner reaches a table. On parents only, a partition never gets a grant.
-- Lock:  none that blocks readers or writers.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  revokes the rights.
-- After: 2d8c27c08283
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade 2d8c27c08283 -> 7cad5fb5b696

SET LOCAL ROLE platform_owner;

GRANT SELECT ON algo_platform.algorithms TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.algorithms TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.algorithms_id_seq TO platform_app;

GRANT SELECT ON algo_platform.experiments TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.experiments TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.experiments_id_seq TO platform_app;

GRANT SELECT ON algo_platform.jobs TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.jobs TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.jobs_id_seq TO platform_app;

GRANT SELECT ON algo_platform.run_artifacts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.run_artifacts TO platform_app;
GRANT USAGE ON SEQUENCE algo_platform.run_artifacts_id_seq TO platform_app;

GRANT SELECT ON algo_platform.run_metrics TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.run_metrics TO platform_app;

GRANT SELECT ON algo_platform.runs TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.runs TO platform_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON auth.api_keys TO platform_app;
-- key_hash is left out
GRANT SELECT (
    id, organization_id, user_id, name, key_prefix, scopes, allowed_cidrs, expires_at, revoked_at,
    last_used_at, created_at
) ON auth.api_keys TO platform_readonly;

GRANT SELECT ON auth.group_members TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.group_members TO platform_app;

GRANT SELECT ON auth.groups TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.groups TO platform_app;
GRANT USAGE ON SEQUENCE auth.groups_id_seq TO platform_app;

GRANT SELECT ON auth.memberships TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.memberships TO platform_app;

GRANT SELECT ON auth.organizations TO platform_app, platform_readonly;
GRANT UPDATE (name, settings) ON auth.organizations TO platform_app;
GRANT USAGE ON SEQUENCE auth.organizations_id_seq TO platform_app;

GRANT SELECT ON auth.roles TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.roles TO platform_app;
GRANT USAGE ON SEQUENCE auth.roles_id_seq TO platform_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON auth.sessions TO platform_app;

-- password_hash is left out: auth.find_login() is the only way to read one
GRANT SELECT (
    id, username, email, first_name, last_name, is_active, is_superuser, date_joined, last_login,
    organization_id, sso_provider, sso_subject, email_verified_at, failed_login_count,
    locked_until, updated_at, deleted_at
) ON auth.users TO platform_app, platform_readonly;
GRANT UPDATE (username, email, password_hash, first_name, last_name) ON auth.users TO platform_app;
GRANT USAGE ON SEQUENCE auth.users_id_seq TO platform_app;

GRANT SELECT ON data_platform.chunk_embeddings TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.chunk_embeddings TO platform_app;

GRANT SELECT ON data_platform.chunks TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.chunks TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.chunks_id_seq TO platform_app;

GRANT SELECT ON data_platform.data_sources TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.data_sources TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.data_sources_id_seq TO platform_app;

GRANT SELECT ON data_platform.dataset_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.dataset_versions TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.dataset_versions_id_seq TO platform_app;

GRANT SELECT ON data_platform.datasets TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.datasets TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.datasets_id_seq TO platform_app;

GRANT SELECT ON data_platform.documents TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.documents TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.documents_id_seq TO platform_app;

GRANT SELECT ON data_platform.embedding_models TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.embedding_models TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.embedding_models_id_seq TO platform_app;

GRANT SELECT ON data_platform.lineage_edges TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.lineage_edges TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.lineage_edges_id_seq TO platform_app;

GRANT SELECT ON data_platform.quality_checks TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.quality_checks TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.quality_checks_id_seq TO platform_app;

GRANT SELECT ON data_platform.quality_results TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.quality_results TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.quality_results_id_seq TO platform_app;

GRANT SELECT ON data_platform.text_embeddings TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.text_embeddings TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.text_embeddings_id_seq TO platform_app;

GRANT SELECT ON data_platform.vectorizer_queue TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.vectorizer_queue TO platform_app;

GRANT SELECT ON data_platform.vectorizers TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON data_platform.vectorizers TO platform_app;
GRANT USAGE ON SEQUENCE data_platform.vectorizers_id_seq TO platform_app;

GRANT SELECT ON logs.audit_log TO platform_app, platform_readonly;

GRANT SELECT ON model_platform.evaluations TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.evaluations TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.evaluations_id_seq TO platform_app;

GRANT SELECT ON model_platform.model_aliases TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.model_aliases TO platform_app;

GRANT SELECT ON model_platform.model_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.model_versions TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.model_versions_id_seq TO platform_app;

GRANT SELECT ON model_platform.models TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON model_platform.models TO platform_app;
GRANT USAGE ON SEQUENCE model_platform.models_id_seq TO platform_app;

GRANT SELECT ON monitoring.alert_rules TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.alert_rules TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.alert_rules_id_seq TO platform_app;

GRANT SELECT ON monitoring.alerts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.alerts TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.alerts_id_seq TO platform_app;

GRANT SELECT ON monitoring.daily_stats_archive TO platform_app, platform_readonly;

GRANT SELECT ON monitoring.metrics TO platform_app, platform_readonly;
GRANT INSERT ON monitoring.metrics TO platform_app, platform_log_writer;

GRANT SELECT ON monitoring.nodes TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.nodes TO platform_app;

GRANT SELECT ON monitoring.partition_policies TO platform_app, platform_readonly;

GRANT SELECT ON monitoring.slos TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON monitoring.slos TO platform_app;
GRANT USAGE ON SEQUENCE monitoring.slos_id_seq TO platform_app;

-- no row security here: plain COPY
GRANT SELECT ON public.request_logs TO platform_readonly;
GRANT INSERT ON public.request_logs TO platform_log_writer;

GRANT SELECT ON service_platform.deployments TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.deployments TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.deployments_id_seq TO platform_app;

GRANT SELECT ON service_platform.endpoints TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.endpoints TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.endpoints_id_seq TO platform_app;

GRANT SELECT ON service_platform.invocations TO platform_app, platform_readonly;
GRANT INSERT ON service_platform.invocations TO platform_app, platform_log_writer;

GRANT SELECT ON service_platform.prompt_labels TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompt_labels TO platform_app;

GRANT SELECT ON service_platform.prompt_versions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompt_versions TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.prompt_versions_id_seq TO platform_app;

GRANT SELECT ON service_platform.prompts TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.prompts TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.prompts_id_seq TO platform_app;

GRANT SELECT ON service_platform.quotas TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.quotas TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.quotas_id_seq TO platform_app;

GRANT SELECT ON service_platform.revisions TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.revisions TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.revisions_id_seq TO platform_app;

GRANT SELECT ON service_platform.services TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON service_platform.services TO platform_app;
GRANT USAGE ON SEQUENCE service_platform.services_id_seq TO platform_app;

GRANT SELECT ON service_platform.usage_daily TO platform_app, platform_readonly;
GRANT USAGE ON SEQUENCE service_platform.usage_daily_id_seq TO platform_app;

UPDATE public.alembic_version SET version_num='7cad5fb5b696' WHERE public.alembic_version.version_num = '2d8c27c08283';

COMMIT;
