//! Where a node's agent is reached: a scheme, a host and a port, and nothing else.
//!
//! Whoever signs a request signs its path as it is sent, so the address of a node brings no path of
//! its own; and what it is written with is stored and shown, so it holds no password either.

use std::fmt;

use url::{Host, Url};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgentUrlError {
    #[error("does not begin with http:// or https://")]
    Scheme,
    #[error("is not a host with an optional port, such as https://fra-1.example:8443")]
    Host,
    #[error("has port 0, on which nothing listens")]
    Port,
    #[error("holds a user name or a password; a request is signed instead")]
    UserInfo,
    #[error("has a path; an agent is reached at the root of its host")]
    Path,
    #[error("has a query")]
    Query,
    #[error("has a fragment")]
    Fragment,
}

/// Kept in the one spelling that all spellings of an address have in common: lower case, without
/// the port that goes without saying and without a slash at the end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentUrl(Box<str>);

impl AgentUrl {
    pub fn parse(text: &str) -> Result<Self, AgentUrlError> {
        let rest = ["http://", "https://"].iter().find_map(|scheme| {
            let (start, rest) = text.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        });
        // The parser forgives what nobody means: blanks, line ends, backslashes, further slashes.
        let rest = rest.ok_or(AgentUrlError::Scheme)?;
        let forgiven = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if rest.starts_with('/') || rest.contains(forgiven) {
            return Err(AgentUrlError::Host);
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        if authority.contains('@') {
            return Err(AgentUrlError::UserInfo);
        }
        let url = Url::parse(text).map_err(|_| AgentUrlError::Host)?;
        check(&url)?;
        Ok(Self(url.origin().ascii_serialization().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https://")
    }
}

fn check(url: &Url) -> Result<(), AgentUrlError> {
    match url.host() {
        None | Some(Host::Domain("")) => return Err(AgentUrlError::Host),
        Some(_) => {}
    }
    if url.port() == Some(0) {
        return Err(AgentUrlError::Port);
    }
    if url.path() != "/" {
        return Err(AgentUrlError::Path);
    }
    if url.query().is_some() {
        return Err(AgentUrlError::Query);
    }
    if url.fragment().is_some() {
        return Err(AgentUrlError::Fragment);
    }
    Ok(())
}

impl fmt::Display for AgentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AgentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_spellings_of_one_address_are_equal() {
        for (text, kept) in [
            ("http://fra-1.example:8080", "http://fra-1.example:8080"),
            ("HTTPS://FRA-1.example:443/", "https://fra-1.example"),
            ("http://192.0.2.1:80", "http://192.0.2.1"),
            ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(AgentUrl::parse(text).unwrap().as_str(), kept, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        use AgentUrlError as E;
        for (text, error) in [
            ("", E::Scheme),
            ("fra-1.example:8080", E::Scheme),
            ("ftp://fra-1.example", E::Scheme),
            (" http://a", E::Scheme),
            ("http:a", E::Scheme),
            ("http://", E::Host),
            ("http:///a", E::Host),
            ("http://a b", E::Host),
            ("http://a\n", E::Host),
            ("http://a\\b", E::Host),
            ("http://a:99999", E::Host),
            ("http://[::1", E::Host),
            ("http://a:0", E::Port),
            ("http://user:hunter2@a", E::UserInfo),
            ("http://@a", E::UserInfo),
            ("http://a/v1", E::Path),
            ("http://a//", E::Path),
            ("http://a/?", E::Query),
            ("http://a?x=1", E::Query),
            ("http://a#x", E::Fragment),
        ] {
            assert_eq!(AgentUrl::parse(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error_and_what_is_kept_stays(text in "(http(s)?://)?[ -~]{0,30}") {
            if let Ok(address) = AgentUrl::parse(&text) {
                let again = AgentUrl::parse(address.as_str());
                prop_assert_eq!(again.as_ref(), Ok(&address));
                prop_assert!(!address.as_str().contains('@'));
                prop_assert!(!address.as_str().ends_with('/'));
            }
        }
    }
}
