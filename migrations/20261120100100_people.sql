CREATE TABLE users (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          TEXT NOT NULL CONSTRAINT users_name_key UNIQUE,
    email         TEXT,
    role          TEXT NOT NULL CONSTRAINT users_role_known CHECK (role IN ('admin', 'operator', 'viewer')),
    -- A PHC string; nobody without one can sign in with a password.
    password_hash TEXT,
    enabled       BOOLEAN NOT NULL DEFAULT true,
    version       BIGINT NOT NULL DEFAULT 1,
    created_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at    TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Who scripts the API: a key id and a secret to sign with. A key of scope read may also be shown as a bearer token.
CREATE TABLE api_keys (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id       TEXT NOT NULL CONSTRAINT api_keys_key_id_key UNIQUE,
    name         TEXT NOT NULL,
    scope        TEXT NOT NULL CONSTRAINT api_keys_scope_known CHECK (scope IN ('read', 'write', 'admin')),
    -- Sealed, not hashed: verifying a signature needs the secret itself.
    sealed       BYTEA NOT NULL,
    data_key_id  BIGINT NOT NULL CONSTRAINT api_keys_data_key REFERENCES data_keys,
    bearer_hash  BYTEA CONSTRAINT api_keys_bearer_hash_key UNIQUE,
    -- Empty: from anywhere.
    allowed_from CIDR[] NOT NULL DEFAULT '{}',
    expires_at   TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    created_by   TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT api_keys_bearer_reads CHECK (bearer_hash IS NULL OR scope = 'read')
);

-- The memory against replays, shared by all controllers.
CREATE TABLE request_signatures (
    signature  BYTEA PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX request_signatures_expiry ON request_signatures (expires_at);

-- What was answered to a request that named itself, so that its repetition gets the same answer.
CREATE TABLE idempotency_keys (
    principal    TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    -- Null while the first request is still at work.
    status       INTEGER,
    headers      JSONB,
    -- The body, sealed: an answer may show a secret, once.
    sealed       BYTEA,
    data_key_id  BIGINT CONSTRAINT idempotency_keys_data_key REFERENCES data_keys,
    -- The claim: whoever takes over from a request that never ended has a later one.
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key),
    CONSTRAINT idempotency_keys_answer_whole
        CHECK (num_nulls(status, headers, sealed, data_key_id) IN (0, 4))
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
