//! What the database takes by itself for the rows of one thing, in tables like the controller's own, in its cluster.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tests::simulator::identity;

use super::database::Database;
use crate::sample::time;

/// Tables of the same columns and indexes, so that nothing that is measured is disturbed.
const TABLES: [&str; 4] = [
    "CREATE TABLE bench_observations (LIKE observations INCLUDING ALL) WITH (fillfactor = 70)",
    "INSERT INTO bench_observations SELECT * FROM observations",
    "CREATE TABLE bench_peers (LIKE peers INCLUDING ALL)",
    "VACUUM ANALYZE",
];

impl Database {
    /// Makes the tables. The observations are those of this moment.
    pub(crate) fn make_bare_tables(&self) {
        for statement in TABLES {
            self.run(statement);
        }
    }

    /// One statement that books another look at so many peers of each node.
    pub(crate) fn bare_observations(&self, nodes: usize, peers: usize) -> Duration {
        let keys: Vec<String> = (0..nodes)
            .flat_map(|node| (0..peers).map(move |number| (node, number)))
            .map(|(node, number)| identity::peer(node, number).0.to_string())
            .collect();
        let update = "UPDATE bench_observations SET rx_counter = rx_counter + 1, rx_total = rx_total + 1, \
             tx_counter = tx_counter + 1, tx_total = tx_total + 1, handshake_at = now(), changed_at = now() \
             FROM unnest($1::text[]) AS given (key) WHERE public_key = given.key";
        self.timed(sqlx::query(update).bind(keys))
    }

    /// One statement that adds so many peers.
    pub(crate) fn bare_peers(&self, first: usize, count: usize) -> Duration {
        let numbers = first..first + count;
        let names: Vec<String> = numbers.clone().map(|n| format!("bare-{n}")).collect();
        let keys: Vec<String> = numbers
            .map(|n| identity::peer(identity::MOST_NODES, n).0.to_string())
            .collect();
        let insert = "INSERT INTO bench_peers (network_id, name, public_key) \
             SELECT 1, name, key FROM unnest($1::text[], $2::text[]) AS given (name, key)";
        self.timed(sqlx::query(insert).bind(names).bind(keys))
    }

    /// The rows of a page alone.
    pub(crate) fn bare_page(&self, after: i64) -> Duration {
        let page = format!("SELECT * FROM peers WHERE id > {after} ORDER BY id LIMIT 50");
        self.timed(sqlx::query(AssertSqlSafe(page)))
    }

    fn timed(
        &self,
        query: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Duration {
        let run = async { query.fetch_all(self.pool()).await.unwrap() };
        time(|| self.block_on(run)).0
    }
}
