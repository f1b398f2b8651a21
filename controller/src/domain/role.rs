//! What somebody may do. Roles are for people, scopes for API keys; both come down to permissions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a route needs. Each one includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Sees everything but secrets.
    Read,
    /// Changes nodes, networks, pools and peers.
    Write,
    /// Changes who may do what, and what cannot be taken back.
    Admin,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal => $permission:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[sqlx(type_name = "text", rename_all = "snake_case")]
        pub enum $name {
            $($variant),+
        }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The most that this one allows.
            pub fn permission(self) -> Permission {
                match self {
                    $(Self::$variant => Permission::$permission),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(&[$($word),+])),
                }
            }
        }
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is none of {}", .0.join(", "))]
pub struct UnknownWord(&'static [&'static str]);

impl UnknownWord {
    /// What it could have been.
    pub fn words(&self) -> &'static [&'static str] {
        self.0
    }
}

words! {
    /// What a person is.
    Role {
        Admin = "admin" => Admin,
        Operator = "operator" => Write,
        Viewer = "viewer" => Read,
    }
}

words! {
    /// What an API key is for.
    Scope {
        Read = "read" => Read,
        Write = "write" => Write,
        Admin = "admin" => Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for role in [Role::Admin, Role::Operator, Role::Viewer] {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        for scope in [Scope::Read, Scope::Write, Scope::Admin] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        let unknown = "root".parse::<Role>().unwrap_err();
        assert_eq!(unknown.to_string(), "is none of admin, operator, viewer");
    }

    #[test]
    fn only_admins_administer_and_viewers_change_nothing() {
        assert!(Role::Admin.permission() >= Permission::Admin);
        assert!(Role::Operator.permission() < Permission::Admin);
        assert!(Role::Operator.permission() >= Permission::Write);
        assert!(Role::Viewer.permission() < Permission::Write);
        assert!(Scope::Write.permission() < Permission::Admin);
        assert!(Scope::Read.permission() < Permission::Write);
    }
}
