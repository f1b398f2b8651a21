//! The door: who comes in, how often one may try, what ends a sign-in, and what is written down of it.

mod factors;
mod forms;
mod limits;
mod oidc;
mod passkeys;
mod profile;
mod provider;
mod recheck;
mod sessions;
mod setup;
mod sign_in;

use std::net::IpAddr;

use controller::clock;
use controller::db::users::UserRow;
use controller::domain::actor::{Actor, ActorKind};
use controller::domain::password::Password;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use controller::domain::token::Token;
use controller::domain::user::UserName;
use controller::fleet::sessions::Visitor;
use controller::fleet::sign_in::{Attempt, Denied, Passed, SignInError, with_password};
use controller::fleet::users::{NewUser, PasswordHash, create};
use controller::fleet::{Call, Fleet};
use controller::random;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::stage::Running;

const PHRASE: &str = "a fine long phrase";

/// A browser somewhere.
struct Browser {
    token: Token,
    address: IpAddr,
}

impl Browser {
    fn at(address: &str) -> Self {
        Self {
            token: Token::from_random(random::bytes()),
            address: address.parse().unwrap(),
        }
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor {
            browser: self.token.hash(),
            session: None,
            address: Some(self.address),
            user_agent: Some("Firefox"),
            request_id: None,
        }
    }

    async fn tries(&self, fleet: &Fleet, name: &str, password: &str) -> Tried {
        self.tries_with(fleet, name, password, None).await
    }

    async fn tries_with(
        &self,
        fleet: &Fleet,
        name: &str,
        password: &str,
        captcha: Option<&str>,
    ) -> Tried {
        let attempt = Attempt {
            name,
            password: password.to_owned().into(),
            captcha,
        };
        with_password(fleet, &self.visitor(), attempt).await
    }
}

type Tried = Result<Passed, SignInError>;

#[track_caller]
fn denied<T: std::fmt::Debug>(tried: Result<T, SignInError>) -> Denied {
    match tried {
        Err(SignInError::Denied(denied)) => denied,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn came_in(tried: Tried) -> controller::fleet::sessions::Begun {
    match tried {
        Ok(Passed::In(begun)) => begun,
        other => panic!("{other:?}"),
    }
}

async fn hashed(fleet: &Fleet, name: &str, phrase: &str) -> PasswordHash {
    let name = UserName::parse(name).unwrap();
    let password = Password::choose(phrase, &name).unwrap();
    fleet.hasher.hash(password).await.unwrap()
}

/// A user with the phrase for a password.
async fn user(fleet: &Fleet, name: &str, role: Role) -> UserRow {
    let new = NewUser {
        name: UserName::parse(name).unwrap(),
        email: None,
        role,
        reach: Reach::All,
        password: Some(hashed(fleet, name, PHRASE).await),
    };
    let mut tx = fleet.pool.begin().await.unwrap();
    let user = create(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    user
}

fn call(name: &str) -> Call {
    Call::by(Actor {
        kind: ActorKind::User,
        name: name.to_owned(),
        ip: None,
        request_id: None,
    })
}

/// What an authenticator shows `steps` from now, computed apart from the product.
fn code(secret: &[u8], steps: i64) -> String {
    let step = clock::now().timestamp() / 30 + steps;
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).unwrap();
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The newest rows of the audit log, the newest first: actor kind, action, object, outcome, what became.
async fn log(stage: &Running) -> Vec<[String; 5]> {
    let rows: Vec<(String, String, String, String, Option<String>)> = sqlx::query_as(
        "SELECT actor_kind, action, object, outcome, after FROM audit_log ORDER BY seq DESC",
    )
    .fetch_all(stage.rows())
    .await
    .unwrap();
    rows.into_iter()
        .map(|(kind, action, object, outcome, after)| {
            [
                kind,
                action,
                object,
                outcome,
                after.unwrap_or("".to_owned()),
            ]
        })
        .collect()
}
