-- The founding DDL: names, types, defaults, keys and index names below are promises to existing
-- clients. The text stands as it was given; test_promises_ddl.py compares it with the catalog.

CREATE TABLE auth.users (
    id SERIAL PRIMARY KEY,
    username VARCHAR(150) UNIQUE NOT NULL,
    email VARCHAR(254) UNIQUE NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    first_name VARCHAR(150),
    last_name VARCHAR(150),
    is_active BOOLEAN DEFAULT true,
    is_superuser BOOLEAN DEFAULT false,
    date_joined TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    last_login TIMESTAMP WITH TIME ZONE,
    organization_id INTEGER
);
CREATE TABLE auth.groups (
    id SERIAL PRIMARY KEY,
    name VARCHAR(150) UNIQUE NOT NULL,
    description TEXT
);
CREATE INDEX idx_users_username ON auth.users(username);
CREATE INDEX idx_users_email ON auth.users(email);
CREATE INDEX idx_users_org_id ON auth.users(organization_id);

CREATE TABLE data_platform.data_sources (
    id SERIAL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    description TEXT,
    source_type VARCHAR(50) NOT NULL,
    connection_info JSONB NOT NULL,
    created_by INTEGER REFERENCES auth.users(id),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    is_active BOOLEAN DEFAULT true
);
CREATE TABLE data_platform.text_embeddings (
    id SERIAL PRIMARY KEY,
    dataset_id INTEGER,
    record_id VARCHAR(100),
    text_content TEXT,
    embedding vector(1536), -- OpenAI ada, 1536 dimensions
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);
CREATE INDEX idx_text_embeddings_vector ON data_platform.text_embeddings
    USING ivfflat (embedding vector_cosine_ops) WITH (lists = 100);

CREATE TABLE algo_platform.algorithms (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    version VARCHAR(50),
    source_code_url VARCHAR(512),
    created_by INTEGER REFERENCES auth.users(id),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    UNIQUE (name, version)
);

CREATE UNLOGGED TABLE request_logs (
    id UUID NOT NULL,
    created TIMESTAMP WITHOUT TIME ZONE NOT NULL DEFAULT NOW(),
    url TEXT,
    method TEXT,
    status INT,
    auth TEXT,
    remote_ip TEXT,
    user_agent TEXT,
    meta JSONB,
    referer TEXT
) PARTITION BY RANGE (created);
CREATE INDEX idx_logs_created ON request_logs (created);
CREATE INDEX idx_logs_auth ON request_logs (auth) WHERE auth IS NOT NULL;
CREATE INDEX idx_logs_status ON request_logs (status) WHERE status >= 400;
-- one partition a day, named request_logs_20260106, FOR VALUES FROM ('2026-01-06') TO ('2026-01-07')

CREATE UNLOGGED TABLE monitoring.metrics (
    time TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    node_id TEXT NOT NULL,
    sys_mem_mb INT,
    go_routines INT,
    db_open_conns INT,
    db_wait_count INT,
    extra JSONB
) PARTITION BY RANGE (time);
CREATE INDEX idx_monitor_time ON monitoring.metrics USING BRIN(time);
CREATE MATERIALIZED VIEW monitoring.daily_stats AS
    SELECT date_trunc('day', time) AS day, node_id, avg(sys_mem_mb) AS avg_mem, max(sys_mem_mb) AS max_mem,
           avg(go_routines) AS avg_goroutines, max(db_open_conns) AS max_conns
    FROM monitoring.metrics GROUP BY 1, 2;

