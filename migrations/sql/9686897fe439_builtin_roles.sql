-- Roles of no organization, which every organization may give to its members.
INSERT INTO auth.roles (organization_id, name, description, permissions) VALUES
    (NULL, 'owner', 'Everything in the organization', ARRAY['*:*']),
    (NULL, 'admin', 'Everything except billing and deletion',
     ARRAY['auth.*:*', 'data_platform.*:*', 'algo_platform.*:*', 'model_platform.*:*',
           'service_platform.*:*', 'monitoring.*:read']),
    (NULL, 'developer', 'Builds datasets, runs, models, services',
     ARRAY['data_platform.*:*', 'algo_platform.*:*', 'model_platform.*:*',
           'service_platform.*:read', 'service_platform.deployments:write']),
    (NULL, 'viewer', 'Reads', ARRAY['*:read'])
ON CONFLICT (organization_id, name) DO NOTHING;   -- the way back leaves those in use
