GRANT SELECT, INSERT, UPDATE, DELETE ON auth.api_keys TO platform_app;
-- key_hash is left out
GRANT SELECT (
    id, organization_id, user_id, name, key_prefix, scopes, allowed_cidrs, expires_at, revoked_at,
    last_used_at, created_at
) ON auth.api_keys TO platform_readonly;

GRANT SELECT ON auth.group_members TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.group_members TO platform_app;

GRANT SELECT ON auth.groups TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.groups TO platform_app;
GRANT USAGE ON SEQUENCE auth.groups_id_seq TO platform_app;

GRANT SELECT ON auth.memberships TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.memberships TO platform_app;

GRANT SELECT ON auth.organizations TO platform_app, platform_readonly;
GRANT UPDATE (name, settings) ON auth.organizations TO platform_app;
GRANT USAGE ON SEQUENCE auth.organizations_id_seq TO platform_app;

GRANT SELECT ON auth.roles TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON auth.roles TO platform_app;
GRANT USAGE ON SEQUENCE auth.roles_id_seq TO platform_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON auth.sessions TO platform_app;

-- password_hash is left out: auth.find_login() is the only way to read one
GRANT SELECT (
    id, username, email, first_name, last_name, is_active, is_superuser, date_joined, last_login,
    organization_id, sso_provider, sso_subject, email_verified_at, failed_login_count,
    locked_until, updated_at, deleted_at
) ON auth.users TO platform_app, platform_readonly;
GRANT UPDATE (username, email, password_hash, first_name, last_name) ON auth.users TO platform_app;
GRANT USAGE ON SEQUENCE auth.users_id_seq TO platform_app;
