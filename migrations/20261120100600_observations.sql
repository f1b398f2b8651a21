-- What nodes say about the keys they hold. Status is this evidence and its age.
CREATE TABLE observations (
    interface_id BIGINT NOT NULL CONSTRAINT observations_interface REFERENCES interfaces ON DELETE CASCADE,
    public_key   TEXT NOT NULL,
    -- Null: a key that no desired state contains.
    peer_id      BIGINT CONSTRAINT observations_peer REFERENCES peers ON DELETE SET NULL,
    -- Known to the node's kernel alone.
    is_foreign   BOOLEAN NOT NULL DEFAULT false,
    has_psk      BOOLEAN NOT NULL DEFAULT false,
    allowed_ips  CIDR[] NOT NULL DEFAULT '{}',
    keepalive_s  INTEGER NOT NULL DEFAULT 0,
    endpoint     TEXT,
    handshake_at TIMESTAMPTZ,
    -- The counters as last seen, and what they amount to over restarts.
    rx_counter   BIGINT NOT NULL DEFAULT 0,
    tx_counter   BIGINT NOT NULL DEFAULT 0,
    rx_total     BIGINT NOT NULL DEFAULT 0,
    tx_total     BIGINT NOT NULL DEFAULT 0,
    -- The totals that the samples have already accounted for.
    rx_sampled   BIGINT NOT NULL DEFAULT 0,
    tx_sampled   BIGINT NOT NULL DEFAULT 0,
    first_at     TIMESTAMPTZ NOT NULL DEFAULT now(),
    changed_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- The node no longer holds it; the totals stay.
    gone_at      TIMESTAMPTZ,
    PRIMARY KEY (interface_id, public_key)
) WITH (fillfactor = 70);
CREATE INDEX observations_by_peer ON observations (peer_id) WHERE peer_id IS NOT NULL;
-- Wherever a key has been seen.
CREATE INDEX observations_by_key ON observations (public_key);
CREATE INDEX observations_unknown ON observations (interface_id) WHERE peer_id IS NULL AND gone_at IS NULL;

-- A difference between intent and a node, looked at before it is carried out.
CREATE TABLE plans (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interface_id       BIGINT NOT NULL CONSTRAINT plans_interface REFERENCES interfaces ON DELETE CASCADE,
    -- What it rests on; if either moved, it is not carried out.
    desired_generation BIGINT NOT NULL,
    observed_digest    TEXT NOT NULL,
    steps              JSONB NOT NULL,
    created_by         TEXT NOT NULL,
    created_at         TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_at         TIMESTAMPTZ
);
CREATE INDEX plans_by_interface ON plans (interface_id);
