//! What texts in requests look like, for the document. These are descriptions: what takes a text is its parser, and a
//! pattern here is at least as wide as that.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident = $pattern:literal, $example:literal;)+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = concat!($($doc),+).trim();
                let object = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(description))
                    .pattern(Some($pattern))
                    .examples([$example]);
                object.build().into()
            }
        }

        impl ToSchema for $name {}

        #[cfg(test)]
        impl Text for $name {
            const PATTERN: &str = $pattern;
            const EXAMPLE: &str = $example;
        }
    )+};
}

texts! {
    /// A DNS label, in any case.
    Label = r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$", "fra-1";
    /// A host name: labels with dots between them.
    HostName = r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$", "office";
    /// What an agent calls a secret.
    KeyId = r"^[A-Za-z0-9_-]{1,64}$", "initial";
    /// At least 32 bytes, at least 8 of them different.
    Secret = r"^[\s\S]{8,}$", "0123456789abcdef0123456789abcdef";
    /// A country in two letters.
    Country = r"^[A-Za-z]{2}$", "FI";
    /// What a device is called on its machine.
    InterfaceName = r"^[A-Za-z0-9_=+.-]{1,15}$", "wg0";
    /// `http://` or `https://`, a host and a port; no path.
    AgentUrl = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/\\?#@\s]+/?$", "https://fra-1.example.com:8443";
    /// `http://` or `https://`; no user name, no password, no fragment.
    WebhookUrl = r"^[Hh][Tt][Tt][Pp][Ss]?://[^#|]+$", "https://hooks.example.com/wgfleet";
    /// Kinds of events, or topics.
    Kind = r"^[a-z0-9_.]{1,64}$", "peer.created";
    /// `host:port`; an IPv6 address stands in brackets.
    PublicEndpoint = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]+$", "fra-1.example.com:51820";
    /// An address with a prefix length, host bits zero.
    Prefix = r"^[0-9A-Fa-f:.]+/[0-9]{1,3}$", "10.8.0.0/24";
    /// An IPv4 address with a prefix length, host bits zero.
    PrefixV4 = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$", "10.8.0.0/24";
    /// An IPv6 address with a prefix length, host bits zero.
    PrefixV6 = r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/[0-9]{1,3}$", "fd00:8::/64";
    /// A key of WireGuard in base64.
    Key = r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$", "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    /// What somebody signs in with, in any case.
    UserName = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "ada";
    /// Where somebody is written to.
    Email = r#"^[^@\s<>,;"]+@[^@\s<>,;"]+$"#, "ada@example.org";
    /// What a key is for: 1 to 100 characters.
    Purpose = r"^[^\x00-\x1F\x7F-\x9F]{1,100}$", "grafana";
    /// 1 to 64 bytes without commas and control characters, no blanks around.
    Tag = r"^[^,\x00-\x1F\x7F-\x9F]{1,64}$", "paris";
    /// At most 4096 bytes.
    Notes = r"^[^\x00]{0,4096}$", "in the cellar";
}

#[cfg(test)]
trait Text {
    const PATTERN: &str;
    const EXAMPLE: &str;
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::string::string_regex;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::domain::address::prefix;
    use crate::domain::agent_url::AgentUrl as ParsedAgentUrl;
    use crate::domain::endpoint::PublicEndpoint as ParsedEndpoint;
    use crate::domain::webhook::{WebhookUrl as ParsedWebhookUrl, check_kinds};
    use crate::domain::{names, node, peer, user};

    /// Holds an example to the parser.
    fn takes_example<T: Text, P, E: Debug>(parse: impl Fn(&str) -> Result<P, E>) {
        if let Err(err) = parse(T::EXAMPLE) {
            panic!("{:?}: {err:?}", T::EXAMPLE);
        }
    }

    /// Holds all that a pattern makes to the parser.
    fn takes_all<T: Text, P, E: Debug>(parse: impl Fn(&str) -> Result<P, E>) {
        takes_example::<T, P, E>(&parse);
        let inner = T::PATTERN.trim_start_matches('^').trim_end_matches('$');
        let texts = string_regex(inner).unwrap();
        let run = TestRunner::default().run(&texts, |text| {
            assert!(parse(&text).is_ok(), "{text:?}");
            Ok(())
        });
        run.unwrap();
    }

    #[test]
    fn what_a_pattern_says_in_full_its_parser_takes() {
        takes_all::<Label, _, _>(names::Label::parse);
        takes_all::<KeyId, _, _>(node::KeyId::parse);
        takes_all::<Country, _, _>(node::Country::parse);
        takes_all::<UserName, _, _>(user::UserName::parse);
        takes_all::<Kind, _, _>(|text| check_kinds(&[text.to_owned()]));
        takes_all::<Key, _, _>(protocol::PublicKey::parse);
    }

    #[test]
    fn every_example_is_one() {
        takes_example::<HostName, _, _>(names::HostName::parse);
        takes_example::<Secret, _, _>(protocol::signing::Secret::parse);
        takes_example::<InterfaceName, _, _>(protocol::InterfaceName::parse);
        takes_example::<AgentUrl, _, _>(ParsedAgentUrl::parse);
        takes_example::<WebhookUrl, _, _>(ParsedWebhookUrl::parse);
        takes_example::<PublicEndpoint, _, _>(ParsedEndpoint::parse);
        takes_example::<Prefix, _, _>(prefix::parse);
        takes_example::<PrefixV4, _, _>(prefix::parse);
        takes_example::<PrefixV6, _, _>(prefix::parse);
        takes_example::<Email, _, _>(user::Email::parse);
        takes_example::<Tag, _, _>(|text| peer::parse_tags(vec![text.to_owned()]));
    }
}
