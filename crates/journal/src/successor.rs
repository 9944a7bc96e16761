//! A nation whose log can't be extended goes on with another: its root key says in the identity of the new log which log
//! that takes the place of, and how far the nation still stands by it (architecture §3, "Going back in time").
//!
//! It is a part of the identity and has no signature of its own: whoever takes the identity takes this.

use model::Origin;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, Checkpoint};
use crate::identity::{Identity, IdentityError, SignedIdentity, refuse};
use crate::words;

/// Longest checkpoint of the log before, bytes: two keys sign a note of a few hundred while one takes the other's place.
pub const MAX_LAST_BYTES: usize = 2 * 1024;

/// What the identity of a successor log says of the log before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succeeds {
    /// The log before: the same nation's, with the epoch before.
    pub origin: Origin,
    /// Its last checkpoint, as a note that its own key signed. The nation stands by what it covers, and by nothing that
    /// anybody shows of that log beyond.
    pub last: String,
}

impl Succeeds {
    /// The last checkpoint, as it says itself; whether the old log's key signed it is for whoever knows that key.
    #[must_use]
    pub fn vouched(&self) -> Option<Checkpoint> {
        checkpoint::claimed(&self.last).ok().filter(|last| last.origin == self.origin && last.size > 0)
    }

    /// Is it what an honest nation says in an identity of the log `of`?
    ///
    /// # Errors
    /// What it is not.
    pub(crate) fn check(&self, of: &Origin) -> Result<(), IdentityError> {
        if self.last.len() > MAX_LAST_BYTES || self.vouched().is_none() {
            return Err(refuse("succeeds", "give the last checkpoint of the log before, with at least one entry"));
        }
        if Some(of) != successor_of(&self.origin).as_ref() {
            return Err(refuse("succeeds", "a successor is the same nation's log with the next epoch"));
        }
        Ok(())
    }
}

/// The name of the log that takes the place of another; `None` after four billion of them.
#[must_use]
pub fn successor_of(origin: &Origin) -> Option<Origin> {
    Some(origin.with_epoch(origin.epoch().checked_add(1)?))
}

/// The identity that the root key is to sign: the same node with a new log and a new key for it. What was said of keys and
/// entries of the old log stays with the old log.
#[must_use]
pub fn identity(of: &Identity, succeeds: Succeeds, log_key: [u8; 32], issued: model::Timestamp) -> Option<Identity> {
    let mut next = Identity {
        origin: successor_of(&of.origin)?,
        version: of.version.checked_add(1)?,
        log_key,
        issued,
        succeeds: Some(succeeds),
        ..of.clone()
    };
    next.past.log_keys.clear();
    next.past.repudiated.clear();
    Some(next)
}

/// The six words that both sides read over the telephone: of this one signed identity.
#[must_use]
pub fn six_words(signed: &SignedIdentity) -> String {
    let [a, b, c, d, e, f, ..] = signed.digest();
    words::six([a, b, c, d, e, f]).join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity::{self as id, tests::sample};
    use crate::tree::TreeHash;
    use ed25519_dalek::SigningKey;

    fn last(origin: &Origin, size: u64) -> String {
        let key = SigningKey::from_bytes(&[3; 32]);
        checkpoint::sign(&Checkpoint { origin: origin.clone(), size, root: TreeHash::new([9; 32]) }, &key)
            .text()
            .to_owned()
    }

    #[test]
    fn a_successor_is_the_next_log_of_the_same_nation() {
        let (root, old) = sample("FR", 7);
        let origin = old.origin.clone();
        let succeeds = Succeeds { origin: origin.clone(), last: last(&origin, 5) };
        let next = identity(&old, succeeds.clone(), old.witness_key, old.issued).unwrap();
        assert_eq!((next.origin.to_string(), next.version), (format!("{origin}/1"), 2));
        let signed = id::sign(&next, &root);
        assert_eq!(*id::verify(&signed).unwrap(), next);
        assert_eq!(id::supersedes(&old, &next), Ok(()));
        assert_eq!(six_words(&signed).split(' ').count(), 6);

        let refused = |of: &Origin, origin: &Origin, last: String| {
            let succeeds = Some(Succeeds { origin: origin.clone(), last });
            let forged = Identity { origin: of.clone(), succeeds, ..next.clone() };
            assert!(id::verify(&id::sign(&forged, &root)).is_err(), "{of} after {origin}");
        };
        let (one, two) = (origin.with_epoch(1), origin.with_epoch(2));
        refused(&two, &origin, last(&origin, 5));
        refused(&origin, &origin, last(&origin, 5));
        refused(&one, &one, last(&one, 5));
        refused(&one, &origin, last(&one, 5));
        refused(&one, &origin, last(&origin, 0));
        refused(&one, &origin, String::new());
        refused(&one, &origin, format!("{}{}", last(&origin, 5), "x".repeat(MAX_LAST_BYTES)));
        let other = sample("EE", 8).1.origin;
        refused(&one, &other, last(&other, 5));
    }

    #[test]
    fn the_words_are_of_one_signed_identity() {
        let (root, old) = sample("FR", 7);
        let succeeds = |size| Succeeds { origin: old.origin.clone(), last: last(&old.origin, size) };
        let of = |size| six_words(&id::sign(&identity(&old, succeeds(size), old.log_key, old.issued).unwrap(), &root));
        assert_eq!(of(5), of(5));
        assert_ne!(of(5), of(6));
    }

    proptest! {
        #[test]
        fn whatever_is_vouched_for_is_read_back(size in 1..u64::MAX, epoch in 0..u32::MAX, junk in ".{0,80}") {
            let origin = sample("FR", 7).1.origin.with_epoch(epoch);
            let good = Succeeds { origin: origin.clone(), last: last(&origin, size) };
            prop_assert!(good.check(&successor_of(&origin).unwrap()).is_ok());
            let text = serde_json::to_string(&good).unwrap();
            let read: Succeeds = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.vouched().map(|last| last.size), Some(size));
            prop_assert_eq!(read, good);
            let bad = Succeeds { origin: origin.clone(), last: junk };
            prop_assert!(bad.check(&successor_of(&origin).unwrap()).is_err());
        }
    }
}
