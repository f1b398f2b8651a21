//! Makes deliveries out of the events that a receiver has not come to.

use sqlx::PgPool;

use crate::db::events::{self, Event, Filter};
use crate::db::{Span, deliveries, webhooks};
use crate::domain::webhook::{Message, is_told};
use crate::fleet::Result;

/// Events taken at once, so that no transaction takes long.
const AT_ONCE: i64 = 500;

/// Brings one receiver that is behind further. False: none is, or others are at it.
pub(super) async fn one(pool: &PgPool) -> Result<bool> {
    let mut tx = pool.begin().await?;
    let Some(behind) = webhooks::hold_one_behind(&mut tx).await? else {
        return Ok(false);
    };
    let span = Span {
        after: behind.seen.0,
        limit: AT_ONCE,
    };
    let new = events::list(&mut *tx, &Filter::default(), span).await?;
    let Some(last) = new.last().map(|event| event.id) else {
        return Ok(false);
    };
    let (mut ids, mut bodies) = (Vec::new(), Vec::new());
    for event in &new {
        if is_told(&behind.kinds, &event.topic, &event.kind) {
            ids.push(event.id.0);
            bodies.push(serde_json::to_string(&message(event))?);
        }
    }
    deliveries::insert(&mut *tx, behind.id, &ids, &bodies).await?;
    webhooks::see(&mut *tx, behind.id, last).await?;
    tx.commit().await?;
    Ok(true)
}

fn message(event: &Event) -> Message<'_> {
    Message {
        id: event.id,
        at: event.at,
        topic: &event.topic,
        kind: &event.kind,
        object: &event.object,
        data: &event.data,
    }
}
