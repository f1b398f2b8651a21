CREATE TABLE nodes (
    id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             TEXT NOT NULL CONSTRAINT nodes_name_key UNIQUE,
    agent_url        TEXT NOT NULL CONSTRAINT nodes_agent_url_key UNIQUE,
    enabled          BOOLEAN NOT NULL DEFAULT true,
    -- 0 keeps its peers and takes no new ones.
    weight           INTEGER NOT NULL DEFAULT 100 CONSTRAINT nodes_weight_fits CHECK (weight BETWEEN 0 AND 1000000),
    -- 0 is no limit.
    max_peers        INTEGER NOT NULL DEFAULT 0 CONSTRAINT nodes_max_peers_fits CHECK (max_peers >= 0),
    country          TEXT CONSTRAINT nodes_country_is_alpha2 CHECK (country ~ '^[A-Z]{2}$'),
    operator_country TEXT CONSTRAINT nodes_operator_country_is_alpha2 CHECK (operator_country ~ '^[A-Z]{2}$'),
    region           TEXT,
    notes            TEXT NOT NULL DEFAULT '',
    -- A third-party agent that cannot sign its answers.
    legacy           BOOLEAN NOT NULL DEFAULT false,
    -- Null: the fleet's setting.
    timeout_ms       INTEGER CONSTRAINT nodes_timeout_sane CHECK (timeout_ms BETWEEN 100 AND 120000),
    version          BIGINT NOT NULL DEFAULT 1,
    created_at       TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at       TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE node_secrets (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_id     BIGINT NOT NULL CONSTRAINT node_secrets_node REFERENCES nodes ON DELETE CASCADE,
    key_id      TEXT NOT NULL,
    state       TEXT NOT NULL CONSTRAINT node_secrets_state_known CHECK (state IN ('active', 'next', 'retiring')),
    sealed      BYTEA NOT NULL,
    data_key_id BIGINT NOT NULL CONSTRAINT node_secrets_data_key REFERENCES data_keys,
    -- A keyed hash: two nodes may not share a secret, and nobody learns it from here.
    fingerprint BYTEA NOT NULL CONSTRAINT node_secrets_fingerprint_key UNIQUE,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT node_secrets_key_id_key UNIQUE (node_id, key_id)
);
CREATE UNIQUE INDEX node_secrets_one_active ON node_secrets (node_id) WHERE state = 'active';
CREATE UNIQUE INDEX node_secrets_one_next ON node_secrets (node_id) WHERE state = 'next';

-- What the last polls saw of a node: evidence with its age.
CREATE TABLE node_status (
    node_id         BIGINT PRIMARY KEY CONSTRAINT node_status_node REFERENCES nodes ON DELETE CASCADE,
    -- What the polls say; a disabled node keeps its last one here.
    reachability    TEXT NOT NULL DEFAULT 'pending'
                    CONSTRAINT node_status_reachability_known CHECK (reachability IN ('pending', 'online', 'offline', 'error')),
    since           TIMESTAMPTZ NOT NULL DEFAULT now(),
    good_in_a_row   INTEGER NOT NULL DEFAULT 0,
    bad_in_a_row    INTEGER NOT NULL DEFAULT 0,
    polled_at       TIMESTAMPTZ,
    good_at         TIMESTAMPTZ,
    -- Why the last poll was bad, for a program and for a human.
    problem         TEXT,
    problem_text    TEXT,
    clock_offset_ms BIGINT,
    agent_version   TEXT,
    capabilities    TEXT[] NOT NULL DEFAULT '{}',
    -- When the machine and the agent started, as the last answer says.
    booted_at       TIMESTAMPTZ,
    started_at      TIMESTAMPTZ,
    -- The last health answer, for people to look at.
    health          JSONB,
    next_poll_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    leased_by       TEXT,
    leased_until    TIMESTAMPTZ
) WITH (fillfactor = 70);
CREATE INDEX node_status_due ON node_status (next_poll_at);

CREATE TABLE interfaces (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_id            BIGINT NOT NULL CONSTRAINT interfaces_node REFERENCES nodes ON DELETE CASCADE,
    network_id         BIGINT NOT NULL CONSTRAINT interfaces_network REFERENCES networks,
    name               TEXT NOT NULL CONSTRAINT interfaces_name_fits CHECK (name ~ '^[A-Za-z0-9_=+.-]{1,15}$'),
    -- Where peers reach it from outside.
    endpoint_host      TEXT NOT NULL,
    endpoint_port      INTEGER NOT NULL CONSTRAINT interfaces_endpoint_port_fits CHECK (endpoint_port BETWEEN 1 AND 65535),
    drift_policy       TEXT NOT NULL DEFAULT 'report'
                       CONSTRAINT interfaces_drift_policy_known CHECK (drift_policy IN ('report', 'adopt', 'enforce')),
    -- Learned from the node, null until it answered.
    public_key         TEXT,
    -- Rises with every change of what this interface should hold.
    desired_generation BIGINT NOT NULL DEFAULT 0,
    desired_at         TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- How many placements there are; kept by a trigger, so that choosing a node need not count.
    placed             INTEGER NOT NULL DEFAULT 0 CONSTRAINT interfaces_placed_not_negative CHECK (placed >= 0),
    version            BIGINT NOT NULL DEFAULT 1,
    created_at         TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at         TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT interfaces_name_key UNIQUE (node_id, name)
) WITH (fillfactor = 70);
CREATE INDEX interfaces_by_network ON interfaces (network_id);

-- How far an interface is, and what was seen of it.
CREATE TABLE interface_sync (
    interface_id        BIGINT PRIMARY KEY CONSTRAINT interface_sync_interface REFERENCES interfaces ON DELETE CASCADE,
    applied_generation  BIGINT NOT NULL DEFAULT 0,
    applied_at          TIMESTAMPTZ,
    -- Somebody is to be locked out: goes before everything else.
    urgent              BOOLEAN NOT NULL DEFAULT false,
    -- Who is at work on it, and until when that is believed.
    leased_by           TEXT,
    leased_until        TIMESTAMPTZ,
    attempts            INTEGER NOT NULL DEFAULT 0,
    next_attempt_at     TIMESTAMPTZ NOT NULL DEFAULT now(),
    problem             TEXT,
    problem_text        TEXT,
    problem_at          TIMESTAMPTZ,
    -- The digest that the desired peers of a generation have.
    expected_generation BIGINT,
    expected_digest     TEXT,
    link                TEXT CONSTRAINT interface_sync_link_known CHECK (link IN ('up', 'down', 'missing')),
    observed_generation BIGINT,
    observed_digest     TEXT,
    observed_peers      INTEGER,
    observed_at         TIMESTAMPTZ,
    -- Where the next dump goes on.
    cursor              TEXT,
    -- When the machine started whose counters were last read.
    booted_at           TIMESTAMPTZ,
    -- When its key and its own addresses were last learned from the node.
    config_at           TIMESTAMPTZ,
    -- A difference that was seen and left: not looked at again while the device has this digest.
    settled_generation  BIGINT,
    settled_digest      TEXT,
    unknown_peers       INTEGER NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

-- Prefixes to draw addresses from: those of a network, and those that guide one interface.
CREATE TABLE address_ranges (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    network_id   BIGINT NOT NULL CONSTRAINT address_ranges_network REFERENCES networks ON DELETE CASCADE,
    -- Null: the network's own prefix.
    interface_id BIGINT CONSTRAINT address_ranges_interface REFERENCES interfaces ON DELETE CASCADE,
    prefix       CIDR NOT NULL,
    -- Where the search for a free address goes on.
    next         INET NOT NULL,
    CONSTRAINT address_ranges_networks_apart EXCLUDE USING gist (prefix inet_ops WITH &&) WHERE (interface_id IS NULL),
    CONSTRAINT address_ranges_pools_apart EXCLUDE USING gist (prefix inet_ops WITH &&) WHERE (interface_id IS NOT NULL)
);
CREATE UNIQUE INDEX address_ranges_one_per_family
    ON address_ranges (network_id, interface_id, family(prefix)) NULLS NOT DISTINCT;
CREATE INDEX address_ranges_by_interface ON address_ranges (interface_id);

-- Whoever applies generations is told which interface has a new one.
CREATE FUNCTION announce_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wgfleet_generations', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER interfaces_announce AFTER UPDATE OF desired_generation ON interfaces
    FOR EACH ROW WHEN (NEW.desired_generation > OLD.desired_generation) EXECUTE FUNCTION announce_generation();
