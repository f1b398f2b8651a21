//! Rotating the secret: offer, activate, remove. Every step may be repeated.

use actix_web::web;
use protocol::wire::KeyExchange;
use protocol::wire::answers::Done;

use super::answer::Answer;
use super::route::Route;
use super::{Agent, Request, no_body, parse};
use crate::auth::{Ring, Role, RotationError};
use crate::clock;

pub(super) async fn change(
    agent: &web::Data<Agent>,
    request: &Request<'_>,
) -> Result<Answer, Answer> {
    if request.caller.role == Role::Retiring {
        return Err(Answer::error(
            403,
            "retiring_secret",
            "a secret that was replaced changes no secrets",
        ));
    }
    let at = request.caller.timestamp;
    match request.route.clone() {
        Route::Secrets => {
            let KeyExchange { id, public_key } = parse(&request.body)?;
            let verifying = request.caller.secret.clone();
            let mut random = [0; 32];
            getrandom::fill(&mut random)
                .map_err(|_| Answer::later("busy", "the system gives no random bytes"))?;
            let asked = id.clone();
            let exchange =
                move |ring: &mut Ring| ring.exchange(&asked, &public_key, &verifying, random, at);
            let public_key = on_ring(agent, exchange).await?;
            Ok(Answer::json(200, &KeyExchange { id, public_key }))
        }
        Route::Activate { id } => {
            no_body(&request.body)?;
            on_ring(agent, move |ring| ring.activate(&id, clock::now(), at)).await?;
            tracing::info!("the secret was replaced");
            Ok(Answer::json(
                200,
                &Done::new("Secret activated successfully"),
            ))
        }
        Route::Secret { id } => {
            no_body(&request.body)?;
            on_ring(agent, move |ring| ring.remove(&id, at)).await?;
            Ok(Answer::json(200, &Done::new("Secret removed successfully")))
        }
        _ => Err(Answer::error(
            404,
            "not_found",
            "there is nothing at this path",
        )),
    }
}

/// Changes the ring away from the thread that serves other connections: it waits for the disk.
async fn on_ring<T: Send + 'static>(
    agent: &web::Data<Agent>,
    change: impl FnOnce(&mut Ring) -> Result<T, RotationError> + Send + 'static,
) -> Result<T, Answer> {
    let agent = agent.clone();
    let changed = web::block(move || agent.auth.change_ring(change)).await;
    Ok(changed.map_err(|_| Answer::later("stopping", "the agent is stopping"))??)
}
