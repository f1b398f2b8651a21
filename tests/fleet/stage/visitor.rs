//! Somebody at a browser without scripts: it keeps cookies, sends a form with all that the page wrote into it, and goes
//! on to the page that a change leads to.

use std::collections::BTreeMap;

use controller::domain::password::Password;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use controller::domain::user::UserName;
use controller::fleet::users::{NewUser, create};
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use reqwest::{Client, Method, redirect};

use super::{Page, Running};

pub(crate) const PHRASE: &str = "a fine long phrase";

pub(crate) struct Visitor {
    client: Client,
    base: String,
    cookies: BTreeMap<String, String>,
    pub(crate) language: &'static str,
    /// What it calls itself.
    pub(crate) browser: &'static str,
    /// As a page that asks without anybody having done anything.
    pub(crate) by_itself: bool,
}

impl Visitor {
    /// Nobody knows who it is yet.
    pub(crate) fn new(stage: &Running) -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none());
        Self {
            client: client.build().unwrap(),
            base: stage.base.clone(),
            cookies: BTreeMap::new(),
            language: "en",
            browser: "tests",
            by_itself: false,
        }
    }

    /// A new user, who has signed in at the page for that.
    pub(crate) async fn signed_in(stage: &Running, name: &str, role: Role) -> Self {
        Self::within(stage, name, role, Reach::All).await
    }

    /// The same for whoever reaches only a pool or a network.
    pub(crate) async fn within(stage: &Running, name: &str, role: Role, reach: Reach) -> Self {
        user(stage, name, role, reach).await;
        let mut visitor = Self::new(stage);
        let page = visitor.sign_in(name, PHRASE).await;
        assert_eq!(
            (page.status, page.path.as_str()),
            (200, "/"),
            "{}",
            page.text
        );
        visitor
    }

    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Page {
        let page = self.get("/login").await;
        self.send(&page, "/login", &[("name", name), ("password", password)])
            .await
    }

    /// Asks for a page, and follows to where that leads.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let page = self.get_only(path).await;
        self.follow(page).await
    }

    /// The same, and stays at the answer.
    pub(crate) async fn get_only(&mut self, path: &str) -> Page {
        self.ask(Method::GET, path, None).await
    }

    /// Sends the form of a page that goes to `action`, with these fields filled in, and follows to where that leads.
    pub(crate) async fn send(
        &mut self,
        page: &Page,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let page = self.send_only(page, action, fields).await;
        self.follow(page).await
    }

    /// The same, and stays at the answer.
    pub(crate) async fn send_only(
        &mut self,
        page: &Page,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let mut filled = page.form(action);
        for (name, _) in fields {
            filled.retain(|(other, _)| other != name);
        }
        filled.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.post(action, &filled).await
    }

    /// Sends what stands on no page.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Page {
        let body = reqwest::Url::parse_with_params("http://form", fields).unwrap();
        let body = body.query().unwrap_or("").to_owned();
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Puts a cookie there, as another page of the site could.
    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// The token that the forms of a page hold.
    pub(crate) async fn token(&mut self, path: &str) -> String {
        let page = self.get(path).await;
        let begin = page.text.find("name=\"csrf\" value=\"").unwrap() + 19;
        page.text[begin..].split('"').next().unwrap().to_owned()
    }

    /// Asks, or sends an empty form with such a token, and does not wait for more than how the answer begins.
    pub(crate) async fn begin(&self, method: Method, path: &str, token: &str) -> reqwest::Response {
        let request = self.request(method.clone(), path);
        let request = match method.is_safe() {
            true => request,
            false => request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("x-csrf-token", token),
        };
        request.send().await.unwrap()
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..5 {
            let Some(next) = page.headers.get(LOCATION) else {
                return page;
            };
            assert_eq!(page.status, 303, "{}", page.path);
            let next = next.to_str().unwrap().to_owned();
            page = self.ask(Method::GET, &next, None).await;
        }
        panic!("{} leads around in a circle", page.path);
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header(ACCEPT_LANGUAGE, self.language)
            .header(USER_AGENT, self.browser)
            .header(COOKIE, cookies.join("; "));
        match self.by_itself {
            true => request.header("x-by-itself", "true"),
            false => request,
        }
    }

    async fn ask(&mut self, method: Method, path: &str, form: Option<String>) -> Page {
        let mut request = self.request(method, path);
        if let Some(form) = form {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for set in headers.get_all(SET_COOKIE) {
            self.keep(set.to_str().unwrap());
        }
        Page {
            path: path.to_owned(),
            status,
            headers,
            text: answer.text().await.unwrap(),
        }
    }

    fn keep(&mut self, set: &str) {
        let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
        match set.contains("Max-Age=0") {
            true => self.cookies.remove(name),
            false => self.cookies.insert(name.to_owned(), value.to_owned()),
        };
    }
}

/// Makes somebody who signs in with the phrase.
pub(crate) async fn user(stage: &Running, name: &str, role: Role, reach: Reach) {
    let fleet = &stage.fleet;
    let name = UserName::parse(name).unwrap();
    let password = Password::choose(PHRASE, &name).unwrap();
    let new = NewUser {
        password: Some(fleet.hasher.hash(password).await.unwrap()),
        name,
        email: None,
        role,
        reach,
    };
    let mut tx = fleet.pool.begin().await.unwrap();
    create(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
}
