//! How the fleet is: counted at one moment and judged.

use super::{Fleet, Result};
use crate::db;
use crate::domain::status::{self, Facts, Overall, Reason};

#[derive(Debug)]
pub struct Status {
    pub overall: Overall,
    pub reasons: Vec<Reason>,
    pub facts: Facts,
    /// What the database server calls itself.
    pub database: String,
}

pub async fn read(fleet: &Fleet) -> Result<Status> {
    let (facts, database) = db::status::facts(&fleet.pool).await?;
    let reasons = status::judge(&facts);
    Ok(Status {
        overall: status::overall(&reasons),
        reasons,
        facts,
        database,
    })
}
