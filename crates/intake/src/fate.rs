//! Deduplication: what becomes of an object that arrives, given what intake has of the same owner and id.

use model::StixVersion;
use sha2::{Digest, Sha256};

/// One version that is known, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Known {
    /// The version that the object says of itself.
    pub version: StixVersion,
    /// The digest of its bytes.
    pub digest: [u8; 32],
}

/// What becomes of an object that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Neither these bytes nor this version are known.
    New,
    /// The same bytes are there.
    Duplicate,
    /// The same version is there with other bytes: kept in intake as a conflict, for a person to decide.
    Conflict,
}

/// SHA-256 of an object's bytes as they came.
#[must_use]
pub fn digest(span: &[u8]) -> [u8; 32] {
    Sha256::digest(span).into()
}

/// Decides about `new` by what is known of the same owner and id, in any order.
#[must_use]
pub fn fate(existing: &[Known], new: Known) -> Fate {
    if existing.iter().any(|known| known.digest == new.digest) {
        Fate::Duplicate
    } else if existing.iter().any(|known| known.version == new.version) {
        Fate::Conflict
    } else {
        Fate::New
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    #[test]
    fn the_same_version_with_other_bytes_is_a_conflict() {
        let at = |seconds: i64, bytes: &str| Known {
            version: StixVersion(Timestamp::from_seconds(seconds)),
            digest: digest(bytes.as_bytes()),
        };
        let check = |existing: &[Known], new: Known, expect: Fate| assert_eq!(fate(existing, new), expect);
        check(&[], at(1, "a"), Fate::New);
        check(&[at(1, "a")], at(1, "a"), Fate::Duplicate);
        check(&[at(1, "a")], at(1, "b"), Fate::Conflict);
        check(&[at(1, "a")], at(2, "b"), Fate::New);
        check(&[at(2, "b")], at(1, "a"), Fate::New);
        check(&[at(1, "a"), at(1, "b")], at(1, "b"), Fate::Duplicate);
        check(&[at(1, "a"), at(2, "b")], at(1, "c"), Fate::Conflict);
    }

    #[test]
    fn the_digest_is_sha_256() {
        // FIPS 180-4's example "abc".
        let expect = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(model::bytes::hex(&digest(b"abc")), expect);
    }
}
