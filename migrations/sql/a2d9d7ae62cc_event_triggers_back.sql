DROP TRIGGER tr_model_aliases_notify ON model_platform.model_aliases;
DROP TRIGGER tr_deployments_notify ON service_platform.deployments;
DROP TRIGGER tr_endpoints_notify ON service_platform.endpoints;
DROP TRIGGER tr_prompt_labels_notify ON service_platform.prompt_labels;
