//! Names that people give, and what each may consist of.

use std::fmt;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a DNS label: 1 to 63 of a-z, 0-9 and hyphen, beginning and ending with a letter or digit"
)]
pub struct LabelError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a host name: labels of a-z, 0-9 and hyphen, each at most 63 long and together at most 253"
)]
pub struct HostNameError;

/// A single DNS label: the name of a node, a pool or a peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// Takes a label in any case and keeps it in lower case, as DNS compares names.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let label = text.to_ascii_lowercase();
        if is_label(&label) {
            Ok(Self(label))
        } else {
            Err(LabelError)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A DNS host name: the name of a network, a suffix, or where a node is reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HostName(String);

impl HostName {
    pub fn parse(text: &str) -> Result<Self, HostNameError> {
        let name = text.to_ascii_lowercase();
        if name.len() <= 253 && name.split('.').all(is_label) {
            Ok(Self(name))
        } else {
            Err(HostNameError)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_kept_in_lower_case() {
        assert_eq!(Label::parse("FRA-1").unwrap().as_str(), "fra-1");
    }

    #[test]
    fn what_dns_would_refuse_is_refused() {
        for text in ["", "-a", "a-", "a_b", "a.b", "ä", "a\n", &"a".repeat(64)] {
            assert_eq!(Label::parse(text), Err(LabelError), "{text:?}");
        }
        for text in ["", ".", "a..b", "a.", ".a", "a b", &"a.".repeat(130)] {
            assert_eq!(HostName::parse(text), Err(HostNameError), "{text:?}");
        }
    }

    #[test]
    fn host_names_have_several_labels() {
        assert_eq!(
            HostName::parse("Home.Example").unwrap().as_str(),
            "home.example"
        );
    }
}
