CREATE TRIGGER tr_revisions_version
    BEFORE INSERT ON service_platform.revisions
    FOR EACH ROW
    EXECUTE FUNCTION public.assign_version('service_platform.services', 'service_id', 'revision');

CREATE TRIGGER tr_revisions_immutable
    BEFORE UPDATE ON service_platform.revisions
    FOR EACH ROW
    EXECUTE FUNCTION public.forbid_change_except(
        'note', 'created_by');
