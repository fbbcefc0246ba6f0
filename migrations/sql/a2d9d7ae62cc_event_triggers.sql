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
