-- requires: tables, auth.schema, auth.uid
ALTER TABLE auth.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.sessions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY own_sessions ON auth.sessions
    FOR ALL TO platform_app
    USING (user_id = (SELECT auth.uid()))
    WITH CHECK (user_id = (SELECT auth.uid()));

GRANT SELECT, INSERT, UPDATE, DELETE ON auth.sessions TO platform_app;
