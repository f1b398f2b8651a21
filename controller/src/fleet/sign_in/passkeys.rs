//! Passkeys: made by whoever is signed in, and a way in that needs neither name nor password.
//!
//! A passkey verifies its owner by itself (a finger, a PIN), so nobody is asked for a second factor after one. What the
//! browser gets and sends back is JSON as `navigator.credentials` takes and gives it; what stands in it, only the
//! library knows that implements WebAuthn.

use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::{Denied, Result, come_in, limits, note};
use crate::clock;
use crate::db::passkeys::{self, InsertError};
use crate::db::sign_in_steps::{self as steps, Kind, Step};
use crate::db::users;
use crate::domain::ids::{PasskeyId, UserId};
use crate::domain::session::Method;
use crate::domain::token::TokenHash;
use crate::fleet::change::{Call, Change, NOTHING};
use crate::fleet::sessions::{Begun, Visitor};
use crate::fleet::{Fleet, FleetError, Refusal, factors};

const NAME: &str = "wgfleet";

/// For which address passkeys are made. None where it has no name: browsers make none for bare addresses.
///
/// Without an address for people, those of this machine are served.
pub fn relying_party(
    base_url: Option<&Url>,
) -> std::result::Result<Option<Webauthn>, WebauthnError> {
    let here = Url::parse("http://localhost").expect("this is an address");
    let origin = base_url.unwrap_or(&here);
    let Some(domain) = origin.domain() else {
        return Ok(None);
    };
    let builder = WebauthnBuilder::new(domain, origin)?;
    let builder = builder.rp_name(NAME).allow_any_port(base_url.is_none());
    builder.build().map(Some)
}

/// Begins to make a passkey: for `navigator.credentials.create`.
pub async fn begin_registration(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    user: UserId,
) -> Result<Value> {
    let party = party(fleet)?;
    let row = users::find(&fleet.pool, user).await?;
    let row = row.ok_or_else(|| Refusal::missing("user", user))?;
    let known = passkeys::credential_ids(&fleet.pool, user).await?;
    let (challenge, state) = party
        .start_passkey_registration(handle(fleet, user), &row.name, &row.name, Some(known))
        .map_err(|_| FleetError::Corrupt("a passkey"))?;
    put(
        fleet,
        &visitor.browser,
        Kind::PasskeyRegistration,
        Some(user),
        json(&state)?,
    )
    .await?;
    let mut challenge = json(&challenge)?;
    // Whoever signs in says no name, so the device has to know whose passkey it is.
    let wanted = &mut challenge["publicKey"]["authenticatorSelection"];
    wanted["residentKey"] = json!("required");
    wanted["requireResidentKey"] = json!(true);
    Ok(challenge)
}

/// Keeps the passkey that a device made; `answer` is its JSON.
pub async fn finish_registration(
    fleet: &Fleet,
    call: &Call,
    visitor: &Visitor<'_>,
    user: UserId,
    name: &str,
    answer: &str,
) -> Result<PasskeyId> {
    factors::check_name(name)?;
    let now = clock::now();
    let step = steps::take(
        &fleet.pool,
        &visitor.browser,
        Kind::PasskeyRegistration,
        now,
    )
    .await?;
    let step = step.filter(|step| step.user == Some(user));
    let state: PasskeyRegistration = state(step.ok_or(Denied::Expired)?)?;
    let answer: RegisterPublicKeyCredential =
        serde_json::from_str(answer).map_err(|_| Denied::WrongPasskey)?;
    let made = party(fleet)?.finish_passkey_registration(&answer, &state);
    let made = made.map_err(|_| Denied::WrongPasskey)?;
    let mut change = Change::begin(&fleet.pool, call).await?;
    let credential = json(&made)?;
    let id = made.cred_id().as_slice();
    let inserted = passkeys::insert(change.db(), user, name, id, &credential, now).await;
    let id = inserted.map_err(|err| match err {
        InsertError::Known => FleetError::from(Refusal::conflict("passkey_known", err.to_string())),
        InsertError::Database(err) => err.into(),
    })?;
    let object = format!("user/{user}");
    change
        .finish("passkey.add", &object, NOTHING, Some(&name))
        .await?;
    Ok(id)
}

/// Begins a sign-in: for `navigator.credentials.get`. Nobody has said who they are yet.
pub async fn begin(fleet: &Fleet, visitor: &Visitor<'_>) -> Result<Value> {
    let (challenge, state) = party(fleet)?
        .start_discoverable_authentication()
        .map_err(|_| FleetError::Corrupt("a passkey"))?;
    put(
        fleet,
        &visitor.browser,
        Kind::PasskeySignIn,
        None,
        json(&state)?,
    )
    .await?;
    let mut challenge = json(&challenge)?;
    // Whether the browser offers passkeys while a name is typed, or asks at once, is the page's affair.
    if let Some(fields) = challenge.as_object_mut() {
        fields.remove("mediation");
    }
    Ok(challenge)
}

/// Lets somebody in by what their device answered.
///
/// Counted by address only: who it is is not known before the signature is, and nobody guesses one.
pub async fn finish(fleet: &Fleet, visitor: &Visitor<'_>, answer: &str) -> Result<Begun> {
    let now = clock::now();
    let ticket = limits::admit(fleet, visitor, "", limits::Proof::NotAsked).await?;
    let step = steps::take(&fleet.pool, &visitor.browser, Kind::PasskeySignIn, now).await?;
    let state: DiscoverableAuthentication = state(step.ok_or(Denied::Expired)?)?;
    let mut tx = fleet.pool.begin().await?;
    let Some((user, name)) = verify(fleet, &mut tx, answer, state).await? else {
        tx.rollback().await?;
        note(fleet, visitor, "user/unknown", Denied::WrongPasskey).await?;
        return Err(Denied::WrongPasskey.into());
    };
    limits::refund(&mut tx, fleet, ticket).await?;
    let begun = come_in(&mut tx, visitor, user, &name, Method::Passkey).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Tells whose passkey answered, if it is one, and notes its counter.
async fn verify(
    fleet: &Fleet,
    tx: &mut sqlx::PgTransaction<'_>,
    answer: &str,
    state: DiscoverableAuthentication,
) -> Result<Option<(UserId, String)>> {
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(answer) else {
        return Ok(None);
    };
    let party = party(fleet)?;
    let Ok((claimed, id)) = party.identify_discoverable_authentication(&answer) else {
        return Ok(None);
    };
    let Some(row) = passkeys::lock(tx, id).await? else {
        return Ok(None);
    };
    let mut passkey: Passkey = serde_json::from_value(row.credential)?;
    let key = DiscoverableKey::from(&passkey);
    let Ok(result) = party.finish_discoverable_authentication_v2(&answer, state, &key) else {
        return Ok(None);
    };
    let user = users::find(&mut **tx, row.user).await?;
    let Some(user) = user.filter(|user| user.enabled && claimed == handle(fleet, user.id)) else {
        return Ok(None);
    };
    passkey.update_credential(&result);
    passkeys::note_use(&mut **tx, row.id, &json(&passkey)?, clock::now()).await?;
    Ok(Some((user.id, user.name)))
}

/// What devices know a user by: it tells nothing about them to whoever finds the device.
fn handle(fleet: &Fleet, user: UserId) -> Uuid {
    let id = fleet
        .keyring
        .fingerprint(format!("passkey of {user}").as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&id[..16]);
    Uuid::from_bytes(half)
}

fn party(fleet: &Fleet) -> Result<&Webauthn> {
    Ok(fleet.door.passkeys.as_ref().ok_or(Denied::NotConfigured)?)
}

async fn put(
    fleet: &Fleet,
    browser: &TokenHash,
    kind: Kind,
    user: Option<UserId>,
    state: Value,
) -> Result<()> {
    let expires_at = clock::now() + fleet.settings.sign_in.step_ttl;
    let state = Some(state);
    let step = Step { user, state };
    Ok(steps::put(&fleet.pool, browser, kind, &step, expires_at).await?)
}

fn state<T: serde::de::DeserializeOwned>(step: Step) -> Result<T> {
    let state = step.state.ok_or(Denied::Expired)?;
    Ok(serde_json::from_value(state)?)
}

fn json(value: &impl serde::Serialize) -> Result<Value> {
    Ok(serde_json::to_value(value)?)
}
