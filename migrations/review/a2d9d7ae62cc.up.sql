-- a2d9d7ae62cc (up): Keep updated_at, audit trail and events by trigger
-- Why:   no application can forget what the database does itself.
-- Lock:  SHARE ROW EXCLUSIVE on each table until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the triggers; audit rows written so far stay.
-- After: e3cb3eadbf58
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade e3cb3eadbf58 -> a2d9d7ae62cc

SET LOCAL ROLE platform_owner;

-- updated_at moves when a row really changed, whoever writes it.
CREATE TRIGGER tr_algorithms_updated_at
    BEFORE UPDATE ON algo_platform.algorithms
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_experiments_updated_at
    BEFORE UPDATE ON algo_platform.experiments
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_runs_updated_at
    BEFORE UPDATE ON algo_platform.runs
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_groups_updated_at
    BEFORE UPDATE ON auth.groups
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_memberships_updated_at
    BEFORE UPDATE ON auth.memberships
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_organizations_updated_at
    BEFORE UPDATE ON auth.organizations
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_roles_updated_at
    BEFORE UPDATE ON auth.roles
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_users_updated_at
    BEFORE UPDATE ON auth.users
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_data_sources_updated_at
    BEFORE UPDATE ON data_platform.data_sources
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_dataset_versions_updated_at
    BEFORE UPDATE ON data_platform.dataset_versions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_datasets_updated_at
    BEFORE UPDATE ON data_platform.datasets
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_documents_updated_at
    BEFORE UPDATE ON data_platform.documents
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_embedding_models_updated_at
    BEFORE UPDATE ON data_platform.embedding_models
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_quality_checks_updated_at
    BEFORE UPDATE ON data_platform.quality_checks
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_text_embeddings_updated_at
    BEFORE UPDATE ON data_platform.text_embeddings
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_vectorizers_updated_at
    BEFORE UPDATE ON data_platform.vectorizers
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_model_aliases_updated_at
    BEFORE UPDATE ON model_platform.model_aliases
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_model_versions_updated_at
    BEFORE UPDATE ON model_platform.model_versions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_models_updated_at
    BEFORE UPDATE ON model_platform.models
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_alert_rules_updated_at
    BEFORE UPDATE ON monitoring.alert_rules
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_partition_policies_updated_at
    BEFORE UPDATE ON monitoring.partition_policies
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_slos_updated_at
    BEFORE UPDATE ON monitoring.slos
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_deployments_updated_at
    BEFORE UPDATE ON service_platform.deployments
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_endpoints_updated_at
    BEFORE UPDATE ON service_platform.endpoints
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_prompt_labels_updated_at
    BEFORE UPDATE ON service_platform.prompt_labels
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_prompts_updated_at
    BEFORE UPDATE ON service_platform.prompts
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

-- the counter moves on every call and must not touch updated_at
CREATE TRIGGER tr_quotas_updated_at
    BEFORE UPDATE OF limit_value, soft_value, is_enforced ON service_platform.quotas
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_services_updated_at
    BEFORE UPDATE ON service_platform.services
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

-- who changed what; arguments name the key where it is not id.
CREATE TRIGGER tr_algorithms_audit
    AFTER INSERT OR UPDATE OR DELETE ON algo_platform.algorithms
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_api_keys_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.api_keys
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_group_members_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.group_members
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('group_id', 'user_id');

CREATE TRIGGER tr_groups_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.groups
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_memberships_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.memberships
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('organization_id', 'user_id');

CREATE TRIGGER tr_organizations_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.organizations
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_roles_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.roles
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_users_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.users
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_data_sources_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.data_sources
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_dataset_versions_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.dataset_versions
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_datasets_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.datasets
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_embedding_models_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.embedding_models
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_quality_checks_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.quality_checks
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_vectorizers_audit
    AFTER INSERT OR UPDATE OR DELETE ON data_platform.vectorizers
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_model_aliases_audit
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.model_aliases
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('model_id', 'alias');

CREATE TRIGGER tr_model_versions_audit
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.model_versions
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_models_audit
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.models
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_alert_rules_audit
    AFTER INSERT OR UPDATE OR DELETE ON monitoring.alert_rules
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_partition_policies_audit
    AFTER INSERT OR UPDATE OR DELETE ON monitoring.partition_policies
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('parent_table');

CREATE TRIGGER tr_slos_audit
    AFTER INSERT OR UPDATE OR DELETE ON monitoring.slos
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_deployments_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.deployments
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_endpoints_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.endpoints
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_prompt_labels_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.prompt_labels
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('prompt_id', 'label');

CREATE TRIGGER tr_quotas_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.quotas
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_revisions_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.revisions
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

CREATE TRIGGER tr_services_audit
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.services
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

-- opt-in: tables whose changes a running service must hear of.
CREATE TRIGGER tr_model_aliases_notify
    AFTER INSERT OR UPDATE OR DELETE ON model_platform.model_aliases
    FOR EACH ROW EXECUTE FUNCTION public.pb_notify_event('model_id', 'alias');

CREATE TRIGGER tr_deployments_notify
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.deployments
    FOR EACH ROW EXECUTE FUNCTION public.pb_notify_event();

CREATE TRIGGER tr_endpoints_notify
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.endpoints
    FOR EACH ROW EXECUTE FUNCTION public.pb_notify_event();

CREATE TRIGGER tr_prompt_labels_notify
    AFTER INSERT OR UPDATE OR DELETE ON service_platform.prompt_labels
    FOR EACH ROW EXECUTE FUNCTION public.pb_notify_event('prompt_id', 'label');

UPDATE public.alembic_version SET version_num='a2d9d7ae62cc' WHERE public.alembic_version.version_num = 'e3cb3eadbf58';

COMMIT;
