//! What an identity provider says of somebody, and what follows from it.
//!
//! A token's signature, issuer, audience and age are verified before; here is what verifying leaves open.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::role::Role;
use super::user::{Email, UserName};

/// Which groups make what of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupRoles {
    pub admin: Vec<String>,
    pub operator: Vec<String>,
    pub viewer: Vec<String>,
}

/// The claims of a token that verified.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub nonce: Option<String>,
    pub aud: Value,
    pub azp: Option<String>,
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    #[error("the token was made for another sign-in")]
    Nonce,
    #[error("the token was made for another program")]
    Party,
    #[error("the token names nobody")]
    Subject,
    #[error("the token has no login name that could be used here")]
    Name,
    #[error("none of the person's groups may sign in")]
    Group,
}

/// Somebody as the identity provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub subject: String,
    pub name: UserName,
    pub email: Option<Email>,
    pub role: Role,
}

/// Which claims are read.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub client_id: &'a str,
    /// That of the sign-in; none where nobody signs in: then the provider was asked directly.
    pub nonce: Option<&'a str>,
    pub name_claim: &'a str,
    pub groups_claim: &'a str,
    pub roles: &'a GroupRoles,
}

/// Says who somebody is and what they may, or why they may not come in.
pub fn judge(claims: &Claims, expected: Expected<'_>) -> Result<Person, ClaimsError> {
    if expected.nonce.is_some() && claims.nonce.as_deref() != expected.nonce {
        return Err(ClaimsError::Nonce);
    }
    let several = claims.aud.as_array().is_some_and(|all| all.len() > 1);
    let other = |party: &String| party != expected.client_id;
    if claims.azp.as_ref().is_some_and(other) || (several && claims.azp.is_none()) {
        return Err(ClaimsError::Party);
    }
    if !(1..=255).contains(&claims.sub.len()) {
        return Err(ClaimsError::Subject);
    }
    let text = |claim: &str| claims.more.get(claim).and_then(Value::as_str);
    let name = text(expected.name_claim).and_then(login_name);
    let groups = groups(claims.more.get(expected.groups_claim));
    Ok(Person {
        subject: claims.sub.clone(),
        name: name.ok_or(ClaimsError::Name)?,
        email: text("email").and_then(|text| Email::parse(text).ok()),
        role: expected.roles.role_of(&groups).ok_or(ClaimsError::Group)?,
    })
}

impl GroupRoles {
    /// The most that any of the groups allows.
    pub fn role_of(&self, groups: &[String]) -> Option<Role> {
        let in_any = |of: &[String]| of.iter().any(|group| groups.contains(group));
        [
            (&self.admin, Role::Admin),
            (&self.operator, Role::Operator),
            (&self.viewer, Role::Viewer),
        ]
        .into_iter()
        .find_map(|(of, role)| in_any(of).then_some(role))
    }
}

/// Groups come as a list, or as one text with commas or spaces between them.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(text)) => text
            .split([',', ' '])
            .filter(|group| !group.is_empty())
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// A login name, or of an address what stands before the @.
fn login_name(text: &str) -> Option<UserName> {
    let local = text.split_once('@').map_or(text, |(local, _)| local);
    UserName::parse(local).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn roles() -> GroupRoles {
        GroupRoles {
            admin: vec!["vpn-admins".into()],
            operator: vec!["vpn-ops".into(), "noc".into()],
            viewer: vec!["staff".into()],
        }
    }

    fn good() -> Value {
        json!({"sub": "248", "nonce": "n", "aud": "wgfleet", "preferred_username": "Ada", "email": "ada@example.org",
            "groups": ["staff", "noc"]})
    }

    fn judged(changes: Value) -> Result<Person, ClaimsError> {
        let mut claims = good();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let roles = roles();
        let expected = Expected {
            client_id: "wgfleet",
            nonce: Some("n"),
            name_claim: "preferred_username",
            groups_claim: "groups",
            roles: &roles,
        };
        judge(&serde_json::from_value(claims).unwrap(), expected)
    }

    #[test]
    fn somebody_has_the_highest_role_of_their_groups() {
        let role = |groups: Value| judged(json!({ "groups": groups })).map(|person| person.role);

        assert_eq!(role(json!(["staff", "noc"])), Ok(Role::Operator));
        assert_eq!(role(json!(["staff", "vpn-admins"])), Ok(Role::Admin));
        assert_eq!(role(json!("staff,other")), Ok(Role::Viewer));
        assert_eq!(role(json!("other vpn-ops")), Ok(Role::Operator));
        for groups in [
            json!([]),
            json!(["STAFF"]),
            json!(null),
            json!(7),
            json!(""),
        ] {
            assert_eq!(role(groups), Err(ClaimsError::Group));
        }
    }

    #[test]
    fn a_token_for_another_sign_in_or_another_program_is_refused() {
        let refused = |changes| judged(changes).unwrap_err();

        assert_eq!(refused(json!({"nonce": "m"})), ClaimsError::Nonce);
        assert_eq!(refused(json!({"nonce": null})), ClaimsError::Nonce);
        assert_eq!(refused(json!({"azp": "other"})), ClaimsError::Party);
        assert_eq!(
            refused(json!({"aud": ["wgfleet", "other"]})),
            ClaimsError::Party
        );
        assert!(judged(json!({"aud": ["wgfleet", "other"], "azp": "wgfleet"})).is_ok());
        assert_eq!(refused(json!({"sub": ""})), ClaimsError::Subject);
    }

    #[test]
    fn a_login_name_is_taken_from_an_address_too_and_a_strange_email_is_left_out() {
        let person =
            judged(json!({"preferred_username": "Ada@example.org", "email": "nowhere"})).unwrap();

        assert_eq!(person.name.as_str(), "ada");
        assert_eq!(person.email, None);
        for name in [json!("a b"), json!(""), json!(null)] {
            assert_eq!(
                judged(json!({"preferred_username": name})),
                Err(ClaimsError::Name)
            );
        }
    }
}
