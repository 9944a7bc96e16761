//! Finds properties at the top of one JSON object by their place in the bytes, and inserts bytes there.
//!
//! Everything before and after the insertion stays as it was, so that "removing the added marking" gives the original.

use std::fmt;
use std::ops::Range;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::RenderError;
use crate::limits;

/// One JSON object, and where the values of the wanted properties stand in it.
#[derive(Debug)]
pub struct Places<'a, const N: usize> {
    body: &'a [u8],
    values: [Option<Range<usize>>; N],
    empty: bool,
}

impl<'a, const N: usize> Places<'a, N> {
    /// Reads the top of an object. Nested values are passed over, and not kept.
    ///
    /// # Errors
    /// Too long, not one JSON object, or a wanted property twice (which of them counts would be anybody's guess).
    pub fn read(body: &'a [u8], wanted: [&'static str; N]) -> Result<Self, RenderError> {
        if body.len() > limits::BODY_BYTES {
            return Err(RenderError::TooLong(body.len()));
        }
        let wrong = |error: serde_json::Error| RenderError::NotAnObject(error.to_string());
        let mut reader = serde_json::Deserializer::from_slice(body);
        let top = reader.deserialize_map(TopVisitor { wanted }).map_err(wrong)?;
        reader.end().map_err(wrong)?;
        // A raw value borrows from `body`, so the difference of the two addresses is its place.
        let place = |raw: &RawValue| {
            let text = raw.get();
            let start = text.as_ptr().addr() - body.as_ptr().addr();
            start..start + text.len()
        };
        Ok(Self { body, values: top.values.map(|raw| raw.map(place)), empty: top.empty })
    }

    /// The bytes of the value of a wanted property, by its place in `wanted`.
    pub fn value(&self, which: usize) -> Option<&'a [u8]> {
        self.range(which).and_then(|range| self.body.get(range))
    }

    /// Appends `element` to the array that is the value of a wanted property, or adds the property as an array with
    /// that element alone. `property` is its name as JSON writes it, without quotes.
    pub fn push(&self, which: usize, property: &str, element: &str) -> Vec<u8> {
        let (at, insertion) = match self.range(which) {
            Some(range) => {
                let inside = self.body.get(range.start + 1..range.end - 1).unwrap_or_default();
                let comma = if inside.iter().all(u8::is_ascii_whitespace) { "" } else { "," };
                (range.end - 1, format!("{comma}{element}"))
            }
            None => {
                let comma = if self.empty { "" } else { "," };
                let brace = self.body.iter().rposition(|byte| *byte == b'}').unwrap_or(self.body.len());
                (brace, format!("{comma}\"{property}\":[{element}]"))
            }
        };
        let (before, after) = self.body.split_at(at);
        [before, insertion.as_bytes(), after].concat()
    }

    fn range(&self, which: usize) -> Option<Range<usize>> {
        self.values.get(which).cloned().flatten()
    }
}

struct Top<'a, const N: usize> {
    values: [Option<&'a RawValue>; N],
    empty: bool,
}

struct TopVisitor<const N: usize> {
    wanted: [&'static str; N],
}

impl<'de, const N: usize> Visitor<'de> for TopVisitor<N> {
    type Value = Top<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top<'de, N>, A::Error> {
        let mut top = Top { values: [None; N], empty: true };
        while let Some(name) = map.next_key::<Name>()? {
            top.empty = false;
            let which = name.0.and_then(|name| self.wanted.iter().position(|wanted| *wanted == name));
            match which.and_then(|at| top.values.get_mut(at)) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(Some(_)) => return Err(de::Error::custom("a property stands in it twice")),
                Some(empty) => *empty = Some(map.next_value()?),
            }
        }
        Ok(top)
    }
}

/// A property's name; `None` if it is longer than any that is wanted.
struct Name(Option<String>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a property's name")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
                Ok(Name((name.len() <= limits::NAME_BYTES).then(|| name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Reads a JSON array of at most [`limits::MARKINGS`] elements; `None` for anything else.
pub fn array<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<Vec<T>> {
    struct Bounded<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an array of at most {} elements", limits::MARKINGS)
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(element) = elements.next_element()? {
                if read.len() == limits::MARKINGS {
                    return Err(de::Error::custom("too many elements"));
                }
                read.push(element);
            }
            Ok(read)
        }
    }
    serde_json::Deserializer::from_slice(bytes).deserialize_seq(Bounded(std::marker::PhantomData)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(body: &str) -> Result<String, RenderError> {
        let places = Places::read(body.as_bytes(), ["id", "refs"])?;
        Ok(String::from_utf8(places.push(1, "refs", "9")).unwrap())
    }

    #[test]
    fn an_element_is_inserted_and_nothing_else_changes() {
        let check = |body: &str, expect: &str| assert_eq!(push(body).as_deref(), Ok(expect), "{body}");
        check("{}", r#"{"refs":[9]}"#);
        check(" { }\n", " { \"refs\":[9]}\n");
        check(r#"{"a":1}"#, r#"{"a":1,"refs":[9]}"#);
        check(r#"{"a":{"refs":[1]} }"#, r#"{"a":{"refs":[1]} ,"refs":[9]}"#);
        check(r#"{"refs":[],"a":"}"}"#, r#"{"refs":[9],"a":"}"}"#);
        check(r#"{"refs": [ ] }"#, r#"{"refs": [ 9] }"#);
        check(r#"{"refs": [ 1 ],"z":0}"#, r#"{"refs": [ 1 ,9],"z":0}"#);
        check(r#"{"\u0072efs":["]"]}"#, r#"{"\u0072efs":["]",9]}"#);
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        let refused = |body: &str| matches!(push(body), Err(RenderError::NotAnObject(_)));
        for body in ["", "[]", "1", "{", "{}{}", "{\"a\":}", "{\"refs\":[1],\"refs\":[2]}", "\u{feff}{}"] {
            assert!(refused(body), "{body}");
        }
        assert!(refused(&format!("{{\"refs\":{}", "[".repeat(100_000))));
        let long = " ".repeat(limits::BODY_BYTES + 1);
        assert_eq!(push(&long), Err(RenderError::TooLong(long.len())));
    }

    #[test]
    fn arrays_are_bounded() {
        let text = |length: usize| format!("[{}]", vec!["1"; length].join(","));
        assert_eq!(array::<u8>(text(limits::MARKINGS).as_bytes()).map(|read| read.len()), Some(limits::MARKINGS));
        assert_eq!(array::<u8>(text(limits::MARKINGS + 1).as_bytes()), None);
        assert_eq!(array::<u8>(b"{}"), None);
    }
}
