-- How far somebody's role reaches, and how they want to see things.
-- What a reach was limited to may go: then it reaches nothing, and never everything.
ALTER TABLE users
    ADD COLUMN reach TEXT NOT NULL DEFAULT 'all'
        CONSTRAINT users_reach_known CHECK (reach IN ('all', 'pool', 'network')),
    ADD COLUMN reach_pool_id BIGINT CONSTRAINT users_reach_pool REFERENCES pools ON DELETE SET NULL,
    ADD COLUMN reach_network_id BIGINT CONSTRAINT users_reach_network REFERENCES networks ON DELETE SET NULL,
    -- Null: as the browser asks.
    ADD COLUMN language TEXT CONSTRAINT users_language_known CHECK (language IN ('en', 'fr')),
    ADD COLUMN theme TEXT NOT NULL DEFAULT 'system'
        CONSTRAINT users_theme_known CHECK (theme IN ('system', 'light', 'dark')),
    ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC',
    ADD CONSTRAINT users_reach_fits CHECK (
        (reach = 'pool' OR reach_pool_id IS NULL) AND (reach = 'network' OR reach_network_id IS NULL)
    ),
    -- Whoever decides what others may do could lift any limit.
    ADD CONSTRAINT users_admins_reach_all CHECK (role <> 'admin' OR reach = 'all');

ALTER TABLE api_keys
    ADD COLUMN reach TEXT NOT NULL DEFAULT 'all'
        CONSTRAINT api_keys_reach_known CHECK (reach IN ('all', 'pool', 'network')),
    ADD COLUMN reach_pool_id BIGINT CONSTRAINT api_keys_reach_pool REFERENCES pools ON DELETE SET NULL,
    ADD COLUMN reach_network_id BIGINT CONSTRAINT api_keys_reach_network REFERENCES networks ON DELETE SET NULL,
    ADD CONSTRAINT api_keys_reach_fits CHECK (
        (reach = 'pool' OR reach_pool_id IS NULL) AND (reach = 'network' OR reach_network_id IS NULL)
    ),
    ADD CONSTRAINT api_keys_admins_reach_all CHECK (scope <> 'admin' OR reach = 'all');

-- Who is signed in, on which device. The token itself is only in the browser's cookie.
CREATE TABLE sessions (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash   BYTEA NOT NULL CONSTRAINT sessions_token_hash_key UNIQUE,
    user_id      BIGINT NOT NULL CONSTRAINT sessions_user REFERENCES users ON DELETE CASCADE,
    -- How they proved who they are.
    method       TEXT NOT NULL CONSTRAINT sessions_method_known
                 CHECK (method IN ('setup', 'password', 'totp', 'recovery_code', 'passkey', 'oidc')),
    user_agent   TEXT,
    -- Where the last noted request came from.
    address      INET,
    created_at   TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_age ON sessions (created_at);

-- What codes of an authenticator are computed with.
CREATE TABLE totp_secrets (
    user_id      BIGINT PRIMARY KEY CONSTRAINT totp_secrets_user REFERENCES users ON DELETE CASCADE,
    sealed       BYTEA NOT NULL,
    data_key_id  BIGINT NOT NULL CONSTRAINT totp_secrets_data_key REFERENCES data_keys,
    -- Null: shown, and no code proved yet that it arrived; not asked for at sign-in.
    confirmed_at TIMESTAMPTZ,
    -- The newest step whose code was taken: neither it nor an older one is taken again.
    last_step    BIGINT,
    created_at   TIMESTAMPTZ NOT NULL
);

CREATE TABLE recovery_codes (
    user_id   BIGINT NOT NULL CONSTRAINT recovery_codes_user REFERENCES users ON DELETE CASCADE,
    code_hash BYTEA NOT NULL,
    used_at   TIMESTAMPTZ,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE passkeys (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id       BIGINT NOT NULL CONSTRAINT passkeys_user REFERENCES users ON DELETE CASCADE,
    name          TEXT NOT NULL,
    credential_id BYTEA NOT NULL CONSTRAINT passkeys_credential_id_key UNIQUE,
    -- The public key and the counter, as the library that verifies them writes them.
    credential    JSONB NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    last_used_at  TIMESTAMPTZ
);
CREATE INDEX passkeys_of_user ON passkeys (user_id);

-- Who somebody is to an identity provider.
CREATE TABLE oidc_identities (
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    user_id       BIGINT NOT NULL CONSTRAINT oidc_identities_user REFERENCES users ON DELETE CASCADE,
    created_at    TIMESTAMPTZ NOT NULL,
    signed_in_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX oidc_identities_of_user ON oidc_identities (user_id);

-- What somebody began at the door and has not ended: a second step, a passkey's ceremony, a visit to the identity
-- provider. Bound to the cookie of that browser, of which this is a hash, and taken once.
CREATE TABLE sign_in_steps (
    browser_hash BYTEA NOT NULL,
    kind         TEXT NOT NULL CONSTRAINT sign_in_steps_kind_known
                 CHECK (kind IN ('second_step', 'passkey_sign_in', 'passkey_registration', 'oidc')),
    user_id      BIGINT CONSTRAINT sign_in_steps_user REFERENCES users ON DELETE CASCADE,
    -- What the library that ends a ceremony remembers of its beginning.
    state        JSONB,
    expires_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (browser_hash, kind)
);
CREATE INDEX sign_in_steps_expiry ON sign_in_steps (expires_at);

-- The one link that makes the first administrator; another start replaces it.
CREATE TABLE setup_link (
    one        BOOLEAN PRIMARY KEY DEFAULT true CONSTRAINT setup_link_is_one CHECK (one),
    token_hash BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- Attempts to sign in, by address and by account; a keyed hash says which, so that nobody reads either here.
CREATE TABLE sign_in_limits (
    subject       BYTEA PRIMARY KEY,
    -- When the attempts were made that did not succeed, or whose end is not known yet.
    attempts      TIMESTAMPTZ[] NOT NULL DEFAULT '{}',
    -- How often in a row it was too much, and until when the last such time refuses.
    strikes       INTEGER NOT NULL DEFAULT 0,
    blocked_until TIMESTAMPTZ,
    -- From then on nothing of this matters any more.
    forget_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX sign_in_limits_age ON sign_in_limits (forget_at);

-- Proofs of work that were taken: each is good for one attempt.
CREATE TABLE spent_captchas (
    nonce      BYTEA PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX spent_captchas_expiry ON spent_captchas (expires_at);
