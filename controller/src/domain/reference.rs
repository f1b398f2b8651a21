//! What people point at a row with: its id or its name.

use std::fmt;

use super::names::{HostName, HostNameError};

/// Digits are an id, whatever else bears them as a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    Id(i64),
    Name(HostName),
}

impl Reference {
    pub fn parse(text: &str) -> Result<Self, HostNameError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => HostName::parse(text).map(Self::Name),
        }
    }

    pub fn id(&self) -> Option<i64> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Name(_) => None,
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Name(name) => Some(name.as_str()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_an_id_and_all_else_is_a_name_or_a_mistake() {
        let name = |text| HostName::parse(text).map(Reference::Name);
        assert_eq!(Reference::parse("7"), Ok(Reference::Id(7)));
        assert_eq!(Reference::parse("Office"), name("office"));
        assert_eq!(Reference::parse("7a"), name("7a"));
        for text in ["", "a\0", "a b", "%"] {
            assert_eq!(Reference::parse(text), Err(HostNameError), "{text:?}");
        }
    }
}
