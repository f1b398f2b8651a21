//! Objects that are written as objects. What serde derives for a type with named fields takes a list of their values as
//! well, in the order in which the type happens to have them: nobody was promised that.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value of a type with named fields.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Point {
        x: u8,
        y: Option<u8>,
    }

    fn read(text: &str) -> Result<Point, String> {
        let read = serde_json::from_str::<Object<Point>>(text);
        read.map(|object| object.0).map_err(|err| err.to_string())
    }

    #[test]
    fn fields_are_told_by_their_names() {
        assert_eq!(read(r#"{"x": 1}"#), Ok(Point { x: 1, y: None }));
        assert!(read(r#"{"x": 1, "z": 2}"#).unwrap_err().contains("`z`"));
        assert!(read("{}").unwrap_err().contains("`x`"));
    }

    #[test]
    fn a_list_of_values_is_no_object() {
        assert!(serde_json::from_str::<Point>("[1, 2]").is_ok());
        for text in ["[1, 2]", "[]", "null", "1", r#""x""#] {
            assert!(read(text).unwrap_err().contains("an object"), "{text}");
        }
    }
}
