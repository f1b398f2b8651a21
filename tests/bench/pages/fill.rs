//! What a fleet has besides nodes and peers after some time: pools, owners, states of all kinds, and samples.

use crate::fleet::database::Database;

const ROWS: [&str; 10] = [
    "INSERT INTO pools (name) SELECT 'pool-' || n FROM generate_series(1, 10) AS n",
    "INSERT INTO pool_members (pool_id, node_id) SELECT id % 10 + 1, id FROM nodes",
    "UPDATE peers SET pool_id = id % 10 + 1 WHERE id % 3 = 0",
    "INSERT INTO users (name, role) SELECT 'user-' || n, 'viewer' FROM generate_series(1, 200) AS n",
    "UPDATE peers SET owner_id = (SELECT min(id) FROM users) + id % 200 WHERE id % 2 = 0",
    "UPDATE peers SET enabled = false WHERE id % 50 = 0",
    "UPDATE peers SET expired = true, expires_at = now() - interval '1 day' WHERE id % 97 = 0",
    "UPDATE peers SET isolated_at = now() WHERE id % 1009 = 0",
    "INSERT INTO samples_hour (at, interface_id, peer_id, rx, tx, active, online_s) \
     SELECT date_trunc('hour', now()) - n * interval '1 hour', id, NULL, 1000000 * (n + 1), 500000, 100, 3600 \
     FROM interfaces, generate_series(1, 167) AS n",
    "INSERT INTO samples_minute (at, interface_id, peer_id, rx, tx, active, online_s) \
     SELECT date_trunc('minute', now()) - n * interval '1 minute', id, NULL, 100000, 50000, 100, 60 \
     FROM interfaces, generate_series(1, 120) AS n",
];

/// Room for samples from before the controller began: its partitions are named by when they begin.
const EARLIER: &str = "SELECT make_samples_partition('$tier', first - interval '10 days', first) FROM ( \
     SELECT to_timestamp(min(substring(relname FROM '\\d+$')::bigint)) AS first FROM pg_class \
     WHERE relkind = 'r' AND relname ~ '^samples_$tier_\\d+$') AS own";

pub(super) fn around(database: &Database) {
    for tier in ["minute", "hour"] {
        database.run(&EARLIER.replace("$tier", tier));
    }
    for statement in ROWS {
        database.run(statement);
    }
    // A peer in a hundred has traffic over a week.
    database.run(
        "INSERT INTO samples_hour (at, interface_id, peer_id, rx, tx) \
         SELECT date_trunc('hour', now()) - n * interval '1 hour', interface_id, peer_id, 10000 * n, 5000 \
         FROM placements, generate_series(1, 167) AS n WHERE peer_id % 100 = 0",
    );
    // And five sessions a day over three months.
    database.run(
        "INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, endpoint, connected_at, \
             rx_from, tx_from, disconnected_at, rx, tx) \
         SELECT peers.id, interface_id, node_id, 'node', peers.public_key, '198.51.100.7:4711', \
             now() - n * interval '5 hours', 0, 0, now() - n * interval '5 hours' + interval '2 hours', 1000000, 50000 \
         FROM peers JOIN placements ON peer_id = peers.id JOIN interfaces ON interfaces.id = interface_id, \
             generate_series(1, 450) AS n \
         WHERE peers.id % 100 = 0 ORDER BY n DESC",
    );
    // A tenth is in touch as long as this takes, and the sessions of the others have ended: as it is where nodes are asked.
    database.run(
        "UPDATE observations SET handshake_at = now() + interval '1 hour' WHERE peer_id % 10 = 0",
    );
    database.run(
        "UPDATE peer_sessions SET disconnected_at = connected_at, rx = 0, tx = 0 \
         WHERE disconnected_at IS NULL AND peer_id % 10 <> 0",
    );
    database.run("VACUUM ANALYZE");
}
