CREATE SCHEMA auth AUTHORIZATION platform_owner;

COMMENT ON SCHEMA auth IS
    'Organizations, people, roles, keys, sessions and the session-context helpers used by row '
    'security';
GRANT USAGE ON SCHEMA auth TO platform_app, platform_readonly;
