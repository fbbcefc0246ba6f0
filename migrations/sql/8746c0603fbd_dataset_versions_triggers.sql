CREATE TRIGGER tr_dataset_versions_version
    BEFORE INSERT ON data_platform.dataset_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('data_platform.datasets', 'dataset_id');

-- what was published never changes again
CREATE TRIGGER tr_dataset_versions_immutable
    BEFORE UPDATE ON data_platform.dataset_versions
    FOR EACH ROW WHEN (OLD.status IN ('published', 'deprecated'))
    EXECUTE FUNCTION public.forbid_change_except(
        'status', 'note', 'statistics', 'updated_at');

-- nor does it become a draft, which could be changed and published again
CREATE TRIGGER tr_dataset_versions_published
    BEFORE UPDATE ON data_platform.dataset_versions
    FOR EACH ROW WHEN (OLD.status IN ('published', 'deprecated')
                       AND NEW.status NOT IN ('published', 'deprecated'))
    EXECUTE FUNCTION public.forbid_change_except(
        'note', 'statistics', 'updated_at');
