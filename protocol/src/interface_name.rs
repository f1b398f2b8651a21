//! The name of a network interface, safe to put into a path, a log line or a netlink message.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an interface name: 1 to 15 of A-Z a-z 0-9 _ = + . -, not . or ..")]
pub struct InterfaceNameError;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(Box<str>);

impl InterfaceName {
    pub fn parse(text: &str) -> Result<Self, InterfaceNameError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_=+.-".contains(&b);
        let fits = (1..=15).contains(&text.len()) && text.bytes().all(allowed);
        if !fits || text == "." || text == ".." {
            return Err(InterfaceNameError);
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for InterfaceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InterfaceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|err| de::Error::custom(format!("{text:?} {err}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_folder_or_end_a_string_are_refused() {
        for text in [
            "",
            ".",
            "..",
            "../wg0",
            "wg0/..",
            "wg\0",
            "wg 0",
            "a234567890123456",
            "wgé",
        ] {
            assert_eq!(
                InterfaceName::parse(text),
                Err(InterfaceNameError),
                "{text:?}"
            );
        }
        for text in ["wg0", "a23456789012345", "wg-0.1_x=+"] {
            assert_eq!(InterfaceName::parse(text).unwrap().as_str(), text);
        }
    }
}
