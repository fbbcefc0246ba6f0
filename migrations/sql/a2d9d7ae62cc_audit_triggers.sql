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
