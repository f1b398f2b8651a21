//! `/settings`: what this controller goes by, with where each setting comes from. Nothing is changed here: the file is.
//!
//! Secrets are redacted where the settings are read, so that none gets here.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::answer::show;
use super::frame::{Frame, Place};
use super::visit::Visit;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::config::keys::{GROUPS, Group, Key};
use crate::config::{Effective, Origin};
use crate::db::webhooks::Webhook;
use crate::db::{self, Span};

/// More receivers than this nobody has.
const MOST: Span = Span {
    after: 0,
    limit: 200,
};

pub(super) fn configure(table: &mut super::table::Table<'_>) {
    table.get("/settings", index);
}

#[derive(Template)]
#[template(path = "settings/index.html")]
struct SettingsPage {
    frame: Frame,
    groups: Vec<Table>,
    webhooks: Option<Vec<Webhook>>,
}

struct Table {
    name: &'static str,
    about: &'static str,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    about: &'static str,
    value: Option<String>,
    /// None: nobody set it.
    origin: Option<String>,
}

async fn index(visit: Visit<Reads>, shown: Data<super::Shown>) -> Result<HttpResponse, Problem> {
    visit.everywhere()?;
    let frame = visit.frame(Place::Settings).await?;
    // The API shows receivers to administrators alone.
    let webhooks = match frame.administers() {
        true => Some(db::webhooks::list(&visit.fleet.pool, MOST).await?),
        false => None,
    };
    show(&SettingsPage {
        frame,
        groups: GROUPS
            .iter()
            .map(|group| Table::of(group, &shown.settings))
            .collect(),
        webhooks,
    })
}

impl Table {
    fn of(group: &'static Group, settings: &[Effective]) -> Self {
        let row = |key: &'static Key| {
            let name = group.full_name(key);
            let found = settings.iter().find(|one| one.key == name);
            let origin = found.filter(|one| one.origin != Origin::Default);
            Row {
                about: key.about,
                value: match found {
                    Some(one) => one.text.clone(),
                    None => key.default_text(),
                },
                origin: origin.map(|one| one.origin.to_string()),
                name,
            }
        };
        Self {
            name: group.name,
            about: group.about,
            rows: group.keys.iter().map(row).collect(),
        }
    }
}
