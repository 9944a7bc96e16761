//! Who speaks: a country, a realm, and the root key that owns the log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::limits;

/// A country or body by two capital letters: ISO 3166-1 alpha-2 as the EU writes it (`EL` for Greece), `EU` for its bodies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The 27 Member States, in the EU's protocol letters, sorted.
    pub const MEMBER_STATES: [&'static str; 27] = [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR", "HU", "IE", "IT", "LT", "LU",
        "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ];

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }

    /// Is it one of the 27 Member States?
    #[must_use]
    pub fn is_member_state(&self) -> bool {
        Self::MEMBER_STATES.contains(&self.as_str())
    }
}

/// Why a name of an origin was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not two capital letters.
    #[error("`{0}` is not a country: write two capital letters, such as FR")]
    Country(String),
    /// Neither `REAL` nor `EX-…`.
    #[error("`{0}` is not a realm: write REAL, or EX- and up to 32 capital letters, digits or hyphens")]
    Realm(String),
    /// Not `entraide/<country>/<realm>/<16 hex>[/<epoch>]`.
    #[error("`{0}` is not an origin: write entraide/<country>/<realm>/<16 hexadecimal digits>")]
    Origin(String),
}

impl FromStr for Country {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        match text.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Ok(Self([*a, *b])),
            _ => Err(OriginError::Country(text.chars().take(40).collect())),
        }
    }
}

/// Reality, or one exercise. Nothing of one can be cited in another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Realm {
    /// The real world.
    Real,
    /// An exercise, by name (without `EX-`).
    Exercise(ExerciseName),
}

/// The name of an exercise: 1 to 32 capital letters, digits or hyphens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExerciseName(String);

impl Realm {
    /// Is it reality?
    #[must_use]
    pub fn is_real(&self) -> bool {
        *self == Self::Real
    }
}

impl FromStr for Realm {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text == "REAL" {
            return Ok(Self::Real);
        }
        let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
        match text.strip_prefix("EX-") {
            Some(name) if !name.is_empty() && name.len() <= limits::REALM_BYTES && name.bytes().all(good) => {
                Ok(Self::Exercise(ExerciseName(name.to_owned())))
            }
            _ => Err(OriginError::Realm(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => f.write_str("REAL"),
            Self::Exercise(name) => write!(f, "EX-{}", name.0),
        }
    }
}

crate::hex_newtype!(
    /// The first eight bytes of the SHA-256 of a nation's Ed25519 root key: what its origin is named after.
    RootId,
    8
);

impl RootId {
    /// The id of a root public key.
    #[must_use]
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        let digest: [u8; 32] = Sha256::digest(public_key).into();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self::new(id)
    }
}

/// The name of one log: `entraide/<country>/<realm>/<16 hex of the root key's hash>[/<epoch>]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    country: Country,
    realm: Realm,
    root: RootId,
    epoch: u32,
}

impl Origin {
    /// The first log of a nation's root key in a realm.
    #[must_use]
    pub fn new(country: Country, realm: Realm, root: RootId) -> Self {
        Self { country, realm, root, epoch: 0 }
    }
    /// The same nation's successor log (architecture: "Going back in time").
    #[must_use]
    pub fn with_epoch(&self, epoch: u32) -> Self {
        Self { epoch, ..self.clone() }
    }
    /// The origin without its epoch: what audiences name, so that membership outlives a successor log.
    #[must_use]
    pub fn base(&self) -> Self {
        self.with_epoch(0)
    }
    /// The country.
    #[must_use]
    pub fn country(&self) -> Country {
        self.country
    }
    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }
    /// The root key's id.
    #[must_use]
    pub fn root(&self) -> RootId {
        self.root
    }
    /// 0 for the first log, then the successor's number.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entraide/{}/{}/{}", self.country, self.realm, self.root)?;
        if self.epoch > 0 {
            write!(f, "/{}", self.epoch)?;
        }
        Ok(())
    }
}

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError::Origin(text.chars().take(100).collect());
        let mut parts = text.split('/');
        if parts.next() != Some("entraide") {
            return Err(wrong());
        }
        let country = parts.next().ok_or_else(wrong)?.parse()?;
        let realm = parts.next().ok_or_else(wrong)?.parse()?;
        let root = parts.next().and_then(RootId::from_hex).ok_or_else(wrong)?;
        let epoch = match parts.next() {
            None => 0,
            Some(n) => n.parse().ok().filter(|e| *e > 0).ok_or_else(wrong)?,
        };
        let origin = Self { country, realm, root, epoch };
        // One spelling only: what prints differently from what was read is refused.
        if parts.next().is_some() || origin.to_string() != text {
            return Err(wrong());
        }
        Ok(origin)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! text_serde {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
text_serde!(Country, Realm, Origin);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, good: bool) {
        let read = text.parse::<Origin>();
        assert_eq!(read.is_ok(), good, "{text}: {read:?}");
        if let Ok(origin) = read {
            assert_eq!(origin.to_string(), text);
        }
    }

    #[test]
    fn origins_have_one_spelling() {
        check("entraide/FR/REAL/0123456789abcdef", true);
        check("entraide/FR/EX-BLUE-26/0123456789abcdef", true);
        check("entraide/FR/REAL/0123456789abcdef/2", true);
        check("entraide/FR/REAL/0123456789ABCDEF", false);
        check("entraide/FR/REAL/0123456789abcdef/0", false);
        check("entraide/FR/REAL/0123456789abcdef/02", false);
        check("entraide/fr/REAL/0123456789abcdef", false);
        check("entraide/FR/EX-/0123456789abcdef", false);
        check("entraide/FR/REAL/0123456789abcdef/1/2", false);
        check("FR", false);
    }

    #[test]
    fn base_forgets_the_epoch() {
        let origin: Origin = "entraide/EE/REAL/0123456789abcdef/3".parse().unwrap();
        assert_eq!(origin.base().to_string(), "entraide/EE/REAL/0123456789abcdef");
    }
}
