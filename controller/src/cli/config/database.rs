//! Whether the database that the settings name answers. It looks at nothing in it.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::cli::Failure;
use crate::cli::exit::chain;
use crate::config::DatabaseUrl;

/// A person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connects once; what is wrong comes back as words, without the address.
pub(super) fn check_database(url: &DatabaseUrl) -> Result<Result<(), String>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    Ok(runtime.block_on(async {
        match tokio::time::timeout(PATIENCE, connect(url)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(err)) => Err(format!("cannot be reached: {}", chain(&err))),
            Err(_) => Err(format!("does not answer within {} s", PATIENCE.as_secs())),
        }
    }))
}

async fn connect(url: &DatabaseUrl) -> Result<(), sqlx::Error> {
    let options: PgConnectOptions = url.reveal().parse()?;
    options.connect().await?.close().await
}
