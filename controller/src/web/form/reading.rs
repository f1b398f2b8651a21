//! Reading what a form stands for into the type that the API takes, so that what does not fit is told of its field.
//!
//! The mistakes of serde are sentences in English about the whole; here each is a [`Mistake`] with a code, beside the
//! name under which the form sent the field. Only what a form can hold is read: texts, numbers, flags, lists of texts,
//! and one object within the other.

use std::fmt;

use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use crate::api::fields::mistake::Mistake;

/// What does not fit, and where.
#[derive(Debug)]
pub(super) struct Misfit {
    /// From the outside in, apart by dots; empty for the whole.
    pub(super) field: String,
    pub(super) mistake: Mistake,
}

pub(super) fn read<T: DeserializeOwned>(body: Map<String, Value>) -> Result<T, Misfit> {
    T::deserialize(Held(Value::Object(body)))
}

struct Held(Value);

/// The fields of an object, each named to what goes wrong within it.
struct Fields {
    rest: serde_json::map::IntoIter,
    at: Option<(String, Value)>,
}

impl Misfit {
    fn new(mistake: Mistake) -> Self {
        Self {
            field: String::new(),
            mistake,
        }
    }

    fn within(mut self, field: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => field.to_owned(),
            inner => format!("{field}.{inner}"),
        };
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.mistake.detail())
    }
}

impl std::error::Error for Misfit {}

impl Error for Misfit {
    /// What a type says of itself may hold what was written: it could be a password.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(Mistake::new("unreadable", "cannot be read"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Mistake::new("missing", "is missing")).within(field)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(Mistake::new("not_asked", "is not asked for here")).within(field)
    }

    fn unknown_variant(_: &str, words: &'static [&'static str]) -> Self {
        let words = words.join(", ");
        let detail = format!("is none of {words}");
        Self::new(Mistake::new("unknown_word", detail).with("words", words))
    }

    fn invalid_value(what: Unexpected<'_>, _: &dyn Expected) -> Self {
        match what {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => {
                let what = "is a number beyond what this field can hold";
                Self::new(Mistake::new("beyond_numbers", what))
            }
            _ => Self::custom(""),
        }
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::custom("")
    }
}

impl<'de> Deserializer<'de> for Held {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => Err(Misfit::custom("is not a whole number")),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(all) => visitor.visit_seq(SeqDeserializer::new(all.into_iter().map(Held))),
            Value::Object(fields) => visitor.visit_map(Fields {
                rest: fields.into_iter(),
                at: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(word) => {
                StringDeserializer::<Misfit>::new(word).deserialize_enum(name, variants, visitor)
            }
            other => Held(other).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for Held {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.at = self.rest.next();
        let Some((name, _)) = &self.at else {
            return Ok(None);
        };
        seed.deserialize(name.as_str().into_deserializer())
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (name, value) = self
            .at
            .take()
            .ok_or_else(|| Misfit::custom("a value before its name"))?;
        seed.deserialize(Held(value))
            .map_err(|misfit| misfit.within(&name))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Policy {
        Report,
        Adopt,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Draft {
        name: String,
        weight: Option<u32>,
        #[serde(default)]
        tags: Vec<String>,
        enabled: Option<bool>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        policy: Policy,
    }

    fn of(body: Value) -> Result<Draft, String> {
        let Value::Object(body) = body else {
            unreachable!()
        };
        read(body).map_err(|misfit| {
            let entry = misfit.mistake.json(&misfit.field);
            format!("{} {}", misfit.field, entry["code"].as_str().unwrap())
        })
    }

    #[test]
    fn what_fits_is_read_as_json_would_be() {
        let body = json!({"name": "fra-1", "weight": 7, "tags": ["a", "b"], "enabled": true, "inner": {"policy": "adopt"}});

        let expected: Draft = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(of(body), Ok(expected));
        let null = json!({"name": "fra-1", "weight": null});
        assert_eq!(of(null).unwrap().weight, None);
    }

    #[test]
    fn what_does_not_fit_is_told_of_its_field() {
        let cases = [
            (json!({"weight": 7}), "name missing"),
            (
                json!({"name": "a", "weight": 1_u64 << 40}),
                "weight beyond_numbers",
            ),
            (json!({"name": "a", "weight": -1}), "weight beyond_numbers"),
            (json!({"name": 1}), "name unreadable"),
            (
                json!({"name": "a", "inner": {"policy": "destroy"}}),
                "inner.policy unknown_word",
            ),
            (json!({"name": "a", "inner": {}}), "inner.policy missing"),
            (json!({"name": "a", "colour": "red"}), "colour not_asked"),
        ];
        for (body, told) in cases {
            assert_eq!(of(body), Err(told.to_owned()));
        }
    }
}
