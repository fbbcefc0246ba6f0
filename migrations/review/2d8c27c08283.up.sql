-- 2d8c27c08283 (up): Close every tenant table with row security
-- Why:   a query that forgets its WHERE must not cross from one organization to another. Forced, so that a restore under another owner stays closed. One permissive policy per table, role and action.
-- Lock:  ACCESS EXCLUSIVE on each tenant table until commit: everybody waits, for milliseconds.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the policies and opens the tables to whoever holds rights on them.
-- After: a2d9d7ae62cc
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade a2d9d7ae62cc -> 2d8c27c08283

SET LOCAL ROLE platform_owner;

ALTER TABLE algo_platform.algorithms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.algorithms
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON algo_platform.algorithms
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON algo_platform.algorithms
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON algo_platform.algorithms
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON algo_platform.algorithms
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.experiments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.experiments
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.experiments
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.jobs
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.jobs
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.run_artifacts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.run_artifacts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.run_artifacts
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE algo_platform.run_metrics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON algo_platform.run_metrics
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON algo_platform.run_metrics
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

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

ALTER TABLE auth.group_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.group_members
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY through_group ON auth.group_members
    FOR ALL TO platform_app, platform_readonly
    USING (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
    )
    WITH CHECK (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
    );

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.group_members AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
        AND (SELECT auth.has_permission('auth.groups:write'))
    );

CREATE POLICY may_update ON auth.group_members AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
        AND (SELECT auth.has_permission('auth.groups:write'))
    );

CREATE POLICY may_delete ON auth.group_members AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (
        group_id IN (SELECT g.id FROM auth.groups g
                      WHERE g.organization_id = (SELECT auth.org_id()))
        AND (SELECT auth.has_permission('auth.groups:write'))
    );

-- whoever joins a group gets its role, so the giver must hold it
CREATE POLICY may_give ON auth.group_members AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM auth.groups p LEFT JOIN auth.roles r ON r.id = p.role_id
                 WHERE p.id = group_members.group_id
                   AND (p.role_id IS NULL OR auth.holds_all(r.permissions)))
    );

ALTER TABLE auth.groups ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.groups
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON auth.groups
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON auth.groups
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON auth.groups
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON auth.groups
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.groups AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.groups:write')));

CREATE POLICY may_update ON auth.groups AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.groups:write')));

CREATE POLICY may_delete ON auth.groups AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.groups:write')));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON auth.groups AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        groups.role_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.roles p WHERE p.id = groups.role_id)
    );

-- a group gives no more than the giver holds
CREATE POLICY may_give ON auth.groups AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        groups.role_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.roles p
                    WHERE p.id = groups.role_id AND auth.holds_all(p.permissions))
    );

ALTER TABLE auth.memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.memberships
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON auth.memberships
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.memberships AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.memberships:write')));

CREATE POLICY may_update ON auth.memberships AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.memberships:write')));

CREATE POLICY may_delete ON auth.memberships AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.memberships:write')));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON auth.memberships AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM auth.roles p WHERE p.id = memberships.role_id)
    );

-- a seat shows the user: strangers are invited and take it by auth.accept_invitation()
CREATE POLICY strangers_invited ON auth.memberships AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        memberships.status = 'invited' OR auth.is_colleague(memberships.user_id)
    );

-- a seat gives no more than the giver holds; one above the own can be suspended
CREATE POLICY may_give ON auth.memberships AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        memberships.status = 'suspended'
        OR EXISTS (SELECT 1 FROM auth.roles p
                    WHERE p.id = memberships.role_id AND auth.holds_all(p.permissions))
    );

ALTER TABLE auth.organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.organizations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY own_organization_select ON auth.organizations
    FOR SELECT TO platform_app, platform_readonly
    USING (id = (SELECT auth.org_id()));

CREATE POLICY own_organization_update ON auth.organizations
    FOR UPDATE TO platform_app
    USING (id = (SELECT auth.org_id()))
    WITH CHECK (id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_update ON auth.organizations AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.organizations:write')));

ALTER TABLE auth.roles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.roles
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON auth.roles
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON auth.roles
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON auth.roles
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON auth.roles
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON auth.roles AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('auth.roles:write')));

CREATE POLICY may_update ON auth.roles AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.roles:write')));

CREATE POLICY may_delete ON auth.roles AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('auth.roles:write')));

-- a role is written by who holds what it gives
CREATE POLICY may_give ON auth.roles AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (auth.holds_all(permissions));

ALTER TABLE auth.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON auth.sessions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY own_sessions ON auth.sessions
    FOR ALL TO platform_app
    USING (user_id = (SELECT auth.uid()))
    WITH CHECK (user_id = (SELECT auth.uid()));

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

ALTER TABLE data_platform.chunk_embeddings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.chunk_embeddings
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.chunk_embeddings
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.chunk_embeddings AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.embedding_models p
                 WHERE p.id = chunk_embeddings.embedding_model_id)
        AND EXISTS (SELECT 1 FROM data_platform.chunks p WHERE p.id = chunk_embeddings.chunk_id)
    );

ALTER TABLE data_platform.chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.chunks
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.chunks
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.data_sources ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.data_sources
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.data_sources
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.dataset_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.dataset_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.dataset_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.datasets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.datasets
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.datasets
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.documents
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.documents
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.embedding_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.embedding_models
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON data_platform.embedding_models
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON data_platform.embedding_models
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON data_platform.embedding_models
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON data_platform.embedding_models
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.lineage_edges ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.lineage_edges
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.lineage_edges
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.quality_checks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.quality_checks
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.quality_checks
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.quality_results ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.quality_results
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.quality_results
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE data_platform.text_embeddings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.text_embeddings
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.text_embeddings
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.text_embeddings AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.embedding_models p
                 WHERE p.id = text_embeddings.embedding_model_id)
    );

ALTER TABLE data_platform.vectorizer_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.vectorizer_queue
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.vectorizer_queue
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.vectorizer_queue AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.vectorizers p
                 WHERE p.id = vectorizer_queue.vectorizer_id)
        AND EXISTS (SELECT 1 FROM data_platform.documents p
                 WHERE p.id = vectorizer_queue.document_id)
    );

ALTER TABLE data_platform.vectorizers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON data_platform.vectorizers
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON data_platform.vectorizers
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON data_platform.vectorizers AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM data_platform.embedding_models p
                 WHERE p.id = vectorizers.embedding_model_id)
    );

ALTER TABLE logs.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON logs.audit_log
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_read ON logs.audit_log
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()));

ALTER TABLE model_platform.evaluations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.evaluations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.evaluations
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE model_platform.model_aliases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.model_aliases
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.model_aliases
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE model_platform.model_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.model_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.model_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON model_platform.model_versions AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        model_versions.algorithm_id IS NULL
        OR EXISTS (SELECT 1 FROM algo_platform.algorithms p
                 WHERE p.id = model_versions.algorithm_id)
    );

ALTER TABLE model_platform.models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON model_platform.models
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON model_platform.models
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON model_platform.models AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        models.owner_group_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.groups p WHERE p.id = models.owner_group_id)
    );

ALTER TABLE monitoring.alert_rules ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON monitoring.alert_rules
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON monitoring.alert_rules
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON monitoring.alert_rules
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON monitoring.alert_rules
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON monitoring.alert_rules
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON monitoring.alert_rules AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        alert_rules.slo_id IS NULL
        OR EXISTS (SELECT 1 FROM monitoring.slos p WHERE p.id = alert_rules.slo_id)
    );

ALTER TABLE monitoring.alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON monitoring.alerts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

-- rows without an owner are readable by all, writable by administrators only
CREATE POLICY tenant_select ON monitoring.alerts
    FOR SELECT TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()) OR organization_id IS NULL);

CREATE POLICY tenant_insert ON monitoring.alerts
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_update ON monitoring.alerts
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY tenant_delete ON monitoring.alerts
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id()));

-- an alert under a foreign or a shared rule would catch what is raised for that rule
CREATE POLICY parents_visible ON monitoring.alerts AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        EXISTS (SELECT 1 FROM monitoring.alert_rules p
                 WHERE p.id = alerts.rule_id
                   AND p.organization_id = (SELECT auth.org_id()))
    );

ALTER TABLE monitoring.slos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON monitoring.slos
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON monitoring.slos
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.deployments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.deployments
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.deployments
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.endpoints ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.endpoints
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.endpoints
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.invocations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.invocations
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.invocations
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the ledger of all tenants arrives in one batch: INSERT ... SELECT FROM unnest(), because
-- COPY FROM is refused under row security
CREATE POLICY ledger_insert ON service_platform.invocations
    FOR INSERT TO platform_log_writer
    WITH CHECK (true);

ALTER TABLE service_platform.prompt_labels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompt_labels
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompt_labels
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

CREATE POLICY protected_insert ON service_platform.prompt_labels AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (NOT is_protected
                OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

CREATE POLICY protected_update ON service_platform.prompt_labels AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (NOT is_protected
           OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

CREATE POLICY protected_delete ON service_platform.prompt_labels AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (NOT is_protected
           OR (SELECT auth.has_permission('service_platform.prompt_labels:protect')));

ALTER TABLE service_platform.prompt_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompt_versions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompt_versions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.prompts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.prompts
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.prompts
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.quotas ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.quotas
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.quotas
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- a write also needs the permission in the organization
CREATE POLICY may_insert ON service_platform.quotas AS RESTRICTIVE
    FOR INSERT TO platform_app
    WITH CHECK (organization_id = (SELECT auth.org_id())
                AND (SELECT auth.has_permission('service_platform.quotas:write')));

CREATE POLICY may_update ON service_platform.quotas AS RESTRICTIVE
    FOR UPDATE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('service_platform.quotas:write')));

CREATE POLICY may_delete ON service_platform.quotas AS RESTRICTIVE
    FOR DELETE TO platform_app
    USING (organization_id = (SELECT auth.org_id())
           AND (SELECT auth.has_permission('service_platform.quotas:write')));

ALTER TABLE service_platform.revisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.revisions
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.revisions
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

ALTER TABLE service_platform.services ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.services
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.services
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

-- the foreign key knows no organization, row security of the parent does
CREATE POLICY parents_visible ON service_platform.services AS RESTRICTIVE
    FOR ALL TO platform_app
    USING (true)
    WITH CHECK (
        services.owner_group_id IS NULL
        OR EXISTS (SELECT 1 FROM auth.groups p WHERE p.id = services.owner_group_id)
    );

ALTER TABLE service_platform.usage_daily ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON service_platform.usage_daily
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE POLICY tenant_isolation ON service_platform.usage_daily
    FOR ALL TO platform_app, platform_readonly
    USING (organization_id = (SELECT auth.org_id()))
    WITH CHECK (organization_id = (SELECT auth.org_id()));

UPDATE public.alembic_version SET version_num='2d8c27c08283' WHERE public.alembic_version.version_num = 'a2d9d7ae62cc';

COMMIT;
