//! Every operation of the API, as its own document has it, for tests that leave none out.

use controller::api::document::document;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::api::{Answer, Api};

#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// With names in braces where something is to be filled in.
    pub(crate) pattern: String,
    /// Whether it says that nobody needs to sign.
    pub(crate) open: bool,
}

/// All of them.
pub(crate) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
    let mut all = Vec::new();
    for (pattern, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
                continue;
            }
            let security = operation["security"].as_array();
            all.push(Operation {
                method: method.parse().unwrap(),
                pattern: pattern.clone(),
                open: security
                    .is_some_and(|ways| ways.iter().all(|way| *way == Value::Object(Map::new()))),
            });
        }
    }
    assert!(all.len() > 40, "{all:?}");
    all
}

/// Those that change something.
pub(crate) fn writes() -> Vec<Operation> {
    let mut writes = operations();
    writes.retain(|operation| !operation.method.is_safe());
    assert!(writes.len() > 20, "{writes:?}");
    writes
}

impl Operation {
    /// The path of one thing, as a caller of this stage names it: it begins with `//`.
    pub(crate) fn path(&self, id: &str) -> String {
        let filled = self
            .pattern
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => id,
                false => part,
            });
        format!("/{}", filled.collect::<Vec<_>>().join("/"))
    }

    /// Whether such a path leads here.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let (own, given) = (self.pattern.split('/'), path[1..].split('/'));
        own.clone().count() == given.clone().count()
            && own
                .zip(given)
                .all(|(own, given)| own == given || own.starts_with('{'))
    }

    /// Calls it at one thing, with an empty body where there is to be one.
    pub(crate) async fn call(&self, caller: &Api, id: &str) -> Answer {
        let body = (!self.method.is_safe()).then(|| json!({}));
        let path = self.path(id);
        caller.call(self.method.clone(), &path, body, &[]).await
    }

    pub(crate) fn named(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }
}
