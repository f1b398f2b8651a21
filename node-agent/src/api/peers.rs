//! Peers: added, changed and removed one by one, in batches, and as a full set.

use std::mem;

use protocol::wire::answers::{Done, PeerNamed};
use protocol::wire::{Batch, FullSet, PeerSpec, PeerUpdate};

use super::answer::Answer;
use super::route::Route;
use super::{Agent, Request, ask, no_body, parse};
use crate::plan::Write;
use crate::writer::{Handle, Job, Outcome, WriteJob};

pub(super) async fn change(agent: &Agent, request: &mut Request<'_>) -> Result<Answer, Answer> {
    match (&request.route, request.method) {
        (
            Route::Peers {
                remove_foreign: true,
                ..
            },
            "POST" | "PATCH",
        ) => {
            let sentence = "foreign=remove goes with a full set alone";
            Err(Answer::error(400, "unknown_parameter", sentence))
        }
        (Route::Peers { name, .. }, "POST") => add(agent.writer(name)?, request).await,
        (Route::Peers { name, .. }, "PATCH") => batch(agent.writer(name)?, request).await,
        (
            Route::Peers {
                name,
                remove_foreign,
            },
            "PUT",
        ) => full_set(agent.writer(name)?, request, *remove_foreign).await,
        (Route::Peer { name, key }, "PUT") => {
            let update: PeerUpdate = parse(&request.body)?;
            write(agent.writer(name)?, request, Write::Update(*key, update)).await?;
            Ok(Answer::json(200, &Done::new("Peer updated successfully")))
        }
        (Route::Peer { name, key }, "DELETE") => {
            no_body(&request.body)?;
            write(agent.writer(name)?, request, Write::Remove(*key)).await?;
            Ok(Answer::json(200, &Done::new("Peer removed successfully")))
        }
        _ => Err(Answer::error(
            404,
            "not_found",
            "there is nothing at this path",
        )),
    }
}

async fn add(writer: &Handle, request: &Request<'_>) -> Result<Answer, Answer> {
    let spec: PeerSpec = parse(&request.body)?;
    let named = PeerNamed {
        public_key: spec.public_key,
        allowed_ips: spec.allowed_ips.clone(),
    };
    let outcome = write(writer, request, Write::Add(spec)).await?;
    let created = matches!(outcome, Outcome::Peer { created: true });
    let done = Done {
        peer: Some(named),
        ..Done::new("Peer added successfully")
    };
    Ok(Answer::json(if created { 201 } else { 200 }, &done))
}

async fn batch(writer: &Handle, request: &mut Request<'_>) -> Result<Answer, Answer> {
    let batch: Batch = parse(&mem::take(&mut request.body))?;
    let outcome = write(writer, request, Write::Batch(batch)).await?;
    Ok(in_sync("Batch applied successfully", outcome))
}

async fn full_set(
    writer: &Handle,
    request: &mut Request<'_>,
    remove_foreign: bool,
) -> Result<Answer, Answer> {
    let set: FullSet = parse(&mem::take(&mut request.body))?;
    let outcome = write(
        writer,
        request,
        Write::FullSet {
            set,
            remove_foreign,
        },
    )
    .await?;
    Ok(in_sync("Peers replaced successfully", outcome))
}

/// The answer to a write after which the caller wants to know where the interface stands.
pub(super) fn in_sync(message: &str, outcome: Outcome) -> Answer {
    let in_sync = match outcome {
        Outcome::InSync(in_sync) => Some(in_sync),
        Outcome::Peer { .. } => None,
    };
    Answer::json(
        200,
        &Done {
            in_sync,
            ..Done::new(message)
        },
    )
}

async fn write(writer: &Handle, request: &Request<'_>, write: Write) -> Result<Outcome, Answer> {
    let request = request.caller.timestamp;
    ask(writer, |reply| {
        Job::Write(WriteJob {
            write,
            request,
            reply,
        })
    })
    .await
}
