//! How the fleet is: counted in one snapshot and judged.

use super::{Fleet, Result};
use crate::db;
use crate::domain::status::{self, Facts, Overall, Pending, Reason};

#[derive(Debug)]
pub struct Status {
    pub overall: Overall,
    pub reasons: Vec<Reason>,
    pub facts: Facts,
    /// What the database server calls itself.
    pub database: String,
}

pub async fn read(fleet: &Fleet) -> Result<Status> {
    let mut snapshot = db::snapshot(&fleet.pool).await?;
    let interfaces = db::status::interfaces(&mut *snapshot).await?;
    let facts = Facts {
        nodes: db::status::nodes(&mut *snapshot).await?,
        pools: db::status::pools(&mut *snapshot).await?,
        peers: db::status::peers(&mut *snapshot).await?,
        pending: Pending {
            interfaces: interfaces.behind,
            webhook_deliveries: db::figures::waiting_deliveries(&mut *snapshot).await?,
        },
        interfaces,
    };
    let database = db::status::server_version(&mut *snapshot).await?;
    snapshot.commit().await?;
    let reasons = status::judge(&facts);
    Ok(Status {
        overall: status::overall(&reasons),
        reasons,
        facts,
        database,
    })
}
