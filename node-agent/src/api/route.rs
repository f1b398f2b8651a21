//! Which request is meant: the one table of paths and methods.
//!
//! The target is read as it stands on the wire. A framework's router would decode and normalise it
//! first, and a public key may stand in a path in three spellings, one of them full of slashes.

use protocol::{InterfaceName, PublicKey, target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Livez,
    Health,
    Status,
    Metrics,
    Secrets,
    Secret {
        id: String,
    },
    Activate {
        id: String,
    },
    Interface {
        name: InterfaceName,
    },
    Dump {
        name: InterfaceName,
        since: Option<String>,
    },
    Digest {
        name: InterfaceName,
    },
    Config {
        name: InterfaceName,
    },
    Syncconf {
        name: InterfaceName,
    },
    Enable {
        name: InterfaceName,
    },
    Disable {
        name: InterfaceName,
    },
    Peers {
        name: InterfaceName,
        remove_foreign: bool,
    },
    Peer {
        name: InterfaceName,
        key: PublicKey,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    #[error("there is nothing at this path")]
    NotFound,
    #[error("this node does not serve that interface")]
    InterfaceName,
    #[error("the key in the path {0}")]
    Key(protocol::key::KeyError),
    #[error("the query parameter {0:?} is not known here")]
    Parameter(String),
}

impl Route {
    /// The methods that a route answers; HEAD goes with GET.
    pub fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Livez
            | Self::Health
            | Self::Status
            | Self::Metrics
            | Self::Dump { .. }
            | Self::Digest { .. } => &["GET", "HEAD"],
            Self::Config { .. } => &["GET", "HEAD", "PUT"],
            Self::Secrets
            | Self::Activate { .. }
            | Self::Syncconf { .. }
            | Self::Enable { .. }
            | Self::Disable { .. } => &["POST"],
            Self::Secret { .. } | Self::Interface { .. } => &["DELETE"],
            Self::Peers { .. } => &["POST", "PUT", "PATCH"],
            Self::Peer { .. } => &["PUT", "DELETE"],
        }
    }

    /// Whether a body may be a whole set of peers.
    pub fn takes_full_set(&self, method: &str) -> bool {
        matches!(
            (self, method),
            (Self::Peers { .. }, "PUT") | (Self::Syncconf { .. }, "POST")
        )
    }

    /// The secret that this request would make active.
    pub fn activates(&self) -> Option<&str> {
        match self {
            Self::Activate { id } => Some(id),
            _ => None,
        }
    }
}

/// Reads a request target, with or without the prefix `/v1`.
pub fn find(target: &str) -> Result<Route, RouteError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let unversioned = path
        .strip_prefix("/v1")
        .filter(|rest| rest.starts_with('/'));
    let path = unversioned
        .unwrap_or(path)
        .strip_prefix('/')
        .ok_or(RouteError::NotFound)?;
    let route = match path.split_once('/') {
        None => match path {
            "livez" => Route::Livez,
            "health" => Route::Health,
            "status" => Route::Status,
            "metrics" => Route::Metrics,
            "secrets" => Route::Secrets,
            _ => return Err(RouteError::NotFound),
        },
        Some(("secrets", rest)) => secret(rest)?,
        Some(("wg", rest)) => return interface(rest, query),
        Some(_) => return Err(RouteError::NotFound),
    };
    no_parameters(query).map(|()| route)
}

fn secret(rest: &str) -> Result<Route, RouteError> {
    match rest.split_once('/') {
        None => Ok(Route::Secret { id: decode(rest)? }),
        Some((id, "activate")) => Ok(Route::Activate { id: decode(id)? }),
        Some(_) => Err(RouteError::NotFound),
    }
}

fn interface(rest: &str, query: &str) -> Result<Route, RouteError> {
    let (name, what) = match rest.split_once('/') {
        Some((name, what)) => (name, Some(what)),
        None => (rest, None),
    };
    let name = target::percent_decode(name).and_then(|name| InterfaceName::parse(&name).ok());
    let name = name.ok_or(RouteError::InterfaceName)?;
    let route = match what {
        Some("dump") => {
            let since = parameter(query, "since")?;
            return Ok(Route::Dump { name, since });
        }
        Some("peers") => {
            let remove_foreign = match parameter(query, "foreign")?.as_deref() {
                None | Some("keep") => false,
                Some("remove") => true,
                Some(other) => return Err(RouteError::Parameter(format!("foreign={other}"))),
            };
            return Ok(Route::Peers {
                name,
                remove_foreign,
            });
        }
        None => Route::Interface { name },
        Some("digest") => Route::Digest { name },
        Some("config") => Route::Config { name },
        Some("syncconf") => Route::Syncconf { name },
        Some("enable") => Route::Enable { name },
        Some("disable") => Route::Disable { name },
        Some(other) => {
            let key = other.strip_prefix("peers/").ok_or(RouteError::NotFound)?;
            let key = PublicKey::parse_in_path(&decode(key)?).map_err(RouteError::Key)?;
            Route::Peer { name, key }
        }
    };
    no_parameters(query).map(|()| route)
}

fn decode(text: &str) -> Result<String, RouteError> {
    target::percent_decode(text).ok_or(RouteError::NotFound)
}

/// The value of the only parameter that a path takes. Any other is an error: a mistyped one must not
/// be read as absent.
fn parameter(query: &str, name: &str) -> Result<Option<String>, RouteError> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key != name || found.is_some() {
            return Err(RouteError::Parameter(key.chars().take(40).collect()));
        }
        found = Some(decode(value)?);
    }
    Ok(found)
}

fn no_parameters(query: &str) -> Result<(), RouteError> {
    parameter(query, "").map(drop)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> InterfaceName {
        InterfaceName::parse("wg0").unwrap()
    }

    #[test]
    fn every_path_works_with_and_without_the_version() {
        let paths = [
            "/livez",
            "/health",
            "/status",
            "/metrics",
            "/secrets",
            "/secrets/a",
            "/secrets/a/activate",
            "/wg/wg0",
            "/wg/wg0/dump",
            "/wg/wg0/digest",
            "/wg/wg0/config",
            "/wg/wg0/syncconf",
            "/wg/wg0/enable",
            "/wg/wg0/disable",
            "/wg/wg0/peers",
        ];
        for path in paths {
            let plain = find(path);

            assert!(plain.is_ok(), "{path}: {plain:?}");
            assert_eq!(find(&format!("/v1{path}")), plain, "{path}");
            assert_eq!(
                find(&format!("/v1/v1{path}")),
                Err(RouteError::NotFound),
                "{path}"
            );
        }
    }

    #[test]
    fn a_name_that_is_none_is_no_interface() {
        for path in [
            "/wg/../dump",
            "/wg/%2e%2e/dump",
            "/wg/wg0%00/dump",
            "/wg/wg%2F0/dump",
            "/wg//dump",
            "/wg/a234567890123456/dump",
        ] {
            assert_eq!(find(path), Err(RouteError::InterfaceName), "{path}");
        }
    }

    #[test]
    fn parameters_are_known_or_refused() {
        let since = |since: &str| {
            Ok(Route::Dump {
                name: name(),
                since: Some(since.into()),
            })
        };
        assert_eq!(find("/wg/wg0/dump?since=a.1"), since("a.1"));
        assert_eq!(find("/wg/wg0/dump?since=a%2E1"), since("a.1"));
        assert_eq!(
            find("/wg/wg0/peers?foreign=remove"),
            Ok(Route::Peers {
                name: name(),
                remove_foreign: true
            })
        );
        for path in [
            "/wg/wg0/dump?sinse=1",
            "/wg/wg0/dump?since=1&since=2",
            "/wg/wg0/peers?foreign=all",
            "/health?x",
            "/wg/wg0/digest?x=1",
        ] {
            assert!(
                matches!(find(path), Err(RouteError::Parameter(_))),
                "{path}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_key_is_found_in_every_spelling(bytes: [u8; 32]) {
            prop_assume!(bytes != [0; 32]);
            let key = PublicKey::from_bytes(bytes).unwrap();
            let padded = key.to_string();
            let encoded = padded.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            for spelling in [padded.clone(), padded.replace('=', ""), encoded, key.to_url_safe(), format!("{}=", key.to_url_safe())] {
                let path = format!("/v1/wg/wg0/peers/{spelling}");
                prop_assert_eq!(find(&path), Ok(Route::Peer { name: name(), key }));
            }
        }

        #[test]
        fn any_target_is_a_route_or_an_error_but_never_a_panic(target in "/(v1/)?(wg|secrets)?[ -~]{0,40}") {
            if let Ok(route) = find(&target) {
                prop_assert!(!route.methods().is_empty());
            }
        }
    }
}
