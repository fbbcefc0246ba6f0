-- requires: tables, algo_platform.schema, public.set_updated_at, auth.org_id
CREATE TRIGGER tr_runs_updated_at
    BEFORE UPDATE ON algo_platform.runs
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE algo_platform.runs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.runs
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.runs
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON algo_platform.runs AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        runs.algorithm_id IS NULL
        OR EXISTS (SELECT 1 FROM algo_platform.algorithms p WHERE p.id = runs.algorithm_id)
    );

GRANT SELECT ON algo_platform.runs TO platform_app, platform_readonly;
GRANT INSERT, UPDATE, DELETE ON algo_platform.runs TO platform_app;
