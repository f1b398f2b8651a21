//! Reaches a server that may not be up yet, in bounded time.
//!
//! Only what passes by itself is waited for: a refused password stays refused.

use std::io;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use super::DatabaseError;

const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A server that swallows packets must not use up the whole time with one attempt.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);

const STARTING_OR_STOPPING: &str = "57P03";
const TOO_MANY_CONNECTIONS: &str = "53300";

pub(super) fn parse(url: &str) -> Result<PgConnectOptions, DatabaseError> {
    let options: PgConnectOptions = url.parse().map_err(DatabaseError::Url)?;
    Ok(options.application_name("wgfleet"))
}

/// Connects, however often that takes within `limit`.
pub(super) async fn wait(
    options: &PgConnectOptions,
    limit: Duration,
) -> Result<PgConnection, DatabaseError> {
    let deadline = Instant::now() + limit;
    let mut pause = PAUSE;
    let mut told = false;
    loop {
        let source = match attempt(options).await {
            Ok(connection) => return Ok(connection),
            Err(source) => source,
        };
        let server = server(options);
        if !passes_by_itself(&source) {
            return Err(DatabaseError::Refused { server, source });
        }
        if Instant::now() + pause >= deadline {
            return Err(DatabaseError::Silent {
                server,
                waited_s: limit.as_secs(),
                source,
            });
        }
        // A server that starts together with the controller is not worth a line.
        if pause == LONGEST_PAUSE && !told {
            told = true;
            tracing::warn!(
                error = &source as &dyn std::error::Error,
                "waiting for {server}"
            );
        }
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

async fn attempt(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    tokio::time::timeout(ATTEMPT_LIMIT, PgConnection::connect_with(options))
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
}

fn passes_by_itself(err: &sqlx::Error) -> bool {
    match err {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(refusal) => matches!(
            refusal.code().as_deref(),
            Some(STARTING_OR_STOPPING | TOO_MANY_CONNECTIONS)
        ),
        _ => false,
    }
}

/// Names the server without what is secret about it.
fn server(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => format!("Postgres at {}", socket.display()),
        None => format!("Postgres at {}:{}", options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_its_password() {
        let named = |url| server(&parse(url).unwrap());

        assert_eq!(
            named("postgres://app:hunter2@db.example.com:6000/app"),
            "Postgres at db.example.com:6000"
        );
        assert_eq!(
            named("postgres:///app?host=/run/postgresql&password=hunter2"),
            "Postgres at /run/postgresql"
        );
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_it() {
        let err = parse("host=db password=hunter2").unwrap_err();

        assert!(!format!("{err} {err:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_given_up_in_time() {
        let options = parse("postgres:///app?host=/nonexistent").unwrap();
        let started = Instant::now();

        let err = wait(&options, Duration::from_millis(300))
            .await
            .unwrap_err();

        assert!(matches!(err, DatabaseError::Silent { .. }), "{err}");
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
