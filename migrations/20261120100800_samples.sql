-- Traffic and state over time, in tiers that are dropped partition by partition.
-- A row without a peer is the interface as a whole.
CREATE TABLE samples_minute (
    at           TIMESTAMPTZ NOT NULL,
    interface_id BIGINT NOT NULL,
    peer_id      BIGINT,
    rx           BIGINT NOT NULL,
    tx           BIGINT NOT NULL,
    -- Only of an interface: peers with a fresh handshake, and seconds of the span in which the node was online.
    active       INTEGER,
    online_s     INTEGER
) PARTITION BY RANGE (at);
CREATE INDEX samples_minute_of_interface ON samples_minute (interface_id, at);
CREATE INDEX samples_minute_of_peer ON samples_minute (peer_id, at) WHERE peer_id IS NOT NULL;

CREATE TABLE samples_hour (LIKE samples_minute INCLUDING DEFAULTS) PARTITION BY RANGE (at);
CREATE INDEX samples_hour_of_interface ON samples_hour (interface_id, at);
CREATE INDEX samples_hour_of_peer ON samples_hour (peer_id, at) WHERE peer_id IS NOT NULL;

CREATE TABLE samples_day (LIKE samples_minute INCLUDING DEFAULTS) PARTITION BY RANGE (at);
CREATE INDEX samples_day_of_interface ON samples_day (interface_id, at);
CREATE INDEX samples_day_of_peer ON samples_day (peer_id, at) WHERE peer_id IS NOT NULL;

-- Up to where each tier was rolled up into the next.
CREATE TABLE sample_progress (
    tier TEXT PRIMARY KEY,
    upto TIMESTAMPTZ NOT NULL
);

-- Tables cannot be named by parameters; these two make and drop the partitions, and only such.
CREATE FUNCTION make_samples_partition(tier TEXT, lower_end TIMESTAMPTZ, upper_end TIMESTAMPTZ) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        'samples_' || tier || '_' || extract(epoch FROM lower_end)::bigint, 'samples_' || tier, lower_end, upper_end);
END
$$;
CREATE FUNCTION drop_samples_partition(tier TEXT, lower_end TIMESTAMPTZ) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I', 'samples_' || tier || '_' || extract(epoch FROM lower_end)::bigint);
END
$$;

-- All tiers side by side, for reading.
CREATE VIEW samples AS
    SELECT 'minute' AS tier, at, interface_id, peer_id, rx, tx, active, online_s FROM samples_minute
    UNION ALL SELECT 'hour', at, interface_id, peer_id, rx, tx, active, online_s FROM samples_hour
    UNION ALL SELECT 'day', at, interface_id, peer_id, rx, tx, active, online_s FROM samples_day;
