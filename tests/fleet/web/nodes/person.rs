//! Somebody signed in, with a browser that runs no scripts.

use controller::domain::password::Password;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use controller::domain::token::Token;
use controller::domain::user::UserName;
use controller::fleet::sessions::Visitor;
use controller::fleet::sign_in::{Attempt, Passed, with_password};
use controller::fleet::users::{NewUser, create};
use controller::random;
use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use crate::stage::Running;

const PHRASE: &str = "a fine long phrase";

pub(super) struct Person {
    client: Client,
    base: String,
    cookie: String,
    csrf: String,
}

pub(super) struct Came {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) text: String,
}

impl Person {
    pub(super) async fn signed_in(stage: &Running, name: &str, role: Role, reach: Reach) -> Self {
        let token = session(stage, name, role, reach).await;
        let client = Client::builder().no_proxy().redirect(Policy::none());
        let mut person = Self {
            client: client.build().unwrap(),
            base: stage.base.clone(),
            cookie: format!("wgfleet={}", token.reveal().as_str()),
            csrf: String::new(),
        };
        let page = person.page("/nodes").await;
        let after = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        person.csrf = after.split('"').next().unwrap().to_owned();
        person
    }

    pub(super) async fn get(&self, path: &str) -> Came {
        self.send(self.client.get(format!("{}{path}", self.base)))
            .await
    }

    /// A page that must be there.
    pub(super) async fn page(&self, path: &str) -> String {
        let came = self.get(path).await;
        assert_eq!(came.status, 200, "{path}: {}", came.text);
        came.text
    }

    pub(super) async fn french(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.base));
        let came = self.send(request.header(ACCEPT_LANGUAGE, "fr")).await;
        assert_eq!(came.status, 200, "{path}: {}", came.text);
        came.text
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Came {
        let csrf = [("csrf", self.csrf.as_str())];
        let fields = fields.iter().chain(&csrf);
        let request = self.client.post(format!("{}{path}", self.base));
        let body: String = fields
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body)).await
    }

    async fn send(&self, request: RequestBuilder) -> Came {
        let answer = request.header(COOKIE, &self.cookie).send().await.unwrap();
        let location = answer.headers().get(LOCATION);
        Came {
            status: answer.status().as_u16(),
            location: location
                .map_or("", |path| path.to_str().unwrap())
                .to_owned(),
            text: answer.text().await.unwrap(),
        }
    }
}

fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn session(stage: &Running, name: &str, role: Role, reach: Reach) -> Token {
    let fleet = &stage.fleet;
    let user_name = UserName::parse(name).unwrap();
    let password = Password::choose(PHRASE, &user_name).unwrap();
    let new = NewUser {
        name: user_name,
        email: None,
        role,
        reach,
        password: Some(fleet.hasher.hash(password).await.unwrap()),
    };
    let mut tx = fleet.pool.begin().await.unwrap();
    create(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    let visitor = Visitor {
        browser: Token::from_random(random::bytes()).hash(),
        session: None,
        address: Some("127.0.0.1".parse().unwrap()),
        user_agent: Some("Firefox"),
        request_id: None,
    };
    let attempt = Attempt {
        name,
        password: PHRASE.to_owned().into(),
        captcha: None,
    };
    match with_password(fleet, &visitor, attempt).await {
        Ok(Passed::In(begun)) => begun.token,
        other => panic!("{other:?}"),
    }
}
