-- becf7e9dbc8c (up): Add API keys and sessions
-- Why:   machines and browsers sign in with credentials of which only digests are stored.
-- Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers wait.
-- Phase: expand - nothing existed before that could stop working.
-- Back:  drops the tables. The rows are lost; restore them from a backup. Everybody is signed out.
-- After: 415c76cf8284
-- With:  PostgreSQL 16 to 18, Alembic 1.20, SQLAlchemy 2.1
-- Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait
-- Written by: platform db sql --review

BEGIN;

-- Running upgrade 415c76cf8284 -> becf7e9dbc8c

SET LOCAL ROLE platform_owner;

CREATE TABLE auth.api_keys (
    id UUID DEFAULT uuid_generate_v7() NOT NULL,
    organization_id INTEGER DEFAULT auth.org_id() NOT NULL,
    user_id INTEGER,
    name VARCHAR(100) NOT NULL,
    key_prefix VARCHAR(16) NOT NULL,
    key_hash BYTEA NOT NULL,
    scopes TEXT[] DEFAULT '{}' NOT NULL,
    allowed_cidrs CIDR[],
    rotated_from_id UUID,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by INTEGER,
    last_used_at TIMESTAMP WITH TIME ZONE,
    created_by INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT ck_api_keys_scopes CHECK (auth.permissions_valid(scopes)),
    CONSTRAINT ck_api_keys_key_hash CHECK (octet_length(key_hash) = 32),
    CONSTRAINT fk_api_keys_created_by_users FOREIGN KEY(created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    CONSTRAINT fk_api_keys_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES auth.organizations (id) ON DELETE RESTRICT,
    CONSTRAINT fk_api_keys_revoked_by_users FOREIGN KEY(revoked_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    CONSTRAINT fk_api_keys_rotated_from_id_api_keys FOREIGN KEY(rotated_from_id) REFERENCES auth.api_keys (id) ON DELETE SET NULL,
    CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY(user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT uq_api_keys_id_organization_id UNIQUE (id, organization_id),
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash),
    CONSTRAINT uq_api_keys_key_prefix UNIQUE (key_prefix)
);

COMMENT ON TABLE auth.api_keys IS 'Machine credentials: only a SHA-256 digest is stored, shown once at creation';

COMMENT ON COLUMN auth.api_keys.id IS 'Key id, safe to log';

COMMENT ON COLUMN auth.api_keys.organization_id IS 'Tenant the key acts for';

COMMENT ON COLUMN auth.api_keys.user_id IS 'Person the key acts as; NULL for a service key';

COMMENT ON COLUMN auth.api_keys.name IS 'Label chosen by the owner';

COMMENT ON COLUMN auth.api_keys.key_prefix IS 'First characters of the key, for lookup and display';

COMMENT ON COLUMN auth.api_keys.key_hash IS 'SHA-256 of the whole key; high-entropy input, so no slow hash on the hot path';

COMMENT ON COLUMN auth.api_keys.scopes IS 'Upper bound on permissions, same grammar as roles.permissions';

COMMENT ON COLUMN auth.api_keys.allowed_cidrs IS 'Source networks; NULL means any';

COMMENT ON COLUMN auth.api_keys.rotated_from_id IS 'Predecessor that stays valid until its own expires_at (grace period)';

COMMENT ON COLUMN auth.api_keys.expires_at IS 'Hard end of validity';

COMMENT ON COLUMN auth.api_keys.revoked_at IS 'Set once, never cleared';

COMMENT ON COLUMN auth.api_keys.revoked_by IS 'Who revoked it';

COMMENT ON COLUMN auth.api_keys.last_used_at IS 'Refreshed at most once a minute';

COMMENT ON COLUMN auth.api_keys.created_by IS 'Who created it';

COMMENT ON COLUMN auth.api_keys.created_at IS 'Creation time';

CREATE INDEX ix_api_keys_created_by ON auth.api_keys (created_by) WHERE created_by IS NOT NULL;

CREATE INDEX ix_api_keys_expires_at ON auth.api_keys (expires_at) WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

CREATE INDEX ix_api_keys_organization_id ON auth.api_keys (organization_id);

CREATE INDEX ix_api_keys_revoked_by ON auth.api_keys (revoked_by) WHERE revoked_by IS NOT NULL;

CREATE INDEX ix_api_keys_rotated_from_id ON auth.api_keys (rotated_from_id) WHERE rotated_from_id IS NOT NULL;

CREATE INDEX ix_api_keys_user_id ON auth.api_keys (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE auth.sessions (
    id UUID DEFAULT uuid_generate_v7() NOT NULL,
    user_id INTEGER NOT NULL,
    organization_id INTEGER,
    refresh_token_hash BYTEA NOT NULL,
    previous_refresh_token_hash BYTEA,
    refresh_counter INTEGER DEFAULT 0 NOT NULL,
    aal SMALLINT DEFAULT 1 NOT NULL,
    ip INET,
    user_agent TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    refreshed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE DEFAULT now() + interval '30 days' NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT ck_sessions_aal CHECK (aal BETWEEN 1 AND 3),
    CONSTRAINT ck_sessions_expires_at CHECK (expires_at > created_at),
    CONSTRAINT ck_sessions_refresh_token_hash CHECK (octet_length(refresh_token_hash) = 32),
    CONSTRAINT fk_sessions_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES auth.organizations (id) ON DELETE CASCADE,
    CONSTRAINT fk_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT uq_sessions_refresh_token_hash UNIQUE (refresh_token_hash)
)
 WITH (fillfactor = 80);

COMMENT ON TABLE auth.sessions IS 'Sign-in sessions; the refresh token rotates in place, so there is no refresh_tokens table';

COMMENT ON COLUMN auth.sessions.id IS 'Session id, the sid claim of access tokens';

COMMENT ON COLUMN auth.sessions.user_id IS 'Owner';

COMMENT ON COLUMN auth.sessions.organization_id IS 'Organization selected in this session';

COMMENT ON COLUMN auth.sessions.refresh_token_hash IS 'SHA-256 of the current refresh token';

COMMENT ON COLUMN auth.sessions.previous_refresh_token_hash IS 'SHA-256 of the one before: a repeat is a lost reply, anything older is theft';

COMMENT ON COLUMN auth.sessions.refresh_counter IS 'Number of rotations';

COMMENT ON COLUMN auth.sessions.aal IS 'Authenticator assurance level reached';

COMMENT ON COLUMN auth.sessions.ip IS 'Address at the last refresh';

COMMENT ON COLUMN auth.sessions.user_agent IS 'Client at the last refresh';

COMMENT ON COLUMN auth.sessions.created_at IS 'Sign-in time';

COMMENT ON COLUMN auth.sessions.refreshed_at IS 'Last rotation';

COMMENT ON COLUMN auth.sessions.expires_at IS 'Never NULL, so clean-up always finds the row';

COMMENT ON COLUMN auth.sessions.revoked_at IS 'Sign-out or theft detection';

CREATE INDEX ix_sessions_expires_at ON auth.sessions (expires_at);

CREATE INDEX ix_sessions_organization_id ON auth.sessions (organization_id) WHERE organization_id IS NOT NULL;

CREATE INDEX ix_sessions_user_id ON auth.sessions (user_id);

CREATE UNIQUE INDEX uq_sessions_previous_refresh_token_hash ON auth.sessions (previous_refresh_token_hash) WHERE previous_refresh_token_hash IS NOT NULL;

UPDATE public.alembic_version SET version_num='becf7e9dbc8c' WHERE public.alembic_version.version_num = '415c76cf8284';

COMMIT;
