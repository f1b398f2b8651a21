//! How far a role reaches: over everything, over one pool, or over one network.
//!
//! A role says what somebody may do, a reach to what. A reach whose pool or network is gone covers nothing, and so does
//! a limited one where an object belongs to no pool or network at all.

use serde::{Deserialize, Serialize};

use super::ids::{NetworkId, PoolId};
use super::role::{Permission, Role};

/// In JSON `"all"`, `{"pool": 3}` or `{"network": 1}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    All,
    /// None: the pool is gone.
    Pool(Option<PoolId>),
    Network(Option<NetworkId>),
}

/// The kind of a reach, as a column of its own says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Extent {
    All,
    Pool,
    Network,
}

impl Extent {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Pool => "pool",
            Self::Network => "network",
        }
    }
}

/// What an object belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Belongs<'a> {
    pub pools: &'a [PoolId],
    pub networks: &'a [NetworkId],
}

/// An administrator decides what others may do, and could lift any limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an administrator reaches everything")]
pub struct LimitedAdmin;

/// What somebody may do, and to what: the one question that every face asks before it acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub permission: Permission,
    pub reach: Reach,
}

impl Access {
    /// Whether something may be done somewhere at all, to show or to hide what leads there.
    pub fn may(&self, needed: Permission) -> bool {
        self.permission >= needed
    }

    /// Whether something may be done to this object.
    pub fn may_to(&self, needed: Permission, object: Belongs<'_>) -> bool {
        self.may(needed) && self.reach.covers(object)
    }

    /// Whether something may be done that concerns everything, or what belongs to no pool and no network.
    pub fn may_everywhere(&self, needed: Permission) -> bool {
        self.may(needed) && self.reach == Reach::All
    }
}

impl Reach {
    pub fn covers(self, object: Belongs<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Pool(pool) => pool.is_some_and(|pool| object.pools.contains(&pool)),
            Self::Network(network) => {
                network.is_some_and(|network| object.networks.contains(&network))
            }
        }
    }

    /// The pool and the network that a list is narrowed to, by what was asked for and by how far somebody reaches.
    /// None: that is nothing at all.
    pub fn narrow(
        self,
        pool: Option<PoolId>,
        network: Option<NetworkId>,
    ) -> Option<(Option<PoolId>, Option<NetworkId>)> {
        match self {
            Self::All => Some((pool, network)),
            Self::Pool(own) => {
                let own = own?;
                (pool.unwrap_or(own) == own).then_some((Some(own), network))
            }
            Self::Network(own) => {
                let own = own?;
                (network.unwrap_or(own) == own).then_some((pool, Some(own)))
            }
        }
    }

    /// Puts together what the columns of a row say.
    pub fn of(extent: Extent, pool: Option<PoolId>, network: Option<NetworkId>) -> Self {
        match extent {
            Extent::All => Self::All,
            Extent::Pool => Self::Pool(pool),
            Extent::Network => Self::Network(network),
        }
    }

    pub fn extent(self) -> Extent {
        match self {
            Self::All => Extent::All,
            Self::Pool(_) => Extent::Pool,
            Self::Network(_) => Extent::Network,
        }
    }

    pub fn pool(self) -> Option<PoolId> {
        match self {
            Self::Pool(pool) => pool,
            _ => None,
        }
    }

    pub fn network(self) -> Option<NetworkId> {
        match self {
            Self::Network(network) => network,
            _ => None,
        }
    }
}

/// Whether a role may be given with this reach.
pub fn check(role: Role, reach: Reach) -> Result<(), LimitedAdmin> {
    if role == Role::Admin && reach != Reach::All {
        return Err(LimitedAdmin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reaches() -> impl Strategy<Value = Reach> {
        prop_oneof![
            Just(Reach::All),
            proptest::option::of(0..4i64).prop_map(|id| Reach::Pool(id.map(PoolId))),
            proptest::option::of(0..4i64).prop_map(|id| Reach::Network(id.map(NetworkId))),
        ]
    }

    #[test]
    fn a_limited_reach_covers_its_own_and_nothing_else() {
        let object = Belongs {
            pools: &[PoolId(1), PoolId(2)],
            networks: &[NetworkId(3)],
        };

        for reach in [
            Reach::All,
            Reach::Pool(Some(PoolId(2))),
            Reach::Network(Some(NetworkId(3))),
        ] {
            assert!(reach.covers(object), "{reach:?}");
        }
        for reach in [
            Reach::Pool(Some(PoolId(3))),
            Reach::Network(Some(NetworkId(1))),
            Reach::Pool(None),
            Reach::Network(None),
        ] {
            assert!(!reach.covers(object), "{reach:?}");
        }
    }

    #[test]
    fn an_administrator_reaches_everything() {
        let limited = Reach::Pool(Some(PoolId(1)));

        assert_eq!(check(Role::Admin, limited), Err(LimitedAdmin));
        assert_eq!(check(Role::Admin, Reach::All), Ok(()));
        assert_eq!(check(Role::Operator, limited), Ok(()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(reach in reaches()) {
            let read = Reach::of(reach.extent(), reach.pool(), reach.network());
            prop_assert_eq!(read, reach);
        }

        #[test]
        fn nobody_with_a_limit_acts_on_everything_or_on_what_belongs_nowhere(reach in reaches()) {
            prop_assume!(reach != Reach::All);
            let access = Access { permission: Permission::Admin, reach };

            prop_assert!(!access.may_everywhere(Permission::Read));
            prop_assert!(!access.may_to(Permission::Read, Belongs::default()));
            prop_assert!(access.may(Permission::Admin));
        }
    }
}
