CREATE TABLE peers (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    network_id  BIGINT NOT NULL CONSTRAINT peers_network REFERENCES networks,
    -- Null: any node that serves the network.
    pool_id     BIGINT CONSTRAINT peers_pool REFERENCES pools,
    name        TEXT NOT NULL,
    public_key  TEXT NOT NULL CONSTRAINT peers_public_key_key UNIQUE
                CONSTRAINT peers_public_key_is_base64 CHECK (public_key ~ '^[A-Za-z0-9+/]{43}=$'),
    kind        TEXT NOT NULL DEFAULT 'static' CONSTRAINT peers_kind_known CHECK (kind IN ('static', 'managed')),
    owner_id    BIGINT CONSTRAINT peers_owner REFERENCES users ON DELETE SET NULL,
    tags        TEXT[] NOT NULL DEFAULT '{}',
    notes       TEXT NOT NULL DEFAULT '',
    -- What its configuration says; null: as the network's.
    keepalive_s INTEGER CONSTRAINT peers_keepalive_fits CHECK (keepalive_s BETWEEN 0 AND 65535),
    enabled     BOOLEAN NOT NULL DEFAULT true,
    isolated_at TIMESTAMPTZ,
    expires_at  TIMESTAMPTZ,
    -- Set when the time has come, together with the generation that takes the peer off its interfaces.
    expired     BOOLEAN NOT NULL DEFAULT false,
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT peers_name_key UNIQUE (network_id, name)
);
CREATE INDEX peers_by_pool ON peers (pool_id);
CREATE INDEX peers_by_owner ON peers (owner_id);
CREATE INDEX peers_by_tag ON peers USING gin (tags);
CREATE INDEX peers_by_expiry ON peers (expires_at) WHERE expires_at IS NOT NULL AND NOT expired;
CREATE INDEX peers_search ON peers USING gin (name gin_trgm_ops, public_key gin_trgm_ops, notes gin_trgm_ops);

-- Networks behind a peer, which its interface routes to it.
CREATE TABLE peer_routes (
    peer_id    BIGINT NOT NULL CONSTRAINT peer_routes_peer REFERENCES peers ON DELETE CASCADE,
    network_id BIGINT NOT NULL CONSTRAINT peer_routes_network REFERENCES networks,
    prefix     CIDR NOT NULL,
    PRIMARY KEY (peer_id, prefix),
    -- WireGuard would give an overlap to whoever claimed it last.
    CONSTRAINT peer_routes_no_overlap EXCLUDE USING gist (network_id WITH =, prefix inet_ops WITH &&)
);

-- Who has which address. A row without a holder rests until it may be given again.
CREATE TABLE ip_allocations (
    network_id   BIGINT NOT NULL CONSTRAINT ip_allocations_network REFERENCES networks ON DELETE CASCADE,
    address      INET NOT NULL CONSTRAINT ip_allocations_is_host CHECK (masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END),
    peer_id      BIGINT CONSTRAINT ip_allocations_peer REFERENCES peers ON DELETE SET NULL,
    interface_id BIGINT CONSTRAINT ip_allocations_interface REFERENCES interfaces ON DELETE SET NULL,
    allocated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    released_at  TIMESTAMPTZ,
    PRIMARY KEY (network_id, address),
    CONSTRAINT ip_allocations_one_holder CHECK (peer_id IS NULL OR interface_id IS NULL)
);
CREATE INDEX ip_allocations_by_peer ON ip_allocations (peer_id);
CREATE INDEX ip_allocations_by_interface ON ip_allocations (interface_id) WHERE interface_id IS NOT NULL;
CREATE INDEX ip_allocations_resting ON ip_allocations (network_id, released_at) WHERE released_at IS NOT NULL;
CREATE INDEX ip_allocations_by_address ON ip_allocations (address);

-- A holder that disappears leaves a resting address, whichever way it disappeared.
CREATE FUNCTION release_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.peer_id IS NULL AND NEW.interface_id IS NULL AND NEW.released_at IS NULL THEN
        NEW.released_at := now();
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ip_allocations_release BEFORE INSERT OR UPDATE ON ip_allocations
    FOR EACH ROW EXECUTE FUNCTION release_address();

-- A peer on an interface: what is made true.
CREATE TABLE placements (
    interface_id BIGINT NOT NULL CONSTRAINT placements_interface REFERENCES interfaces,
    peer_id      BIGINT NOT NULL CONSTRAINT placements_peer REFERENCES peers ON DELETE CASCADE,
    -- The peer's only home; false where its pool places on all members.
    sole         BOOLEAN NOT NULL DEFAULT true,
    psk_sealed   BYTEA,
    psk_key_id   BIGINT CONSTRAINT placements_data_key REFERENCES data_keys,
    -- Adopted from a node together with a preshared key that only the node knows.
    psk_unknown  BOOLEAN NOT NULL DEFAULT false,
    -- What the node itself sends to the peer; 0 is off. The peer's own keepalive is in its configuration.
    keepalive_s  INTEGER NOT NULL DEFAULT 0 CONSTRAINT placements_keepalive_fits CHECK (keepalive_s BETWEEN 0 AND 65535),
    -- The interface's generation in which this row, or what it says of the peer, last changed.
    generation   BIGINT NOT NULL,
    -- Why this interface: the candidates in order, and what each of them lacked.
    ranking      JSONB,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (interface_id, peer_id),
    CONSTRAINT placements_psk_whole CHECK ((psk_sealed IS NULL) = (psk_key_id IS NULL)),
    CONSTRAINT placements_psk_known_or_not CHECK (NOT (psk_unknown AND psk_sealed IS NOT NULL))
);
CREATE INDEX placements_by_peer ON placements (peer_id);
CREATE UNIQUE INDEX placements_one_home ON placements (peer_id) WHERE sole;
CREATE INDEX placements_by_generation ON placements (interface_id, generation);

CREATE FUNCTION count_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE interfaces SET placed = placed + n
        FROM (SELECT interface_id, count(*)::int AS n FROM new_rows GROUP BY 1 ORDER BY 1) AS added
        WHERE id = added.interface_id;
    ELSE
        UPDATE interfaces SET placed = placed - n
        FROM (SELECT interface_id, count(*)::int AS n FROM old_rows GROUP BY 1 ORDER BY 1) AS gone
        WHERE id = gone.interface_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER placements_count_in AFTER INSERT ON placements
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_placed();
CREATE TRIGGER placements_count_out AFTER DELETE ON placements
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_placed();

-- Keys that left an interface and are not yet known to be gone from its node.
CREATE TABLE departures (
    interface_id BIGINT NOT NULL CONSTRAINT departures_interface REFERENCES interfaces ON DELETE CASCADE,
    public_key   TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    PRIMARY KEY (interface_id, public_key)
);

-- Keys of peers that were deleted, or that a peer gave up. They are removed wherever they are seen.
CREATE TABLE retired_keys (
    public_key TEXT PRIMARY KEY,
    peer_name  TEXT NOT NULL,
    network_id BIGINT,
    retired_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The configuration text that was last handed out, so that one that no longer fits is known.
CREATE TABLE issued_configs (
    peer_id   BIGINT NOT NULL CONSTRAINT issued_configs_peer REFERENCES peers ON DELETE CASCADE,
    mode      TEXT NOT NULL CONSTRAINT issued_configs_mode_known CHECK (mode IN ('split', 'full', 'node-only')),
    hash      BYTEA NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (peer_id, mode)
);
