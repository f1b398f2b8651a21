-- Exclusion constraints over an id and an address range at once; searching inside names.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The data keys that secrets are sealed with, each wrapped by the master key, which is never here.
-- Changing the master key re-wraps these rows and nothing else.
CREATE TABLE data_keys (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- `seal` encrypts; `fingerprint` recognises a secret that is used twice.
    purpose    TEXT NOT NULL CONSTRAINT data_keys_purpose_known CHECK (purpose IN ('seal', 'fingerprint')),
    -- Which master key wraps it: the first half of its SHA-256, to refuse a wrong one with a clear word.
    master_id  TEXT NOT NULL,
    wrapped    BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- Older keys only open what they sealed.
    retired_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX data_keys_one_current ON data_keys (purpose) WHERE retired_at IS NULL;
