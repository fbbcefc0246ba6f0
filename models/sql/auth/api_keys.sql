-- requires: tables, auth.schema, logs.audit_row_change, auth.has_permission, auth.org_id
CREATE TRIGGER tr_api_keys_audit
    AFTER INSERT OR UPDATE OR DELETE ON auth.api_keys
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change();

ALTER TABLE auth.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.api_keys
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON auth.api_keys
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.api_keys AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.api_keys:write')));

CREATE POLICY may_update ON auth.api_keys AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.api_keys:write')));

CREATE POLICY may_delete ON auth.api_keys AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.api_keys:write')));

-- whoever is named must belong to the organization; the key of one who left can be revoked
CREATE POLICY parents_visible ON auth.api_keys AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        api_keys.revoked_at IS NOT NULL OR api_keys.user_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.users p WHERE p.id = api_keys.user_id)
    );

GRANT SELECT, INSERT, UPDATE, DELETE ON auth.api_keys TO platform_app;
-- key_hash is left out
GRANT SELECT (
    id, organization_id, user_id, name, key_prefix, scopes, allowed_cidrs, expires_at, revoked_at,
    last_used_at, created_at
) ON auth.api_keys TO platform_readonly;
