-- requires: tables, auth.schema, public.set_updated_at, logs.audit_row_change, auth.org_id, auth.uid
CREATE TRIGGER tr_users_updated_at
    BEFORE UPDATE ON auth.users
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_users_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.users
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.users
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY same_organization_select ON auth.users
    FOR SELECT TO platform_app, platform_readonly
    USING (
        id = (SELECT auth.uid())
        OR organization_id = (SELECT auth.org_id())
        OR id IN (SELECT m.user_id FROM auth.memberships m
                   WHERE m.organization_id = (SELECT auth.org_id())
                     AND m.status <> 'invited')
    );

CREATE POLICY self_update ON auth.users
    FOR UPDATE TO platform_app
    USING (id = (SELECT auth.uid()))
    WITH CHECK (id = (SELECT auth.uid()));

-- password_hash is left out: auth.find_login() is the only way to read one
GRANT SELECT (
    id, username, email, first_name, last_name, is_active, is_superuser, date_joined, last_login,
    organization_id, sso_provider, sso_subject, email_verified_at, failed_login_count,
    locked_until, updated_at, deleted_at
) ON auth.users TO platform_app, platform_readonly;
GRANT UPDATE (username, email, password_hash, first_name, last_name) ON auth.users TO platform_app;
GRANT USAGE ON SEQUENCE auth.users_id_seq TO platform_app;
