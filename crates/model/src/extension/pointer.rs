//! `x-entraide-pointer`: a classified annex exists, and whom to call for it. It says nothing of what stands in the annex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Common, Extension};
use crate::limits;
use crate::party::AnnexLevel;

/// A reference number: eight letters and digits of chance in two groups, so that it tells neither time, number nor topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnnexReference(String);

/// Why a reference was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a reference of an annex: two groups of four letters and digits, such as 7K3Q-9XWM")]
pub struct ReferenceError(String);

/// Letters and digits that nobody mistakes for each other on the telephone (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl AnnexReference {
    /// A reference made of random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 8]) -> Self {
        let mut text = String::with_capacity(9);
        for (at, byte) in random.into_iter().enumerate() {
            if at == 4 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        Self(text)
    }
}

impl FromStr for AnnexReference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let good = |(at, byte): (usize, u8)| if at == 4 { byte == b'-' } else { ALPHABET.contains(&byte) };
        if text.len() == 9 && text.bytes().enumerate().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReferenceError(text.chars().filter(|letter| !letter.is_control()).take(40).collect()))
        }
    }
}
impl TryFrom<String> for AnnexReference {
    type Error = ReferenceError;
    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}
impl From<AnnexReference> for String {
    fn from(reference: AnnexReference) -> Self {
        reference.0
    }
}
impl fmt::Display for AnnexReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// Its name for people, made of the reference alone.
    pub name: String,
    /// The number by which both sides speak of the annex.
    pub reference: AnnexReference,
    /// How high the annex is classified, as its owner states it.
    pub level: AnnexLevel,
    /// The accredited system, or the registry, in which it is kept.
    pub held_at: String,
    /// Whom to ask for: a desk.
    pub desk: String,
    /// Its telephone number.
    pub telephone: String,
    /// What it is about, in one line of English that is not classified itself.
    pub summary: String,
}

impl Pointer {
    /// The name of a pointer with a reference.
    #[must_use]
    pub fn name_of(reference: &AnnexReference) -> String {
        format!("Classified annex {reference}")
    }
}

impl Extension for Pointer {
    const KIND: &'static str = "x-entraide-pointer";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        if self.name != Self::name_of(&self.reference) {
            return Err("`name` is made of the reference alone".to_owned());
        }
        for (property, text, most) in [
            ("held_at", &self.held_at, limits::NAME_BYTES),
            ("desk", &self.desk, limits::NAME_BYTES),
            ("summary", &self.summary, limits::SUMMARY_BYTES),
        ] {
            if text.trim().is_empty() || text.len() > most || text.chars().any(char::is_control) {
                return Err(format!("`{property}` is one line of 1 to {most} bytes"));
            }
        }
        let letters = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '/');
        let digits = self.telephone.bytes().filter(u8::is_ascii_digit).count();
        if !(3..=20).contains(&digits) || self.telephone.len() > 40 || !self.telephone.chars().all(letters) {
            return Err("`telephone` is a number as it is dialled, such as +33 1 23 45 67 89".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn pointer() -> Pointer {
        let owner = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let reference = AnnexReference::from_random([1; 8]);
        Pointer {
            common: Common::new(Pointer::KIND, [7; 16], &owner, Timestamp::from_seconds(0)).unwrap(),
            name: Pointer::name_of(&reference),
            reference,
            level: AnnexLevel::EuRestricted,
            held_at: "the registry of CERT-FR".to_owned(),
            desk: "duty desk".to_owned(),
            telephone: "+33 1 23 45 67 89".to_owned(),
            summary: "more about the lynx campaign".to_owned(),
        }
    }

    #[test]
    fn a_pointer_reads_back_and_says_nothing_beyond_its_lines() {
        assert_eq!(Pointer::read(&pointer().to_bytes()).unwrap(), pointer());
        let check = |change: fn(&mut Pointer), property: &str| {
            let mut changed = pointer();
            change(&mut changed);
            let error = Pointer::read(&changed.to_bytes()).unwrap_err().to_string();
            assert!(error.contains(property), "{error}");
        };
        check(|pointer| "what it is about".clone_into(&mut pointer.name), "name");
        check(|pointer| pointer.held_at.clear(), "held_at");
        check(|pointer| pointer.desk = "x".repeat(limits::NAME_BYTES + 1), "desk");
        check(|pointer| pointer.summary.push('\n'), "summary");
        check(|pointer| "call me".clone_into(&mut pointer.telephone), "telephone");
        check(|pointer| "1".clone_into(&mut pointer.telephone), "telephone");
    }

    #[test]
    fn a_reference_is_chance_and_nothing_else() {
        assert_eq!(AnnexReference::from_random([0; 8]).to_string(), "0000-0000");
        assert_eq!(AnnexReference::from_random([255; 8]).to_string(), "ZZZZ-ZZZZ");
        for random in 0..=255 {
            let text = AnnexReference::from_random([random; 8]).to_string();
            assert_eq!(text.parse::<AnnexReference>().unwrap().to_string(), text);
        }
        for wrong in ["", "7K3Q9XWM", "7K3Q-9XWI", "7k3q-9xwm", "FR-2026-0001"] {
            assert!(wrong.parse::<AnnexReference>().is_err(), "{wrong}");
        }
    }

    /// The published schema asks for what is written, and knows every level.
    #[test]
    fn the_published_schema_is_that_of_the_code() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../../../docs/schemas/x-entraide-pointer.json")).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&pointer().to_bytes()).unwrap();
        let mut keys: Vec<&str> = written.as_object().unwrap().keys().map(String::as_str).collect();
        let mut required: Vec<&str> =
            schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        let mut described: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        for names in [&mut keys, &mut required, &mut described] {
            names.sort_unstable();
        }
        assert_eq!((&keys, &keys), (&required, &described));
        let levels: Vec<&str> =
            schema["properties"]["level"]["enum"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert_eq!(levels, AnnexLevel::ALL.iter().map(|level| level.word()).collect::<Vec<_>>());
        assert_eq!(schema["properties"]["type"]["const"], Pointer::KIND);
        assert!(schema["properties"]["extensions"]["required"][0] == super::super::DEFINITION_ID);
        let most = |property: &str| schema["properties"][property]["maxLength"].as_u64().unwrap();
        assert_eq!(most("summary"), limits::SUMMARY_BYTES as u64);
        assert_eq!((most("held_at"), most("desk")), (limits::NAME_BYTES as u64, limits::NAME_BYTES as u64));
    }
}
