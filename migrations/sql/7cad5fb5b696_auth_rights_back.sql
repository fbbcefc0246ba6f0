REVOKE SELECT, INSERT, UPDATE, DELETE ON auth.api_keys FROM platform_app;
REVOKE SELECT (
    id, organization_id, user_id, name, key_prefix, scopes, allowed_cidrs, expires_at, revoked_at,
    last_used_at, created_at
) ON auth.api_keys FROM platform_readonly;
REVOKE SELECT ON auth.group_members FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.group_members FROM platform_app;
REVOKE SELECT ON auth.groups FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.groups FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.groups_id_seq FROM platform_app;
REVOKE SELECT ON auth.memberships FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.memberships FROM platform_app;
REVOKE SELECT ON auth.organizations FROM platform_app, platform_readonly;
REVOKE UPDATE (name, settings) ON auth.organizations FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.organizations_id_seq FROM platform_app;
REVOKE SELECT ON auth.roles FROM platform_app, platform_readonly;
REVOKE INSERT, UPDATE, DELETE ON auth.roles FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.roles_id_seq FROM platform_app;
REVOKE SELECT, INSERT, UPDATE, DELETE ON auth.sessions FROM platform_app;
REVOKE SELECT (
    id, username, email, first_name, last_name, is_active, is_superuser, date_joined, last_login,
    organization_id, sso_provider, sso_subject, email_verified_at, failed_login_count,
    locked_until, updated_at, deleted_at
) ON auth.users FROM platform_app, platform_readonly;
REVOKE UPDATE (username, email, password_hash, first_name, last_name) ON auth.users
    FROM platform_app;
REVOKE USAGE ON SEQUENCE auth.users_id_seq FROM platform_app;
