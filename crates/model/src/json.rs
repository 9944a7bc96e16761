//! JSON as strictly as partners need it: one pass that checks every rule, while a reader picks what it wants.
//!
//! Two parsers that disagree about one text are how a label gets lost, so whatever may be read differently is refused:
//! duplicate keys (RFC 8259 §4), integers that not every reader keeps (RFC 7493 §2.2), lone surrogates, and anything
//! that follows the value.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::limits;

/// Why a text is not JSON that every partner reads alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than one body may have.
    #[error("{bytes} bytes are too many for one object: split it below {} bytes", limits::BODY_BYTES)]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Nested more deeply than [`limits::JSON_DEPTH`].
    #[error("nested more than {} deep: make it flatter", limits::JSON_DEPTH)]
    TooDeep,
    /// More than [`limits::JSON_KEYS`] keys in one object.
    #[error("more than {} keys in one object: split it", limits::JSON_KEYS)]
    TooManyKeys,
    /// A key twice in one object (RFC 8259 §4 leaves open which one counts).
    #[error("the key `{key}` stands twice in one object: leave one out")]
    DuplicateKey {
        /// The key, cut to 80 characters.
        key: String,
    },
    /// A number beyond 2^53 in magnitude (RFC 7493 §2.2).
    #[error("a number is beyond 2^53, which not every reader keeps: write it as text")]
    Integer,
    /// Not JSON at all, or not in UTF-8 (RFC 8259 §8.1).
    #[error("not JSON, {reason}: repair it at its source")]
    Syntax {
        /// What the parser says, with line and column.
        reason: String,
    },
}

/// Checks every rule of this module, and keeps nothing.
///
/// # Errors
/// The first rule that the text breaks.
pub fn check(bytes: &[u8]) -> Result<(), JsonError> {
    walk(bytes, (), &mut Checked)
}

/// One value that is neither object nor array.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'a> {
    Text(&'a str),
    Integer(i64),
    /// Anything that no reader here asks for: fractions, `null`.
    Other,
    Boolean(bool),
}

/// What looks on while [`walk`] checks. `At` is where in the document we are, as far as the reader cares.
pub(crate) trait Reader {
    type At: Copy;
    type Error: From<JsonError>;
    /// An object opens at this place; answers the place that its keys are asked from.
    fn object(&mut self, at: Self::At) -> Result<Self::At, Self::Error>;
    /// An array opens at this place; answers the place of each of its elements.
    fn array(&mut self, at: Self::At) -> Result<Self::At, Self::Error>;
    /// The place of the value behind this key.
    fn key(&mut self, at: Self::At, key: &str) -> Self::At;
    /// A value at this place.
    fn scalar(&mut self, at: Self::At, value: Scalar<'_>) -> Result<(), Self::Error>;
}

/// Checks `bytes` in one pass while `reader` looks on, beginning at the place `top`.
pub(crate) fn walk<R: Reader>(bytes: &[u8], top: R::At, reader: &mut R) -> Result<(), R::Error> {
    if bytes.len() > limits::BODY_BYTES {
        return Err(JsonError::TooLarge { bytes: bytes.len() }.into());
    }
    // Once over the whole text, so that the parser need not look at every string again.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| JsonError::Syntax { reason: format!("no UTF-8 at byte {}", error.valid_up_to()) })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let mut pass = Pass { reader, keys: Vec::new(), depth: 0, fault: None };
    let parsed = Place { pass: &mut pass, at: top }.deserialize(&mut json).and_then(|()| json.end());
    match (parsed, pass.fault) {
        (_, Some(fault)) => Err(fault),
        (Err(error), None) => Err(JsonError::Syntax { reason: error.to_string() }.into()),
        (Ok(()), None) => Ok(()),
    }
}

/// Up to this many keys are compared one by one: cheaper than hashing, and nearly every STIX object has fewer.
const SCANNED_KEYS: usize = 16;

struct Pass<'r, 'de, R: Reader> {
    reader: &'r mut R,
    /// The keys of all objects that are open, the innermost last: one allocation for a whole document.
    keys: Vec<Cow<'de, str>>,
    depth: usize,
    /// What stopped the walk; serde's error can carry text only.
    fault: Option<R::Error>,
}

impl<'de, R: Reader> Pass<'_, 'de, R> {
    fn keep<T, E: serde::de::Error>(&mut self, result: Result<T, R::Error>) -> Result<T, E> {
        result.map_err(|fault| {
            self.fault = Some(fault);
            E::custom("refused")
        })
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > limits::JSON_DEPTH {
            return self.keep(Err(JsonError::TooDeep.into()));
        }
        Ok(())
    }

    /// Remembers a key of the object whose keys begin at `start`.
    fn remember(
        &mut self,
        start: usize,
        many: &mut HashSet<Cow<'de, str>>,
        key: Cow<'de, str>,
    ) -> Result<(), JsonError> {
        let open = self.keys.get(start..).unwrap_or_default();
        let twice = if many.is_empty() { open.contains(&key) } else { many.contains(&key) };
        if twice {
            return Err(JsonError::DuplicateKey { key: key.chars().take(80).collect() });
        }
        if many.len() >= limits::JSON_KEYS {
            return Err(JsonError::TooManyKeys);
        }
        if many.is_empty() && open.len() < SCANNED_KEYS {
            self.keys.push(key);
            return Ok(());
        }
        if many.is_empty() {
            many.extend(self.keys.drain(start..));
        }
        many.insert(key);
        Ok(())
    }

    fn scalar<E: serde::de::Error>(&mut self, at: R::At, value: Scalar<'_>) -> Result<(), E> {
        let kept = self.reader.scalar(at, value);
        self.keep(kept)
    }
}

/// A value at a place of the document.
struct Place<'p, 'r, 'de, R: Reader> {
    pass: &'p mut Pass<'r, 'de, R>,
    at: R::At,
}

impl<'de, R: Reader> DeserializeSeed<'de> for Place<'_, '_, 'de, R> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, R: Reader> Visitor<'de> for Place<'_, '_, 'de, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.pass.scalar(self.at, Scalar::Boolean(value))
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        if value.unsigned_abs() > limits::JSON_INTEGER {
            return self.pass.keep(Err(JsonError::Integer.into()));
        }
        self.pass.scalar(self.at, Scalar::Integer(value))
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.pass.keep(Err(JsonError::Integer.into())),
        }
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        // Digits beyond 64 bits arrive here too; beyond 2^53 every binary64 is an integer, however it is spelt.
        #[allow(clippy::cast_precision_loss, reason = "2^53 is exact in binary64")]
        if value.abs() > limits::JSON_INTEGER as f64 {
            return self.pass.keep(Err(JsonError::Integer.into()));
        }
        self.pass.scalar(self.at, Scalar::Other)
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.pass.scalar(self.at, Scalar::Text(value))
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.pass.scalar(self.at, Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { pass, at } = self;
        pass.enter()?;
        let inside = pass.reader.array(at);
        let inside = pass.keep(inside)?;
        while elements.next_element_seed(Place { pass: &mut *pass, at: inside })?.is_some() {}
        pass.depth -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { pass, at } = self;
        pass.enter()?;
        let inside = pass.reader.object(at);
        let inside = pass.keep(inside)?;
        let start = pass.keys.len();
        let mut many = HashSet::new();
        while let Some(key) = members.next_key_seed(Key)? {
            let place = pass.reader.key(inside, &key);
            let remembered = pass.remember(start, &mut many, key).map_err(R::Error::from);
            pass.keep(remembered)?;
            members.next_value_seed(Place { pass: &mut *pass, at: place })?;
        }
        pass.keys.truncate(start);
        pass.depth -= 1;
        Ok(())
    }
}

/// A key, borrowed from the text unless it has escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E: serde::de::Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }
    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// The reader that wants nothing.
struct Checked;

impl Reader for Checked {
    type At = ();
    type Error = JsonError;
    fn object(&mut self, (): ()) -> Result<(), JsonError> {
        Ok(())
    }
    fn array(&mut self, (): ()) -> Result<(), JsonError> {
        Ok(())
    }
    fn key(&mut self, (): (), _: &str) {}
    fn scalar(&mut self, (): (), _: Scalar<'_>) -> Result<(), JsonError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accept(text: &str) {
        assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
    }

    fn refuse(text: &str, expect: &JsonError) {
        assert_eq!(check(text.as_bytes()).as_ref(), Err(expect), "{text}");
    }

    fn not_json(bytes: &[u8]) {
        assert!(matches!(check(bytes), Err(JsonError::Syntax { .. })), "{:?}", check(bytes));
    }

    /// An object of `n` keys, all different.
    fn keys(n: usize) -> String {
        let members: Vec<String> = (0..n).map(|key| format!("\"k{key}\":0")).collect();
        format!("{{{}}}", members.join(","))
    }

    #[test]
    fn json_is_read_to_its_end_and_no_further() {
        accept(" {\"a\":[1,-2.5,null,true,\"\\u00e9\",{}]} \n");
        accept("0");
        not_json(b"");
        not_json(b"{} {}");
        not_json(b"{\"a\":1,}");
        not_json(b"{a:1}");
        not_json(b"[01]");
        not_json(b"[1e400]");
        not_json(b"\"\\ud800\"");
        not_json(b"\"\xff\"");
        not_json(b"\xef\xbb\xbf{}");
        not_json(b"\"a\nb\"");
    }

    #[test]
    fn a_key_stands_once_in_an_object() {
        let twice = |key: &str| JsonError::DuplicateKey { key: key.to_owned() };
        accept(r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#);
        refuse(r#"{"a":1,"b":{"c":1},"a":1}"#, &twice("a"));
        refuse(r#"{"a":1,"\u0061":1}"#, &twice("a"));
        refuse(r#"{"\u0061":1,"a":1}"#, &twice("a"));
        refuse(r#"[{"x":[{"":0,"":0}]}]"#, &twice(""));
        for n in [1, 15, 16, 17, 18, 400] {
            let good = keys(n);
            accept(&good);
            for again in ["k0".to_owned(), format!("k{}", n - 1)] {
                refuse(&good.replace('}', &format!(",\"{again}\":0}}")), &twice(&again));
            }
        }
    }

    #[test]
    fn keys_of_a_closed_object_are_forgotten() {
        accept(&format!(r#"{{"a":{0},"k0":{0},"b":{1},"k1":0}}"#, keys(3), keys(20)));
        refuse(
            &format!(r#"{{"a":{0},"k0":{0},"b":{0},"k0":0}}"#, keys(20)),
            &JsonError::DuplicateKey { key: "k0".to_owned() },
        );
    }

    #[test]
    fn limits_hold_exactly() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        accept(&nested(limits::JSON_DEPTH));
        refuse(&nested(limits::JSON_DEPTH + 1), &JsonError::TooDeep);
        refuse(&"[{\"a\":".repeat(100_000), &JsonError::TooDeep);
        accept(&format!("[{}]", vec![nested(limits::JSON_DEPTH - 1); 40].join(",")));
        accept(&keys(limits::JSON_KEYS));
        refuse(&keys(limits::JSON_KEYS + 1), &JsonError::TooManyKeys);
        accept(&format!("\"{}\"", "a".repeat(limits::BODY_BYTES - 2)));
        let bytes = limits::BODY_BYTES + 1;
        refuse(&format!("\"{}\"", "a".repeat(bytes - 2)), &JsonError::TooLarge { bytes });
    }

    #[test]
    fn integers_are_those_that_every_reader_keeps() {
        accept("9007199254740992");
        accept("-9007199254740992");
        accept("1.7976931348623157e-300");
        for text in ["9007199254740993", "-9007199254740993", "18446744073709551615", "18446744073709551616", "-1e20"] {
            refuse(text, &JsonError::Integer);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
        }

        /// Whatever passes here, serde_json reads too, and what only serde_json reads breaks a rule that has a name.
        #[test]
        fn it_accepts_only_json(text in "[\\[\\]{},:\"a0-9.\\\\u \\-e]{0,40}") {
            let value = serde_json::from_str::<serde_json::Value>(&text);
            match check(text.as_bytes()) {
                Ok(()) => prop_assert!(value.is_ok()),
                Err(JsonError::Syntax { .. }) => prop_assert!(value.is_err()),
                Err(JsonError::DuplicateKey { .. } | JsonError::Integer | JsonError::TooDeep) => {}
                Err(error @ (JsonError::TooLarge { .. } | JsonError::TooManyKeys)) => prop_assert!(false, "{error}"),
            }
        }
    }
}
