-- 8bdab76af3ff (up): Add runs with their metrics and artifacts
-- Why:   each run keeps what went in, what it measured and what it made.
-- Lock:  SHARE ROW EXCLUSIVE on algo_platform.algorithms, algo_platform.experiments, algo_platform.jobs and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup.
-- After: 8cfa609d83ea
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade 8cfa609d83ea -> 8bdab76af3ff

SET LOCAL ROLE platform_owner;

CREATE TABLE algo_platform.runs (
    id UUID DEFAULT uuid_generate_v7() NOT NULL,
    organization_id INTEGER DEFAULT auth.org_id() NOT NULL,
    experiment_id INTEGER NOT NULL,
    algorithm_id INTEGER,
    parent_run_id UUID,
    job_id BIGINT,
    name VARCHAR(250),
    status VARCHAR(20) DEFAULT 'scheduled' NOT NULL,
    source_uri TEXT,
    source_revision VARCHAR(64),
    params JSONB DEFAULT '{}' NOT NULL,
    tags JSONB DEFAULT '{}' NOT NULL,
    summary JSONB DEFAULT '{}' NOT NULL,
    environment JSONB DEFAULT '{}' NOT NULL,
    error TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    heartbeat_at TIMESTAMP WITH TIME ZONE,
    created_by INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_runs PRIMARY KEY (id),
    CONSTRAINT ck_runs_json CHECK (jsonb_typeof(params) = 'object' AND jsonb_typeof(tags) = 'object' AND jsonb_typeof(summary) = 'object' AND jsonb_typeof(environment) = 'object'),
    CONSTRAINT ck_runs_status CHECK (status IN ('scheduled', 'running', 'finished', 'failed', 'killed')),
    CONSTRAINT ck_runs_times CHECK (ended_at >= started_at),
    CONSTRAINT fk_runs_algorithm_id_algorithms FOREIGN KEY(algorithm_id) REFERENCES algo_platform.algorithms (id) ON DELETE RESTRICT,
    CONSTRAINT fk_runs_created_by_users FOREIGN KEY(created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    CONSTRAINT fk_runs_experiment_id_experiments FOREIGN KEY(experiment_id, organization_id) REFERENCES algo_platform.experiments (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT fk_runs_job_id_jobs FOREIGN KEY(job_id, organization_id) REFERENCES algo_platform.jobs (id, organization_id) ON DELETE SET NULL (job_id),
    CONSTRAINT fk_runs_parent_run_id_runs FOREIGN KEY(parent_run_id, organization_id) REFERENCES algo_platform.runs (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT uq_runs_id_organization_id UNIQUE (id, organization_id)
)
 WITH (fillfactor = 80);

COMMENT ON TABLE algo_platform.runs IS 'One execution of an algorithm: training, tuning trial, batch inference';

COMMENT ON COLUMN algo_platform.runs.id IS 'Run id, may be made by the client';

COMMENT ON COLUMN algo_platform.runs.organization_id IS 'Tenant';

COMMENT ON COLUMN algo_platform.runs.experiment_id IS 'Experiment';

COMMENT ON COLUMN algo_platform.runs.algorithm_id IS 'Algorithm version executed';

COMMENT ON COLUMN algo_platform.runs.parent_run_id IS 'Tuning sweep or pipeline this run belongs to';

COMMENT ON COLUMN algo_platform.runs.job_id IS 'Queue entry that started it';

COMMENT ON COLUMN algo_platform.runs.name IS 'Display name';

COMMENT ON COLUMN algo_platform.runs.status IS 'scheduled, running, finished, failed or killed';

COMMENT ON COLUMN algo_platform.runs.source_uri IS 'Script or notebook';

COMMENT ON COLUMN algo_platform.runs.source_revision IS 'Commit';

COMMENT ON COLUMN algo_platform.runs.params IS 'Hyper-parameters, any length and type';

COMMENT ON COLUMN algo_platform.runs.tags IS 'Key-value labels';

COMMENT ON COLUMN algo_platform.runs.summary IS 'Last, best, minimum and maximum per metric, written at flush';

COMMENT ON COLUMN algo_platform.runs.environment IS 'Image, packages, hardware';

COMMENT ON COLUMN algo_platform.runs.error IS 'Why it failed';

COMMENT ON COLUMN algo_platform.runs.started_at IS 'Start';

COMMENT ON COLUMN algo_platform.runs.ended_at IS 'End';

COMMENT ON COLUMN algo_platform.runs.heartbeat_at IS 'Last sign of life';

COMMENT ON COLUMN algo_platform.runs.created_by IS 'Author';

COMMENT ON COLUMN algo_platform.runs.created_at IS 'Creation time';

COMMENT ON COLUMN algo_platform.runs.updated_at IS 'Last change, kept by trigger';

COMMENT ON COLUMN algo_platform.runs.deleted_at IS 'Soft-delete mark';

CREATE INDEX ix_runs_active ON algo_platform.runs (heartbeat_at) WHERE status IN ('scheduled','running');

CREATE INDEX ix_runs_algorithm_id ON algo_platform.runs (algorithm_id) WHERE algorithm_id IS NOT NULL;

CREATE INDEX ix_runs_created_by ON algo_platform.runs (created_by) WHERE created_by IS NOT NULL;

CREATE INDEX ix_runs_experiment_id ON algo_platform.runs (experiment_id, organization_id, created_at DESC);

CREATE INDEX ix_runs_job_id ON algo_platform.runs (job_id, organization_id) WHERE job_id IS NOT NULL;

CREATE INDEX ix_runs_organization_id ON algo_platform.runs (organization_id, created_at DESC);

CREATE INDEX ix_runs_params ON algo_platform.runs USING gin (params jsonb_path_ops);

CREATE INDEX ix_runs_parent_run_id ON algo_platform.runs (parent_run_id, organization_id) WHERE parent_run_id IS NOT NULL;

CREATE INDEX ix_runs_tags ON algo_platform.runs USING gin (tags jsonb_path_ops);

CREATE TABLE algo_platform.run_metrics (
    run_id UUID NOT NULL,
    metric VARCHAR(250) NOT NULL,
    step BIGINT DEFAULT 0 NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    organization_id INTEGER DEFAULT auth.org_id() NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_run_metrics PRIMARY KEY (run_id, metric, step),
    CONSTRAINT fk_run_metrics_run_id_runs FOREIGN KEY(run_id, organization_id) REFERENCES algo_platform.runs (id, organization_id) ON DELETE CASCADE
)
 PARTITION BY HASH (run_id);

COMMENT ON TABLE algo_platform.run_metrics IS 'Metric history: one value per run, metric and step';

COMMENT ON COLUMN algo_platform.run_metrics.run_id IS 'Run and partition key';

COMMENT ON COLUMN algo_platform.run_metrics.metric IS 'Metric name, e.g. train/loss';

COMMENT ON COLUMN algo_platform.run_metrics.step IS 'Step or epoch; writing the same step again replaces the value';

COMMENT ON COLUMN algo_platform.run_metrics.value IS 'Value; NaN and Infinity are stored as such';

COMMENT ON COLUMN algo_platform.run_metrics.organization_id IS 'Tenant';

COMMENT ON COLUMN algo_platform.run_metrics.recorded_at IS 'When it was measured';

-- eight hash partitions spread the inserts of parallel runs
CREATE TABLE algo_platform.run_metrics_p0
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 0)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p1
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 1)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p2
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 2)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p3
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 3)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p4
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 4)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p5
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 5)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p6
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 6)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p7
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 7)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

-- a partition inherits neither row security nor rights: closed to all but the owner
ALTER TABLE algo_platform.run_metrics_p0 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p0
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p1 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p1
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p2 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p2
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p3 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p3
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p4 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p4
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p5 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p5
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p6 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p6
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p7 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p7
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

CREATE TABLE algo_platform.run_artifacts (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    organization_id INTEGER DEFAULT auth.org_id() NOT NULL,
    run_id UUID NOT NULL,
    path VARCHAR(1024) NOT NULL,
    kind VARCHAR(20) DEFAULT 'other' NOT NULL,
    uri TEXT NOT NULL,
    sha256 BYTEA,
    size_bytes BIGINT,
    media_type VARCHAR(127),
    step BIGINT,
    metadata JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_run_artifacts PRIMARY KEY (id),
    CONSTRAINT ck_run_artifacts_kind CHECK (kind IN ('checkpoint', 'model', 'dataset', 'plot', 'log', 'report', 'other')),
    CONSTRAINT ck_run_artifacts_sha256 CHECK (octet_length(sha256) = 32),
    CONSTRAINT ck_run_artifacts_size_bytes CHECK (size_bytes >= 0),
    CONSTRAINT fk_run_artifacts_run_id_runs FOREIGN KEY(run_id, organization_id) REFERENCES algo_platform.runs (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT uq_run_artifacts_run_id_path UNIQUE (run_id, path)
);

COMMENT ON TABLE algo_platform.run_artifacts IS 'File produced by a run';

COMMENT ON COLUMN algo_platform.run_artifacts.id IS 'Surrogate key';

COMMENT ON COLUMN algo_platform.run_artifacts.organization_id IS 'Tenant';

COMMENT ON COLUMN algo_platform.run_artifacts.run_id IS 'Run';

COMMENT ON COLUMN algo_platform.run_artifacts.path IS 'Path inside the run';

COMMENT ON COLUMN algo_platform.run_artifacts.kind IS 'checkpoint, model, dataset, plot, log, report or other';

COMMENT ON COLUMN algo_platform.run_artifacts.uri IS 'Where it is stored';

COMMENT ON COLUMN algo_platform.run_artifacts.sha256 IS 'Digest';

COMMENT ON COLUMN algo_platform.run_artifacts.size_bytes IS 'Size';

COMMENT ON COLUMN algo_platform.run_artifacts.media_type IS 'Media type';

COMMENT ON COLUMN algo_platform.run_artifacts.step IS 'Step it belongs to';

COMMENT ON COLUMN algo_platform.run_artifacts.metadata IS 'Extra attributes';

COMMENT ON COLUMN algo_platform.run_artifacts.created_at IS 'Upload time';

CREATE INDEX ix_run_artifacts_sha256 ON algo_platform.run_artifacts USING hash (sha256) WHERE sha256 IS NOT NULL;

UPDATE public.alembic_version SET version_num='8bdab76af3ff' WHERE public.alembic_version.version_num = '8cfa609d83ea';

COMMIT;
