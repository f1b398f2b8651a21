//! `/networks`: address spaces, how full they are, and what of them nobody gets.

mod change;
mod create;
mod delete;
mod index;
mod reservations;
pub(super) mod show;

use ipnet::IpNet;

use super::form::{Form, Holds};
use super::table::Table;
use crate::api::problem::Problem;
use crate::db::networks::Network;
use crate::domain::ids::NetworkId;
use crate::domain::profile::Language;
use crate::domain::reach::Belongs;
use crate::fleet::{Fleet, Refusal};

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/networks", index::index)
        .get("/networks/new", create::form)
        .post("/networks", create::create)
        .get("/networks/{id}", show::show)
        .get("/networks/{id}/edit", change::form)
        .post("/networks/{id}/edit", change::change)
        .get("/networks/{id}/delete", delete::form)
        .post("/networks/{id}/delete", delete::delete)
        .post("/networks/{id}/reservations", reservations::reserve)
        .post(
            "/networks/{id}/reservations/{reservation}/delete",
            reservations::release,
        );
}

/// The fields of a network's form, as the API names them.
const FIELDS: [(&str, Holds); 7] = [
    ("name", Holds::Exactly),
    ("domain_suffix", Holds::Text),
    ("cidr_v4", Holds::Text),
    ("cidr_v6", Holds::Text),
    ("dns", Holds::List),
    ("mtu", Holds::Number),
    ("keepalive", Holds::Number),
];

async fn find(fleet: &Fleet, id: NetworkId) -> Result<Network, Problem> {
    let found = crate::db::networks::find(&fleet.pool, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("network", id))?)
}

fn belongs(id: &NetworkId) -> Belongs<'_> {
    Belongs {
        pools: &[],
        networks: std::slice::from_ref(id),
    }
}

/// What no type of the API names a field for: said beside the field all the same.
fn check(form: &mut Form, t: Language) -> bool {
    let dns = form.value("dns").to_owned();
    let mut words = dns
        .split([',', ' ', '\n', '\r', '\t'])
        .filter(|word| !word.is_empty());
    let strange = words.find(|word| word.parse::<std::net::IpAddr>().is_err());
    let is_dns_fine = match strange {
        Some(word) => {
            let text = t.say_with("no-address", [("word", word.to_owned().into())]);
            form.set_mistake("dns", text);
            false
        }
        None => true,
    };
    let numbers = ["mtu", "keepalive"].map(|name| {
        let text = form.value(name).trim();
        let is_fine = text.is_empty() || text.parse::<u16>().is_ok();
        if !is_fine {
            form.set_mistake(name, t.say("no-small-number"));
        }
        is_fine
    });
    is_dns_fine && numbers.iter().all(|is_fine| *is_fine)
}

fn prefix_text(prefixes: &[IpNet], v4: bool) -> String {
    let found = prefixes.iter().find(|prefix| prefix.addr().is_ipv4() == v4);
    found.map_or_else(String::new, IpNet::to_string)
}
