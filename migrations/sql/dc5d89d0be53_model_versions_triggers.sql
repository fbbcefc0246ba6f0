CREATE TRIGGER tr_model_versions_version
    BEFORE INSERT ON model_platform.model_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('model_platform.models', 'model_id');

-- a version that is ready keeps its bytes and lineage
CREATE TRIGGER tr_model_versions_immutable
    BEFORE UPDATE ON model_platform.model_versions
    FOR EACH ROW WHEN (OLD.status = 'ready')
    EXECUTE FUNCTION public.forbid_change_except(
        'stage', 'status_message', 'license', 'model_card', 'tags', 'updated_at');
