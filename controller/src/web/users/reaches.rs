//! To what a role or a scope extends, as one field of a form: everything, a pool, or a network.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::api::problem::Problem;
use crate::db::{self, Span};
use crate::domain::profile::Language;
use crate::domain::reach::Reach;

/// Nobody chooses from a longer list.
const CHOICES: Span = Span {
    after: 0,
    limit: 500,
};

/// Everything that a role may be limited to.
pub(in crate::web) struct Reaches {
    pools: BTreeMap<i64, String>,
    networks: BTreeMap<i64, String>,
}

pub(in crate::web) struct ReachChoice {
    pub(in crate::web) value: String,
    pub(in crate::web) text: String,
}

impl Reaches {
    pub(in crate::web) async fn read(pool: &PgPool) -> Result<Self, Problem> {
        let pools = db::pools::list(pool, None, CHOICES).await?;
        let networks = db::networks::list(pool, CHOICES).await?;
        Ok(Self {
            pools: pools
                .into_iter()
                .map(|pool| (pool.id.0, pool.name))
                .collect(),
            networks: networks
                .into_iter()
                .map(|network| (network.id.0, network.name))
                .collect(),
        })
    }

    pub(in crate::web) fn choices(&self, t: Language) -> Vec<ReachChoice> {
        let all = ReachChoice {
            value: "all".to_owned(),
            text: t.say("reach-all"),
        };
        let pools = self.pools.iter().map(|(id, name)| ReachChoice {
            value: format!("pool-{id}"),
            text: t.say_with("reach-pool", [("name", name.as_str().into())]),
        });
        let networks = self.networks.iter().map(|(id, name)| ReachChoice {
            value: format!("network-{id}"),
            text: t.say_with("reach-network", [("name", name.as_str().into())]),
        });
        std::iter::once(all).chain(pools).chain(networks).collect()
    }

    /// A reach in words. A pool that is gone, or is one of too many to list, has its number at most.
    pub(in crate::web) fn words(&self, t: Language, reach: Reach) -> String {
        let named = |names: &BTreeMap<i64, String>, id: i64| {
            names.get(&id).cloned().unwrap_or_else(|| id.to_string())
        };
        match reach {
            Reach::All => t.say("reach-all"),
            Reach::Pool(Some(id)) => {
                t.say_with("reach-pool", [("name", named(&self.pools, id.0).into())])
            }
            Reach::Network(Some(id)) => t.say_with(
                "reach-network",
                [("name", named(&self.networks, id.0).into())],
            ),
            Reach::Pool(None) | Reach::Network(None) => t.say("reach-gone"),
        }
    }
}

/// The value of the field.
pub(in crate::web) fn value(reach: Reach) -> String {
    match reach {
        Reach::All => "all".to_owned(),
        Reach::Pool(Some(id)) => format!("pool-{id}"),
        Reach::Network(Some(id)) => format!("network-{id}"),
        Reach::Pool(None) | Reach::Network(None) => String::new(),
    }
}

/// The field as the API writes it; none: as it is.
pub(in crate::web) fn json(value: &str) -> Option<Value> {
    let id = |text: &str| {
        text.parse::<i64>()
            .map_or_else(|_| Value::from(text), Value::from)
    };
    if value.is_empty() {
        return None;
    }
    Some(match value.split_once('-') {
        Some(("pool", pool)) => json!({"pool": id(pool)}),
        Some(("network", network)) => json!({"network": id(network)}),
        _ => value.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{NetworkId, PoolId};

    #[test]
    fn what_is_chosen_is_the_reach_that_it_says() {
        for reach in [
            Reach::All,
            Reach::Pool(Some(PoolId(3))),
            Reach::Network(Some(NetworkId(7))),
        ] {
            let read = serde_json::from_value::<Reach>(json(&value(reach)).unwrap());
            assert_eq!(read.unwrap(), reach);
        }
        assert_eq!(json(&value(Reach::Pool(None))), None);
        for odd in ["pool", "pool-x", "everything"] {
            assert!(
                serde_json::from_value::<Reach>(json(odd).unwrap()).is_err(),
                "{odd}"
            );
        }
    }
}
