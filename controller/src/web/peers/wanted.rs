//! Which peers are wanted: what the fields above the list say, as a filter and as an address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use super::density::Density;
use crate::api::peers::within;
use crate::api::problem::Problem;
use crate::api::{lookup, page};
use crate::db::Span;
use crate::db::peers::listing::{Filter, Listed, Order};
use crate::domain::ids::{NodeId, PeerId, PoolId};
use crate::domain::peer::Standing;
use crate::domain::reach::Reach;
use crate::web::form::Form;

/// Empty fields ask for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    pub q: String,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub pool: String,
    #[serde(default)]
    pub node: String,
    #[serde(default)]
    pub tag: String,
    #[serde(default)]
    pub order: String,
    /// Not of the list but of who looks at it: it is kept in a cookie.
    pub density: Option<Density>,
    pub cursor: Option<String>,
}

impl Wanted {
    pub(super) fn of(form: &Form) -> Self {
        let field = |name| form.value(name).to_owned();
        Self {
            q: field("q"),
            state: field("state"),
            pool: field("pool"),
            node: field("node"),
            tag: field("tag"),
            order: field("order"),
            density: None,
            cursor: None,
        }
    }

    pub(super) fn is_narrowed(&self) -> bool {
        let given = [&self.q, &self.state, &self.pool, &self.node, &self.tag];
        given.iter().any(|field| !field.trim().is_empty())
    }

    /// None: whoever asks reaches nothing of it.
    pub(super) fn filter(&self, reach: Reach) -> Result<Option<Filter>, Problem> {
        let q = lookup::part(Some(self.q.trim()))?.filter(|q| !q.is_empty());
        let address = q.and_then(place);
        let (Some(pool), Some(node)) = (id(&self.pool), id(&self.node)) else {
            return Ok(None);
        };
        let filter = Filter {
            pool: pool.map(PoolId),
            node: node.map(NodeId),
            standing: Standing::of_word(&self.state),
            text: q.filter(|_| address.is_none()).map(str::to_owned),
            address,
            tag: Some(self.tag.trim())
                .filter(|tag| !tag.is_empty() && !tag.contains('\0'))
                .map(str::to_owned),
            order: self.order(),
            ..Filter::default()
        };
        Ok(within(filter, reach))
    }

    /// What is no order is the usual one.
    pub(super) fn order(&self) -> Order {
        Order::ALL
            .into_iter()
            .find(|order| order.as_str() == self.order)
            .unwrap_or(Order::Made)
    }

    /// The part of the list that is asked for, with the filter that goes on there.
    pub(super) fn page(&self, limit: i64, filter: &mut Filter) -> Result<Span, Problem> {
        let order = filter.order;
        let after = match &self.cursor {
            None => 0,
            Some(cursor) => {
                let place: Place = page::marked(order.as_str(), cursor)?;
                filter.behind =
                    matches!(order, Order::Name | Order::NameDown).then_some(place.name);
                place.id
            }
        };
        Ok(Span { after, limit })
    }

    /// Where the page behind this peer begins.
    pub(super) fn behind(&self, last: &Listed) -> String {
        let order = self.order();
        let place = Place {
            id: last.id.0,
            name: last.name.clone(),
        };
        self.href("/peers", Some(&page::mark(order.as_str(), place)))
    }

    /// The list by names, and the other way round where it is by names already.
    pub(super) fn by_name(&self) -> String {
        let order = match self.order() {
            Order::Name => Order::NameDown,
            _ => Order::Name,
        };
        self.ordered(order)
    }

    /// This list in another order, from its beginning.
    pub(super) fn ordered(&self, order: Order) -> String {
        let order = match order {
            Order::Made => "",
            other => other.as_str(),
        };
        let other = Self {
            order: order.to_owned(),
            ..self.clone()
        };
        other.href("/peers", None)
    }

    /// This page of the list with more or less room.
    pub(super) fn spaced(&self, density: Density) -> String {
        let here = self.href("/peers", self.cursor.as_deref());
        let joint = if here.contains('?') { '&' } else { '?' };
        format!("{here}{joint}density={}", density.as_str())
    }

    /// The list of those with a tag.
    pub(super) fn tagged(&self, tag: &str) -> String {
        let other = Self {
            tag: tag.to_owned(),
            ..self.clone()
        };
        other.href("/peers", None)
    }

    pub(super) fn href(&self, path: &str, cursor: Option<&str>) -> String {
        let given = [
            ("q", self.q.as_str()),
            ("state", &self.state),
            ("pool", &self.pool),
            ("node", &self.node),
            ("tag", &self.tag),
            ("order", &self.order),
        ];
        let given = given
            .into_iter()
            .chain(cursor.map(|cursor| ("cursor", cursor)));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(given.filter(|(_, value)| !value.is_empty()))
            .finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }
}

/// The peer that a page goes on behind.
struct Place {
    id: i64,
    name: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.name)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, name) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            id: id.parse().map_err(|_| ())?,
            name: name.to_owned(),
        })
    }
}

/// The peers that were ticked, or all that match.
pub(super) struct Selection {
    pub wanted: Wanted,
    pub is_all: bool,
    pub ids: Vec<PeerId>,
}

impl Selection {
    pub(super) fn of(form: &Form) -> Self {
        let ids = form.values("id").filter_map(|id| id.parse().ok());
        Self {
            wanted: Wanted::of(form),
            is_all: form.is("scope", "all"),
            ids: ids.collect(),
        }
    }

    pub(super) fn filter(&self, reach: Reach) -> Result<Option<Filter>, Problem> {
        if self.is_all {
            // What is done to all of them goes through them as they were made.
            let in_order = |filter| Filter {
                order: Order::Made,
                ..filter
            };
            return Ok(self.wanted.filter(reach)?.map(in_order));
        }
        let ticked = Filter {
            among: Some(self.ids.clone()),
            ..Filter::default()
        };
        Ok(within(ticked, reach))
    }
}

/// The id that a field holds. Outer none: it holds something that is none.
fn id(field: &str) -> Option<Option<i64>> {
    match field {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    }
}

/// The addresses that somebody means who writes one of them, a prefix, or how one begins: `10.8.` is 10.8.0.0/16.
fn place(q: &str) -> Option<IpNet> {
    if let Ok(address) = q.parse::<IpAddr>() {
        return Some(address.into());
    }
    if let Ok(prefix) = q.parse::<IpNet>() {
        return Some(prefix.trunc());
    }
    if !q.contains('.') {
        return None;
    }
    let parts: Option<Vec<u8>> = q
        .trim_end_matches('.')
        .split('.')
        .map(|part| part.parse().ok())
        .collect();
    let parts = parts.filter(|parts| (1..=3).contains(&parts.len()))?;
    let mut octets = [0; 4];
    octets[..parts.len()].copy_from_slice(&parts);
    let length = u8::try_from(parts.len() * 8).ok()?;
    Ipv4Net::new(Ipv4Addr::from(octets), length)
        .ok()
        .map(IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_address_or_its_beginning_is_one() {
        let cases = [
            ("10.8.0.7", Some("10.8.0.7/32")),
            ("10.8.4.", Some("10.8.4.0/24")),
            ("10.8", Some("10.8.0.0/16")),
            ("10.8.3.0/22", Some("10.8.0.0/22")),
            ("fd00::1", Some("fd00::1/128")),
            ("10", None),
            ("fra-1.lab", None),
            ("300.1", None),
            ("laptop", None),
        ];
        for (q, expected) in cases {
            assert_eq!(place(q), expected.map(|net| net.parse().unwrap()), "{q}");
        }
    }

    #[test]
    fn an_address_of_the_list_says_all_that_narrows_it() {
        let wanted = Wanted {
            q: "a b".to_owned(),
            pool: "3".to_owned(),
            ..Wanted::default()
        };

        assert_eq!(
            wanted.href("/peers", Some("x")),
            "/peers?q=a+b&pool=3&cursor=x"
        );
        assert_eq!(Wanted::default().href("/peers", None), "/peers");
        assert!(wanted.is_narrowed() && !Wanted::default().is_narrowed());
    }

    #[test]
    fn whoever_is_limited_narrows_within_their_own() {
        let wanted = Wanted {
            pool: "3".to_owned(),
            ..Wanted::default()
        };

        let own = Reach::Pool(Some(PoolId(3)));
        assert_eq!(wanted.filter(own).unwrap().unwrap().pool, Some(PoolId(3)));
        assert!(
            wanted
                .filter(Reach::Pool(Some(PoolId(4))))
                .unwrap()
                .is_none()
        );
        assert!(wanted.filter(Reach::Network(None)).unwrap().is_none());
    }
}
