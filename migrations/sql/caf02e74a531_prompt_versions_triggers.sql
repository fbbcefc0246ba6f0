CREATE TRIGGER tr_prompt_versions_version
    BEFORE INSERT ON service_platform.prompt_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('service_platform.prompts', 'prompt_id');

CREATE TRIGGER tr_prompt_versions_immutable
    BEFORE UPDATE ON service_platform.prompt_versions
    FOR EACH ROW
    EXECUTE FUNCTION public.forbid_change_except(
        'commit_message', 'created_by');
