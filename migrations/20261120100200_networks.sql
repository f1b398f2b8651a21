-- A network is an address space with DNS and MTU. Its prefixes are in address_ranges.
CREATE TABLE networks (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          TEXT NOT NULL CONSTRAINT networks_name_key UNIQUE,
    domain_suffix TEXT NOT NULL DEFAULT 'internal',
    dns           INET[] NOT NULL DEFAULT '{}',
    mtu           INTEGER CONSTRAINT networks_mtu_sane CHECK (mtu BETWEEN 1280 AND 65535),
    keepalive_s   INTEGER NOT NULL DEFAULT 25 CONSTRAINT networks_keepalive_fits CHECK (keepalive_s BETWEEN 0 AND 65535),
    version       BIGINT NOT NULL DEFAULT 1,
    created_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at    TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Addresses that nobody gets.
CREATE TABLE reserved_ranges (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    network_id BIGINT NOT NULL CONSTRAINT reserved_ranges_network REFERENCES networks ON DELETE CASCADE,
    prefix     CIDR NOT NULL,
    reason     TEXT NOT NULL DEFAULT '',
    CONSTRAINT reserved_ranges_no_overlap EXCLUDE USING gist (prefix inet_ops WITH &&)
);
CREATE INDEX reserved_ranges_by_network ON reserved_ranges (network_id);
