//! Entraide's own STIX objects, by STIX's extension mechanism (STIX 2.1 §7.3, `new-sdo`): what the nations say to each
//! other about sharing itself. `created_by_ref` is the identity of the log's nation.

pub mod assistance;
pub mod audience;
pub mod lost;
pub mod pointer;
pub mod receipt;
pub mod withdrawal;

use serde::{Deserialize, Serialize};

use crate::ids::{IdError, StixId};
use crate::json;
use crate::origin::Origin;
use crate::time::Timestamp;

pub use audience::{Audience, AudienceKind};
pub use lost::{Lost, LostRange};
pub use pointer::{AnnexReference, Pointer, ReferenceError};
pub use receipt::Receipt;
pub use withdrawal::{Withdrawal, WithdrawalAction};

/// The id of our extension definition.
pub const DEFINITION_ID: &str = "extension-definition--6f0d6c1c-52f7-4b39-9d2c-6c1d5f3f7a11";

/// Types of our own objects that this version reads.
pub const TYPES: &[&str] = &[
    "x-entraide-audience",
    "x-entraide-withdrawal",
    "x-entraide-receipt",
    "x-entraide-lost",
    "x-entraide-pointer",
    "x-entraide-assistance-request",
    "x-entraide-assistance-offer",
    "x-entraide-assistance-agreement",
    "x-entraide-mission",
    "x-entraide-case-note",
    "x-entraide-artefact",
    "x-entraide-custody",
    "x-entraide-acknowledgement",
    "x-entraide-relayed",
    "x-entraide-capacity",
    "x-entraide-capacity-card",
    "x-entraide-mandate",
    "x-entraide-mandate-helpers",
    "x-entraide-reserve-dossier",
];

/// Why one of our objects was not read.
#[derive(Debug, thiserror::Error)]
pub enum ExtensionError {
    /// Not the JSON of that type.
    #[error("not a valid `{kind}`: {reason}")]
    Shape {
        /// The type that was expected.
        kind: &'static str,
        /// What was wrong, from the parser.
        reason: String,
    },
}

/// The common properties of our objects, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Common {
    /// The STIX type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Always `2.1`.
    pub spec_version: String,
    /// The object's id.
    pub id: StixId,
    /// The identity object of the log's nation.
    pub created_by_ref: StixId,
    /// When it was first said.
    pub created: Timestamp,
    /// When this version was said.
    pub modified: Timestamp,
    /// Our extension definition, as a new SDO.
    pub extensions: serde_json::Value,
    /// Who signed it for the nation, where two persons or an authority are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Signatures>,
}

/// Who signed a statement that commits the nation (workflows §0): two persons, or one within an authority or alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    /// Their names, whoever began first.
    pub by: Vec<String>,
    /// The standing authority within which one person signed, by its number: `SA-2026-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Why one person signed alone, in an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<String>,
}

impl Signatures {
    /// The same without names and reasons, once words are erased: how it was signed is still known.
    #[must_use]
    pub fn without_words(&self) -> Self {
        let purged = || "purged".to_owned();
        Self {
            by: self.by.iter().map(|_| purged()).collect(),
            authority: self.authority.as_ref().map(|_| purged()),
            emergency: self.emergency.as_ref().map(|_| purged()),
        }
    }

    fn validate(&self) -> Result<(), String> {
        if self.by.is_empty() || self.by.len() > 2 {
            return Err("`signatures` are of one person or two".to_owned());
        }
        if self.by.len() == 1 && self.authority.is_none() && self.emergency.is_none() {
            return Err("one signature is within an `authority`, or in an `emergency`".to_owned());
        }
        for name in &self.by {
            assistance::text("by", name, crate::limits::SIGNED_NAME_BYTES)?;
        }
        if let Some(number) = &self.authority {
            assistance::text("authority", number, crate::limits::SIGNED_NAME_BYTES)?;
        }
        assistance::optional("emergency", self.emergency.as_ref())
    }
}

impl Common {
    /// The common properties of a new object of `kind`, with an id from 16 random bytes.
    ///
    /// # Errors
    /// `kind` is not a STIX type name.
    pub fn new(kind: &str, random: [u8; 16], owner: &Origin, at: Timestamp) -> Result<Self, IdError> {
        Ok(Self {
            kind: kind.to_owned(),
            spec_version: "2.1".to_owned(),
            id: StixId::from_random(kind, random)?,
            created_by_ref: identity_of(owner)?,
            created: at,
            modified: at,
            extensions: new_sdo(),
            signatures: None,
        })
    }

    /// The same, without what somebody may have written freely.
    #[must_use]
    pub fn without_words(&self) -> Self {
        let signatures = self.signatures.as_ref().map(Signatures::without_words);
        Self { spec_version: "2.1".to_owned(), extensions: new_sdo(), signatures, ..self.clone() }
    }

    /// What the types alone cannot say of the properties that all our objects share.
    ///
    /// # Errors
    /// A property out of its range.
    pub fn validate(&self) -> Result<(), String> {
        self.signatures.as_ref().map_or(Ok(()), Signatures::validate)
    }
}

fn new_sdo() -> serde_json::Value {
    serde_json::json!({ DEFINITION_ID: { "extension_type": "new-sdo" } })
}

/// The id of the identity object that stands for a log's nation: its UUID is made of the root id and the letters.
///
/// # Errors
/// Never for a parsed origin; the signature is that of parsing.
pub fn identity_of(owner: &Origin) -> Result<StixId, IdError> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(owner.root().as_bytes());
    bytes[8..10].copy_from_slice(owner.country().as_str().as_bytes());
    StixId::from_random("identity", bytes)
}

/// One of our objects: how it is written, and read with every rule of [`json`].
pub trait Extension: Serialize + for<'de> Deserialize<'de> {
    /// Its STIX type.
    const KIND: &'static str;

    /// The common properties.
    fn common(&self) -> &Common;

    /// The bytes that a log commits to.
    #[must_use]
    fn to_bytes(&self) -> Vec<u8> {
        // Our own structs have string keys and no maps: serialising them cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads and checks one.
    ///
    /// # Errors
    /// Bad JSON, another type, or a property out of its range.
    fn read(bytes: &[u8]) -> Result<Self, ExtensionError> {
        let shape = |reason: String| ExtensionError::Shape { kind: Self::KIND, reason };
        json::check(bytes).map_err(|error| shape(error.to_string()))?;
        let value: Self = serde_json::from_slice(bytes).map_err(|error| shape(error.to_string()))?;
        if value.common().kind != Self::KIND {
            return Err(shape(format!("its type is `{}`", value.common().kind)));
        }
        value.common().validate().map_err(shape)?;
        value.validate().map_err(shape)?;
        Ok(value)
    }

    /// What the types alone cannot say; the message names the property.
    ///
    /// # Errors
    /// A property out of its range.
    fn validate(&self) -> Result<(), String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_of_two_or_of_one_who_says_why() {
        let check = |by: &[&str], authority: Option<&str>, emergency: Option<&str>, good: bool| {
            let by = by.iter().map(|name| (*name).to_owned()).collect();
            let authority = authority.map(str::to_owned);
            let signed = Signatures { by, authority, emergency: emergency.map(str::to_owned) };
            assert_eq!(signed.validate().is_ok(), good, "{signed:?}");
        };
        check(&["Anna", "Bo"], None, None, true);
        check(&["Anna"], None, None, false);
        check(&["Anna"], Some("SA-2026-001"), None, true);
        check(&["Anna"], None, Some("nobody else answers"), true);
        check(&["Anna"], None, Some(" "), false);
        check(&[], None, Some("x"), false);
        check(&["Anna", "Bo", "Cleo"], None, None, false);
        check(&["Anna", "B\no"], None, None, true);
        check(&["Anna", "B\u{7}o"], None, None, false);
        let signed = Signatures { by: vec!["Anna".into()], authority: None, emergency: Some("why".into()) };
        let bare = signed.without_words();
        assert!(bare.validate().is_ok() && bare.by == ["purged"] && bare.emergency.as_deref() == Some("purged"));
    }
}
