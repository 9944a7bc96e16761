//! One id type per entity: objects, threads, audiences, places in a log, and citations.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;
use crate::origin::{Country, Origin};

crate::hex_newtype!(
    /// The 32 bytes that a log commits to for one statement (architecture §3).
    Commitment,
    32
);
crate::hex_newtype!(
    /// A random name of one thread: the versions of one thing that an owner says. Never derived from a name.
    ThreadId,
    16
);
crate::hex_newtype!(
    /// An audience's random id.
    AudienceId,
    16
);

/// A place in one log, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Index(pub u64);

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an id was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `type--uuid`.
    #[error("`{0}` is not a STIX id: write type--uuid")]
    Stix(String),
    /// Not `FR:1234`.
    #[error("`{0}` is not a statement: write origin:index, such as FR:1234")]
    Entry(String),
}

/// A STIX 2.1 identifier, `type--uuid` (§2.9). A MISP event is `x-misp-event--uuid`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StixId(String);

impl StixId {
    /// The type before `--`.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.0.split_once("--").map_or("", |(kind, _)| kind)
    }
    /// The UUID after `--`, lower case as it was written.
    #[must_use]
    pub fn uuid(&self) -> &str {
        self.0.split_once("--").map_or("", |(_, uuid)| uuid)
    }
    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// An id of `type_name` from 16 random bytes, as a version 4 UUID.
    ///
    /// # Errors
    /// If `type_name` is not a STIX type name.
    pub fn from_random(type_name: &str, bytes: [u8; 16]) -> Result<Self, IdError> {
        format!("{type_name}--{}", uuid_v4(bytes)).parse()
    }
}

/// Prints 16 random bytes as a version 4 UUID (RFC 9562 §5.4).
#[must_use]
pub fn uuid_v4(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = crate::bytes::hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Is `text` a UUID in its usual spelling (8-4-4-4-12, hexadecimal)?
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl FromStr for StixId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let good_type = |kind: &str| {
            !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match text.split_once("--") {
            Some((kind, uuid)) if text.len() <= limits::STIX_ID_BYTES && good_type(kind) && is_uuid(uuid) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(IdError::Stix(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for StixId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for StixId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Serialize for StixId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for StixId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How a person names a statement: the country and the place in its log, `FR:1234`; in its first successor log
/// `FR.1:1234`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryRef {
    /// Whose log.
    pub country: Country,
    /// Which log of that country: 0 for the first, then the successor's number.
    pub epoch: u32,
    /// Where in it.
    pub index: Index,
}

impl EntryRef {
    /// The short name of a place in a log.
    #[must_use]
    pub fn of(origin: &Origin, index: Index) -> Self {
        Self { country: origin.country(), epoch: origin.epoch(), index }
    }
}

impl FromStr for EntryRef {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::Entry(text.chars().take(80).collect());
        let (country, index) = text.split_once(':').ok_or_else(wrong)?;
        let (country, epoch) = match country.split_once('.') {
            None => (country, 0),
            Some((country, text)) => {
                let epoch: u32 = text.parse().map_err(|_| wrong())?;
                // One spelling only, and the first log is named without its number.
                if epoch == 0 || epoch.to_string() != text {
                    return Err(wrong());
                }
                (country, epoch)
            }
        };
        let country = country.parse().map_err(|_| wrong())?;
        if !index.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        Ok(Self { country, epoch, index: Index(index.parse().map_err(|_| wrong())?) })
    }
}

impl fmt::Display for EntryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.country)?;
        if self.epoch > 0 {
            write!(f, ".{}", self.epoch)?;
        }
        write!(f, ":{}", self.index)
    }
}

/// What every citation is: whose log, where, and what stood there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// Whose log.
    pub origin: Origin,
    /// Where in it.
    pub index: Index,
    /// The commitment that stands there.
    pub commitment: Commitment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stix_ids_are_type_and_uuid() {
        let check = |text: &str, good: bool| assert_eq!(text.parse::<StixId>().is_ok(), good, "{text}");
        check("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", true);
        check("x-mitre-tactic--8E2E2D2B-17d4-4cbf-938f-98ee46b3cd3f", true);
        check("Indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false);
        check("indicator-8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false);
        check("indicator--8e2e2d2b17d44cbf938f98ee46b3cd3f", false);
        check("--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false);
    }

    #[test]
    fn statements_are_named_by_country_and_index() {
        let check = |text: &str, good: bool| assert_eq!(text.parse::<EntryRef>().is_ok(), good, "{text}");
        check("FR:0", true);
        check("EU:18446744073709551615", true);
        check("FR:18446744073709551616", false);
        check("FR:+1", false);
        check("fr:1", false);
        check("FR1", false);
        check("FR.1:7", true);
        check("FR.0:7", false);
        check("FR.01:7", false);
        check("FR.:7", false);
        let origin: Origin = "entraide/FR/REAL/0123456789abcdef/2".parse().unwrap();
        let name = EntryRef::of(&origin, Index(7));
        assert_eq!((name.to_string().as_str(), "FR.2:7".parse()), ("FR.2:7", Ok(name)));
    }

    #[test]
    fn random_ids_are_version_four() {
        let id = StixId::from_random("bundle", [255; 16]).unwrap();
        assert_eq!(id.as_str(), "bundle--ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
