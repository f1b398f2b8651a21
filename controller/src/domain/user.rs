//! What people are called, and whether their changes leave somebody in charge.

use std::fmt;

use serde::Serialize;

use super::ids::UserId;
use super::role::Role;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a login name: 1 to 64 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter or digit"
)]
pub struct UserNameError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an email address")]
pub struct EmailError;

/// The last enabled admin stays one: nobody else could make another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the last enabled admin can be neither deleted, disabled nor given another role")]
pub struct LastAdmin;

/// What somebody signs in with. Kept in lower case, so that no two people differ by case alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserName(String);

impl UserName {
    pub fn parse(text: &str) -> Result<Self, UserNameError> {
        let name = text.to_ascii_lowercase();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let well_formed = (1..=64).contains(&name.len())
            && plain(name.as_bytes()[0])
            && name.bytes().all(|b| plain(b) || b".-_".contains(&b));
        if well_formed {
            Ok(Self(name))
        } else {
            Err(UserNameError)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where somebody is written to. Only a message that arrives proves an address, so little is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(EmailError);
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c);
        let well_formed = text.len() <= 254
            && !text.contains(odd)
            && !local.is_empty()
            && !local.contains('@')
            && domain.split('.').all(|label| !label.is_empty());
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(EmailError)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tells whether `user` may become somebody else, or nobody (`None`), as far as `admins`, the enabled
/// ones at this moment, are concerned.
pub fn check_admins(
    admins: &[UserId],
    user: UserId,
    becomes: Option<(Role, bool)>,
) -> Result<(), LastAdmin> {
    let stays = becomes == Some((Role::Admin, true));
    if !stays && admins == [user] {
        return Err(LastAdmin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_name_is_kept_in_lower_case() {
        assert_eq!(UserName::parse("Ada.L-1_x").unwrap().as_str(), "ada.l-1_x");
        for text in [
            "",
            ".a",
            "-a",
            "a b",
            "a@b",
            "ä",
            "a\n",
            "a:b",
            &"a".repeat(65),
        ] {
            assert_eq!(UserName::parse(text), Err(UserNameError), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_to_is_no_email_address() {
        for text in ["ada@example.org", "a+b@localhost", "o'hara@a.b"] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
        let long = format!("{}@a.b", "a".repeat(251));
        for text in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@b\r\nBcc: c",
            "a@.b",
            "<a@b>",
            &long,
        ] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text:?}");
        }
    }

    #[test]
    fn the_last_admin_stays_one() {
        let [ada, ben] = [UserId(1), UserId(2)];

        for becomes in [None, Some((Role::Admin, false)), Some((Role::Viewer, true))] {
            assert_eq!(check_admins(&[ada], ada, becomes), Err(LastAdmin));
            assert_eq!(check_admins(&[ada], ben, becomes), Ok(()));
            assert_eq!(check_admins(&[ada, ben], ada, becomes), Ok(()));
        }
        assert_eq!(check_admins(&[ada], ada, Some((Role::Admin, true))), Ok(()));
    }
}
