-- 7cad5fb5b696 (down): Grant each role the least it needs
-- Why:   rights come last: until here nobody but the owner reaches a table. On parents only, a partition never gets a grant.
-- Lock:  none that blocks readers or writers.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  revokes the rights.
-- After: 2d8c27c08283
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade 7cad5fb5b696 -> 2d8c27c08283

SET LOCAL ROLE platform_owner;

REVOKE SELECT ON service_platform.deployments FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.deployments FROM platform_app;
REVOKE USAGE ON SEQUENCE service_platform.deployments_id_seq FROM platform_app;
REVOKE SELECT ON service_platform.endpoints FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.endpoints FROM platform_app;
REVOKE USAGE ON SEQUENCE service_platform.endpoints_id_seq FROM platform_app;
REVOKE SELECT ON service_platform.invocations FROM platform_app, platform_readonly;
REVOKE INSERT ON service_platform.invocations FROM platform_app, platform_log_writer;
REVOKE SELECT ON service_platform.prompt_labels FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.prompt_labels FROM platform_app;
REVOKE SELECT ON service_platform.prompt_versions FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.prompt_versions FROM platform_app;
REVOKE USAGE ON SEQUENCE service_platform.prompt_versions_id_seq FROM platform_app;
REVOKE SELECT ON service_platform.prompts FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.prompts FROM platform_app;
REVOKE USAGE ON SEQUENCE service_platform.prompts_id_seq FROM platform_app;
REVOKE SELECT ON service_platform.quotas FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.quotas FROM platform_app;
REVOKE USAGE ON SEQUENCE service_platform.quotas_id_seq FROM platform_app;
REVOKE SELECT ON service_platform.revisions FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.revisions FROM platform_app;
REVOKE USAGE ON SEQUENCE service_platform.revisions_id_seq FROM platform_app;
REVOKE SELECT ON service_platform.services FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON service_platform.services FROM platform_app;
REVOKE USAGE ON SEQUENCE service_platform.services_id_seq FROM platform_app;
REVOKE SELECT ON service_platform.usage_daily FROM platform_app, platform_readonly;
REVOKE USAGE ON SEQUENCE service_platform.usage_daily_id_seq FROM platform_app;

REVOKE SELECT ON public.request_logs FROM platform_readonly;
REVOKE INSERT ON public.request_logs FROM platform_log_writer;

REVOKE SELECT ON monitoring.alert_rules FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON monitoring.alert_rules FROM platform_app;
REVOKE USAGE ON SEQUENCE monitoring.alert_rules_id_seq FROM platform_app;
REVOKE SELECT ON monitoring.alerts FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON monitoring.alerts FROM platform_app;
REVOKE USAGE ON SEQUENCE monitoring.alerts_id_seq FROM platform_app;
REVOKE SELECT ON monitoring.daily_stats_archive FROM platform_app, platform_readonly;
REVOKE SELECT ON monitoring.metrics FROM platform_app, platform_readonly;
REVOKE INSERT ON monitoring.metrics FROM platform_app, platform_log_writer;
REVOKE SELECT ON monitoring.nodes FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON monitoring.nodes FROM platform_app;
REVOKE SELECT ON monitoring.partition_policies FROM platform_app, platform_readonly;
REVOKE SELECT ON monitoring.slos FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON monitoring.slos FROM platform_app;
REVOKE USAGE ON SEQUENCE monitoring.slos_id_seq FROM platform_app;

REVOKE SELECT ON model_platform.evaluations FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON model_platform.evaluations FROM platform_app;
REVOKE USAGE ON SEQUENCE model_platform.evaluations_id_seq FROM platform_app;
REVOKE SELECT ON model_platform.model_aliases FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON model_platform.model_aliases FROM platform_app;
REVOKE SELECT ON model_platform.model_versions FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON model_platform.model_versions FROM platform_app;
REVOKE USAGE ON SEQUENCE model_platform.model_versions_id_seq FROM platform_app;
REVOKE SELECT ON model_platform.models FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON model_platform.models FROM platform_app;
REVOKE USAGE ON SEQUENCE model_platform.models_id_seq FROM platform_app;

REVOKE SELECT ON logs.audit_log FROM platform_app, platform_readonly;

REVOKE SELECT ON data_platform.chunk_embeddings FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.chunk_embeddings FROM platform_app;
REVOKE SELECT ON data_platform.chunks FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.chunks FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.chunks_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.data_sources FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.data_sources FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.data_sources_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.dataset_versions FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.dataset_versions FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.dataset_versions_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.datasets FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.datasets FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.datasets_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.documents FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.documents FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.documents_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.embedding_models FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.embedding_models FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.embedding_models_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.lineage_edges FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.lineage_edges FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.lineage_edges_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.quality_checks FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.quality_checks FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.quality_checks_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.quality_results FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.quality_results FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.quality_results_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.text_embeddings FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.text_embeddings FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.text_embeddings_id_seq FROM platform_app;
REVOKE SELECT ON data_platform.vectorizer_queue FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.vectorizer_queue FROM platform_app;
REVOKE SELECT ON data_platform.vectorizers FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON data_platform.vectorizers FROM platform_app;
REVOKE USAGE ON SEQUENCE data_platform.vectorizers_id_seq FROM platform_app;

REVOKE SELECT, INSERT, UPDATE, DELETE ON auth.api_keys FROM platform_app;
REVOKE SELECT (
    id, organization_id, user_id, name, key_prefix, scopes, allowed_cidrs, expires_at, revoked_at,
    last_used_at, created_at
) ON auth.api_keys FROM platform_readonly;
REVOKE SELECT ON auth.group_members FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.group_members FROM platform_app;
REVOKE SELECT ON auth.groups FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.groups FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.groups_id_seq FROM platform_app;
REVOKE SELECT ON auth.memberships FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.memberships FROM platform_app;
REVOKE SELECT ON auth.organizations FROM platform_app, platform_readonly;
REVOKE UPDATE (name, settings) ON auth.organizations FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.organizations_id_seq FROM platform_app;
REVOKE SELECT ON auth.roles FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.roles FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.roles_id_seq FROM platform_app;
REVOKE SELECT, INSERT, UPDATE, DELETE ON auth.sessions FROM platform_app;
REVOKE SELECT (
    id, username, email, first_name, last_name, is_active, is_superuser, date_joined, last_login,
    organization_id, sso_provider, sso_subject, email_verified_at, failed_login_count,
    locked_until, updated_at, deleted_at
) ON auth.users FROM platform_app, platform_readonly;
REVOKE UPDATE (username, email, password_hash, first_name, last_name) ON auth.users
    FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.users_id_seq FROM platform_app;

REVOKE SELECT ON algo_platform.algorithms FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON algo_platform.algorithms FROM platform_app;
REVOKE USAGE ON SEQUENCE algo_platform.algorithms_id_seq FROM platform_app;
REVOKE SELECT ON algo_platform.experiments FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON algo_platform.experiments FROM platform_app;
REVOKE USAGE ON SEQUENCE algo_platform.experiments_id_seq FROM platform_app;
REVOKE SELECT ON algo_platform.jobs FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON algo_platform.jobs FROM platform_app;
REVOKE USAGE ON SEQUENCE algo_platform.jobs_id_seq FROM platform_app;
REVOKE SELECT ON algo_platform.run_artifacts FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON algo_platform.run_artifacts FROM platform_app;
REVOKE USAGE ON SEQUENCE algo_platform.run_artifacts_id_seq FROM platform_app;
REVOKE SELECT ON algo_platform.run_metrics FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON algo_platform.run_metrics FROM platform_app;
REVOKE SELECT ON algo_platform.runs FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON algo_platform.runs FROM platform_app;

UPDATE public.alembic_version SET version_num='2d8c27c08283' WHERE public.alembic_version.version_num = '7cad5fb5b696';

COMMIT;
