-- a2d9d7ae62cc (down): Keep updated_at, audit trail and events by trigger
-- Why:   no application can forget what the database does itself.
-- Lock:  SHARE ROW EXCLUSIVE on each table until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the triggers; audit rows written so far stay.
-- After: e3cb3eadbf58
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running downgrade a2d9d7ae62cc -> e3cb3eadbf58

SET LOCAL ROLE platform_owner;

DROP TRIGGER tr_model_aliases_notify ON model_platform.model_aliases;
DROP TRIGGER tr_deployments_notify ON service_platform.deployments;
DROP TRIGGER tr_endpoints_notify ON service_platform.endpoints;
DROP TRIGGER tr_prompt_labels_notify ON service_platform.prompt_labels;

DROP TRIGGER tr_algorithms_audit ON algo_platform.algorithms;
DROP TRIGGER tr_api_keys_audit ON auth.api_keys;
DROP TRIGGER tr_group_members_audit ON auth.group_members;
DROP TRIGGER tr_groups_audit ON auth.groups;
DROP TRIGGER tr_memberships_audit ON auth.memberships;
DROP TRIGGER tr_organizations_audit ON auth.organizations;
DROP TRIGGER tr_roles_audit ON auth.roles;
DROP TRIGGER tr_users_audit ON auth.users;
DROP TRIGGER tr_data_sources_audit ON data_platform.data_sources;
DROP TRIGGER tr_dataset_versions_audit ON data_platform.dataset_versions;
DROP TRIGGER tr_datasets_audit ON data_platform.datasets;
DROP TRIGGER tr_embedding_models_audit ON data_platform.embedding_models;
DROP TRIGGER tr_quality_checks_audit ON data_platform.quality_checks;
DROP TRIGGER tr_vectorizers_audit ON data_platform.vectorizers;
DROP TRIGGER tr_model_aliases_audit ON model_platform.model_aliases;
DROP TRIGGER tr_model_versions_audit ON model_platform.model_versions;
DROP TRIGGER tr_models_audit ON model_platform.models;
DROP TRIGGER tr_alert_rules_audit ON monitoring.alert_rules;
DROP TRIGGER tr_partition_policies_audit ON monitoring.partition_policies;
DROP TRIGGER tr_slos_audit ON monitoring.slos;
DROP TRIGGER tr_deployments_audit ON service_platform.deployments;
DROP TRIGGER tr_endpoints_audit ON service_platform.endpoints;
DROP TRIGGER tr_prompt_labels_audit ON service_platform.prompt_labels;
DROP TRIGGER tr_quotas_audit ON service_platform.quotas;
DROP TRIGGER tr_revisions_audit ON service_platform.revisions;
DROP TRIGGER tr_services_audit ON service_platform.services;

DROP TRIGGER tr_algorithms_updated_at ON algo_platform.algorithms;
DROP TRIGGER tr_experiments_updated_at ON algo_platform.experiments;
DROP TRIGGER tr_runs_updated_at ON algo_platform.runs;
DROP TRIGGER tr_groups_updated_at ON auth.groups;
DROP TRIGGER tr_memberships_updated_at ON auth.memberships;
DROP TRIGGER tr_organizations_updated_at ON auth.organizations;
DROP TRIGGER tr_roles_updated_at ON auth.roles;
DROP TRIGGER tr_users_updated_at ON auth.users;
DROP TRIGGER tr_data_sources_updated_at ON data_platform.data_sources;
DROP TRIGGER tr_dataset_versions_updated_at ON data_platform.dataset_versions;
DROP TRIGGER tr_datasets_updated_at ON data_platform.datasets;
DROP TRIGGER tr_documents_updated_at ON data_platform.documents;
DROP TRIGGER tr_embedding_models_updated_at ON data_platform.embedding_models;
DROP TRIGGER tr_quality_checks_updated_at ON data_platform.quality_checks;
DROP TRIGGER tr_text_embeddings_updated_at ON data_platform.text_embeddings;
DROP TRIGGER tr_vectorizers_updated_at ON data_platform.vectorizers;
DROP TRIGGER tr_model_aliases_updated_at ON model_platform.model_aliases;
DROP TRIGGER tr_model_versions_updated_at ON model_platform.model_versions;
DROP TRIGGER tr_models_updated_at ON model_platform.models;
DROP TRIGGER tr_alert_rules_updated_at ON monitoring.alert_rules;
DROP TRIGGER tr_partition_policies_updated_at ON monitoring.partition_policies;
DROP TRIGGER tr_slos_updated_at ON monitoring.slos;
DROP TRIGGER tr_deployments_updated_at ON service_platform.deployments;
DROP TRIGGER tr_endpoints_updated_at ON service_platform.endpoints;
DROP TRIGGER tr_prompt_labels_updated_at ON service_platform.prompt_labels;
DROP TRIGGER tr_prompts_updated_at ON service_platform.prompts;
DROP TRIGGER tr_quotas_updated_at ON service_platform.quotas;
DROP TRIGGER tr_services_updated_at ON service_platform.services;

UPDATE public.alembic_version SET version_num='e3cb3eadbf58' WHERE public.alembic_version.version_num = 'a2d9d7ae62cc';

COMMIT;
