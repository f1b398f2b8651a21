-- With what the identity provider is asked whether it still vouches for somebody who came in by it. The session ends
-- with its no; it may outlive a provider that is away, and never its own time.
CREATE TABLE oidc_sessions (
    session_id  BIGINT PRIMARY KEY CONSTRAINT oidc_sessions_session REFERENCES sessions ON DELETE CASCADE,
    issuer      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    -- The refresh token.
    sealed      BYTEA NOT NULL,
    data_key_id BIGINT NOT NULL CONSTRAINT oidc_sessions_data_key REFERENCES data_keys,
    -- When it is asked next.
    due_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX oidc_sessions_due ON oidc_sessions (due_at);
