//! Receivers of events: made, changed, deleted; and a delivery asked for once more.

use protocol::signing::Secret;
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;
use zeroize::Zeroizing;

use crate::db;
use crate::db::deliveries::Delivery;
use crate::db::webhooks::{Row, Webhook, WriteError};
use crate::domain::ids::{DeliveryId, WebhookId};
use crate::domain::names::Label;
use crate::domain::webhook::WebhookUrl;
use crate::fleet::change::{Call, Change, NOTHING};
use crate::fleet::{Fleet, FleetError, Refusal, Result};
use crate::keyring::{Column, Place, Sealed};
use crate::random;

#[derive(Debug)]
pub struct NewWebhook {
    pub name: Label,
    pub url: WebhookUrl,
    pub kinds: Vec<String>,
    pub enabled: bool,
    /// None: one is made up.
    pub secret: Option<Secret>,
}

/// What to replace; the rest stays.
#[derive(Debug, Default)]
pub struct Changes {
    pub name: Option<Label>,
    pub url: Option<WebhookUrl>,
    pub kinds: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub secret: Option<Secret>,
}

/// Answers with the secret if it was made up here: nobody is shown it again.
pub async fn create(
    fleet: &Fleet,
    call: &Call,
    new: NewWebhook,
) -> Result<(Webhook, Option<Secret>)> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let id = db::webhooks::next_id(change.db()).await?;
    let generated = new.secret.is_none();
    let secret = new.secret.unwrap_or_else(fresh_secret);
    let sealed = seal(fleet, id, &secret);
    let row = Row {
        name: new.name.as_str(),
        url: new.url.as_str(),
        kinds: &new.kinds,
        enabled: new.enabled,
    };
    db::webhooks::insert(change.db(), id, row, &sealed.bytes, sealed.data_key_id)
        .await
        .map_err(name_taken)?;
    let webhook = find(change.db(), id).await?;
    let (object, seen) = (object(id), Seen::of(&webhook));
    change
        .event("webhooks", "webhook.created", &object, &seen)
        .await?;
    change
        .finish("webhook.create", &object, NOTHING, Some(&seen))
        .await?;
    Ok((webhook, generated.then_some(secret)))
}

pub async fn change(
    fleet: &Fleet,
    call: &Call,
    id: WebhookId,
    changes: Changes,
) -> Result<Webhook> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(change.db(), call, id).await?;
    let row = Row {
        name: changes.name.as_ref().map_or(&before.name, Label::as_str),
        url: changes.url.as_ref().map_or(&before.url, WebhookUrl::as_str),
        kinds: changes.kinds.as_deref().unwrap_or(&before.kinds),
        enabled: changes.enabled.unwrap_or(before.enabled),
    };
    db::webhooks::update(change.db(), id, row)
        .await
        .map_err(name_taken)?;
    if let Some(secret) = &changes.secret {
        let sealed = seal(fleet, id, secret);
        db::webhooks::reseal(change.db(), id, &sealed.bytes, sealed.data_key_id).await?;
    }
    let after = find(change.db(), id).await?;
    let (object, seen) = (object(id), Seen::of(&after));
    change
        .event("webhooks", "webhook.changed", &object, &seen)
        .await?;
    change
        .finish(
            "webhook.change",
            &object,
            Some(&Seen::of(&before)),
            Some(&seen),
        )
        .await?;
    Ok(after)
}

/// Deletes a receiver, and its deliveries with it.
pub async fn delete(fleet: &Fleet, call: &Call, id: WebhookId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(change.db(), call, id).await?;
    db::webhooks::delete(change.db(), id).await?;
    let (object, seen) = (object(id), Seen::of(&before));
    change
        .event("webhooks", "webhook.deleted", &object, &seen)
        .await?;
    change
        .finish("webhook.delete", &object, Some(&seen), NOTHING)
        .await
}

/// Sends a delivery once more, now and whatever became of it: the same bytes, with the patience of a new one.
///
/// No event tells of it, or a receiver of all events would be told of each of its own replays.
pub async fn replay(
    fleet: &Fleet,
    call: &Call,
    id: WebhookId,
    delivery: DeliveryId,
) -> Result<Delivery> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    hold(change.db(), call, id).await?;
    if !db::deliveries::want_again(change.db(), id, delivery).await? {
        return Err(Refusal::missing("delivery", delivery).into());
    }
    let after = db::deliveries::find(change.db(), id, delivery).await?;
    let after = after.ok_or_else(|| Refusal::missing("delivery", delivery))?;
    let told = json!({"delivery": delivery, "event": after.event});
    change
        .finish("webhook.replay", &object(id), NOTHING, Some(&told))
        .await?;
    Ok(after)
}

/// Where the secret of a receiver is sealed.
pub(super) fn place(id: WebhookId) -> Place {
    Place::new(Column::Webhook, id)
}

/// What audit and events show of a receiver. Its address may hold a token of its own, so only its origin is told.
#[derive(Serialize)]
struct Seen<'a> {
    name: &'a str,
    origin: String,
    kinds: &'a [String],
    enabled: bool,
}

impl<'a> Seen<'a> {
    fn of(webhook: &'a Webhook) -> Self {
        let url = WebhookUrl::parse(&webhook.url);
        Self {
            name: &webhook.name,
            origin: url.map_or_else(|_| String::new(), |url| url.origin()),
            kinds: &webhook.kinds,
            enabled: webhook.enabled,
        }
    }
}

async fn hold(db: &mut PgConnection, call: &Call, id: WebhookId) -> Result<Webhook> {
    db::webhooks::lock(&mut *db, id).await?;
    let webhook = find(db, id).await?;
    call.check_version(&object(id), webhook.version)?;
    Ok(webhook)
}

async fn find(db: &mut PgConnection, id: WebhookId) -> Result<Webhook> {
    let found = db::webhooks::find(db, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("webhook", id))?)
}

fn object(id: WebhookId) -> String {
    format!("webhook/{id}")
}

fn seal(fleet: &Fleet, id: WebhookId, secret: &Secret) -> Sealed {
    fleet.keyring.seal(&place(id), secret.reveal().as_bytes())
}

fn fresh_secret() -> Secret {
    let digits = Zeroizing::new(hex::encode(random::bytes::<32>()));
    Secret::parse(&digits)
        .expect("32 random bytes as good as never have fewer than 8 different digits")
}

fn name_taken(err: WriteError) -> FleetError {
    match err {
        WriteError::NameTaken => {
            Refusal::conflict("name_taken", "a webhook with this name exists").into()
        }
        WriteError::Db(err) => err.into(),
    }
}
