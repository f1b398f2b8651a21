//! Reading names of what a device holds already: the all-zero key, IPv4 prefixes in IPv6 clothes.
//!
//! A request may not ask for them, but other tools may have set them, and one odd foreign peer must
//! not make a whole dump or journal unreadable. For use with serde's `deserialize_with`.

use serde::{Deserialize, Deserializer, de};

use crate::{AllowedIps, Cidr, PublicKey};

pub fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
    parse_key(&String::deserialize(deserializer)?)
}

pub fn named_key<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PublicKey>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse_key(&text)).transpose()
}

pub fn named_keys<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<PublicKey>>, D::Error> {
    let texts = Option::<Vec<String>>::deserialize(deserializer)?;
    let parse = |texts: Vec<String>| texts.iter().map(|text| parse_key(text)).collect();
    texts.map(parse).transpose()
}

pub fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PublicKey>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse_key(text)).collect()
}

pub fn allowed_ips<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AllowedIps, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| {
        let cidr = Cidr::parse_observed(text);
        cidr.map_err(|err| de::Error::custom(format!("allowed IP {text:?} {err}")))
    };
    texts.iter().map(parse).collect()
}

fn parse_key<E: de::Error>(text: &str) -> Result<PublicKey, E> {
    PublicKey::parse_observed(text).map_err(|err| E::custom(format!("key {text:?} {err}")))
}
