-- When a peer was in touch with a node: from a handshake to the last one before there were none for three minutes.
-- Not to be confused with `sessions`, which are those of people who signed in.
CREATE TABLE peer_sessions (
    id              BIGINT GENERATED ALWAYS AS IDENTITY,
    peer_id         BIGINT NOT NULL CONSTRAINT peer_sessions_peer REFERENCES peers ON DELETE CASCADE,
    -- No references: what was stays true when a node is retired. Its name then is the one it had at the beginning.
    interface_id    BIGINT NOT NULL,
    node_id         BIGINT NOT NULL,
    node_name       TEXT NOT NULL,
    -- Names the observation that tells how an open session goes on.
    public_key      TEXT NOT NULL,
    -- From where it began.
    endpoint        TEXT,
    connected_at    TIMESTAMPTZ NOT NULL,
    -- What the totals of the observation were when it began.
    rx_from         BIGINT NOT NULL,
    tx_from         BIGINT NOT NULL,
    -- The last handshake. Null: it has not ended as far as anybody knows.
    disconnected_at TIMESTAMPTZ,
    rx              BIGINT,
    tx              BIGINT,
    -- A peer's sessions are read page by page, the newest first.
    PRIMARY KEY (peer_id, id),
    CONSTRAINT peer_sessions_ends_after_it_began CHECK (disconnected_at >= connected_at),
    CONSTRAINT peer_sessions_counts_up CHECK (rx >= 0 AND tx >= 0),
    CONSTRAINT peer_sessions_is_open_or_counted
        CHECK ((disconnected_at IS NULL) = (rx IS NULL) AND (rx IS NULL) = (tx IS NULL))
);
CREATE UNIQUE INDEX peer_sessions_one_open ON peer_sessions (interface_id, peer_id) WHERE disconnected_at IS NULL;
-- Whoever is online has an open one: few or many, they are found without reading all observations.
CREATE INDEX peer_sessions_open ON peer_sessions (peer_id) WHERE disconnected_at IS NULL;
CREATE INDEX peer_sessions_age ON peer_sessions (disconnected_at) WHERE disconnected_at IS NOT NULL;

-- Peers that are in touch right now did not come just now: nobody is told so, and their sessions are counted from here.
INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, endpoint, connected_at, rx_from, tx_from)
SELECT DISTINCT ON (interface_id, peer_id) peer_id, interface_id, nodes.id, nodes.name, observations.public_key, endpoint,
    handshake_at, rx_total, tx_total
FROM observations
JOIN interfaces ON interfaces.id = interface_id
JOIN nodes ON nodes.id = node_id
WHERE peer_id IS NOT NULL AND gone_at IS NULL AND handshake_at > now() - interval '185 seconds'
ORDER BY interface_id, peer_id, handshake_at DESC;
