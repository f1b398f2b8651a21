//! What a form says of a peer besides what the JSON API reads the same way: its owner by name, tags apart by commas,
//! and a time as it is on the clock of whoever wrote it.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::api::problem::Problem;
use crate::db;
use crate::domain::ids::UserId;
use crate::domain::peer::parse_tags;
use crate::domain::profile::Language;
use crate::fleet::FleetError;
use crate::web::form::Form;
use crate::web::visit::Visit;

/// How a browser writes a day and a time.
const ON_THE_CLOCK: &str = "%Y-%m-%dT%H:%M";

pub(super) struct Extras {
    pub owner: Option<UserId>,
    pub tags: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl Extras {
    /// Reads them, or says beside the fields what is wrong.
    pub(super) async fn read<D>(
        visit: &Visit<D>,
        form: &mut Form,
    ) -> Result<Option<Self>, sqlx::Error> {
        let t = visit.language;
        let name = form.value("owner").trim().to_owned();
        let owner = match name.is_empty() || name.contains('\0') {
            true => None,
            false => db::peers::choices::owner(&visit.fleet.pool, &name).await?,
        };
        if owner.is_none() && !name.is_empty() {
            form.set_mistake("owner", t.say("peer-no-such-owner"));
        }
        let tags = parse_tags(tags(form.value("tags")));
        let tags = tags.map_err(|err| form.set_mistake("tags", t.mistake(err)));
        let expires_at = moment(form.value("expires_at"), visit.zone());
        if expires_at.is_none() {
            form.set_mistake("expires_at", t.say("peer-not-a-time"));
        }
        let is_right = name.is_empty() || owner.is_some();
        Ok(match (tags, expires_at) {
            (Ok(tags), Some(expires_at)) if is_right => Some(Self {
                owner,
                tags,
                expires_at,
            }),
            _ => None,
        })
    }
}

/// A moment as a field of a form holds it.
pub(super) fn on_the_clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format(ON_THE_CLOCK).to_string()
}

/// Says what a flow refused beside the field that it is about.
pub(super) fn refuse(form: &mut Form, err: FleetError, t: Language) -> Result<(), Problem> {
    let refusal = match err {
        FleetError::Refused(refusal) => refusal,
        other => return Err(other.into()),
    };
    let field = match refusal.code {
        "name_taken" => "name",
        "key_taken" => "public_key",
        code if code.starts_with("route") => "routes",
        _ => {
            form.refusal = Some(t.refusal(refusal));
            return Ok(());
        }
    };
    form.set_mistake(field, t.refusal(refusal));
    Ok(())
}

fn tags(text: &str) -> Vec<String> {
    let tags = text.split(',').map(str::trim);
    tags.filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Outer none: this is no time. An hour that the clock shows twice is the earlier one.
fn moment(text: &str, zone: Tz) -> Option<Option<DateTime<Utc>>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let local = NaiveDateTime::parse_from_str(text.get(..16)?, ON_THE_CLOCK).ok()?;
    let at = zone.from_local_datetime(&local).earliest()?;
    Some(Some(at.with_timezone(&Utc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_the_zone_of_whoever_writes_it_and_shown_the_same() {
        let zone = Tz::Europe__Paris;

        let at = moment("2026-12-01T10:30", zone).unwrap().unwrap();

        assert_eq!(at.to_rfc3339(), "2026-12-01T09:30:00+00:00");
        assert_eq!(on_the_clock(at, zone), "2026-12-01T10:30");
        assert_eq!(moment(" ", zone), Some(None));
        assert_eq!(moment("tomorrow", zone), None);
        // The hour that spring leaves out.
        assert_eq!(moment("2026-03-29T02:30", zone), None);
    }

    #[test]
    fn tags_are_apart_by_commas_and_may_hold_spaces() {
        assert_eq!(tags("lab, second floor ,,"), ["lab", "second floor"]);
    }
}
