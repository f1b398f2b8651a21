//! Somebody who proved who they are.

use std::net::IpAddr;

use crate::domain::ids::{ApiKeyId, UserId};
use crate::domain::reach::{Access, Reach};
use crate::domain::role::{Permission, Role, Scope};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub who: Who,
    /// What a person calls them: the login name, or the name that the key was given.
    pub name: String,
    /// Where the request came from, as far as that is known.
    pub from: Option<IpAddr>,
    /// To what that role or scope extends.
    pub reach: Reach,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    ApiKey {
        id: ApiKeyId,
        key_id: String,
        scope: Scope,
    },
    User {
        id: UserId,
        role: Role,
    },
}

impl Principal {
    /// What they may, and to what: pages, API and streams ask nothing else.
    pub fn access(&self) -> Access {
        Access {
            permission: match self.who {
                Who::ApiKey { scope, .. } => scope.permission(),
                Who::User { role, .. } => role.permission(),
            },
            reach: self.reach,
        }
    }

    pub fn may(&self, needed: Permission) -> bool {
        self.access().may(needed)
    }

    /// Who acted, for the books: the public id of a key, the login name of a person.
    pub fn actor(&self) -> &str {
        match &self.who {
            Who::ApiKey { key_id, .. } => key_id,
            Who::User { .. } => &self.name,
        }
    }

    pub fn actor_kind(&self) -> &'static str {
        match self.who {
            Who::ApiKey { .. } => "api_key",
            Who::User { .. } => "user",
        }
    }

    /// Tells principals apart, for as long as they exist.
    pub(super) fn identity(&self) -> String {
        match &self.who {
            Who::ApiKey { id, .. } => format!("api_key:{id}"),
            Who::User { id, .. } => format!("user:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scope: Scope) -> Principal {
        Principal {
            who: Who::ApiKey {
                id: ApiKeyId(1),
                key_id: "kabc".to_owned(),
                scope,
            },
            name: "deploy".to_owned(),
            from: None,
            reach: Reach::All,
        }
    }

    #[test]
    fn nobody_may_more_than_their_scope_or_role() {
        let may = |principal: &Principal| {
            [Permission::Read, Permission::Write, Permission::Admin]
                .map(|needed| principal.may(needed))
        };
        let person = |role| Principal {
            who: Who::User {
                id: UserId(1),
                role,
            },
            ..key(Scope::Admin)
        };

        assert_eq!(may(&key(Scope::Read)), [true, false, false]);
        assert_eq!(may(&key(Scope::Write)), [true, true, false]);
        assert_eq!(may(&key(Scope::Admin)), [true, true, true]);
        assert_eq!(may(&person(Role::Viewer)), [true, false, false]);
        assert_eq!(may(&person(Role::Operator)), [true, true, false]);
        assert_eq!(may(&person(Role::Admin)), [true, true, true]);
    }

    #[test]
    fn a_key_and_a_person_of_the_same_number_are_two() {
        let person = Principal {
            who: Who::User {
                id: UserId(1),
                role: Role::Admin,
            },
            ..key(Scope::Read)
        };

        assert_ne!(person.identity(), key(Scope::Read).identity());
    }
}
