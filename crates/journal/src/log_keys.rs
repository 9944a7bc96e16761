//! The keys that have signed one log, and how far each of them is believed: a log outlives its keys.
//!
//! A key that was replaced is believed for the entries that it signed, so that old proofs hold. One that was stolen is
//! believed for what was kept before, and for nothing that somebody brings now: a thief can sign whatever it likes.

use ed25519_dalek::VerifyingKey;
use model::{Origin, Timestamp};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, Checkpoint, CheckpointError};
use crate::identity::{Identity, IdentityError, public_key, refuse};
use crate::note::{Bound, NoteError, NoteVerifier};
use crate::verified::Verified;

/// Most replaced keys of one kind that an identity names: a key every year for sixteen years.
pub const MAX_FORMER_KEYS: usize = 16;
/// Most spans of a log that a nation no longer stands by: each is a theft.
pub const MAX_REPUDIATED: usize = 16;

/// A log key that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerLogKey {
    /// The Ed25519 public key.
    #[serde(with = "crate::identity::key_hex")]
    pub key: [u8; 32],
    /// The size of the largest checkpoint for which it is believed.
    pub until: u64,
    /// Somebody else has it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stolen: bool,
}

/// A witness key that was replaced. One that was stolen is not named: whoever has it can set its clock back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerWitnessKey {
    /// The Ed25519 public key.
    #[serde(with = "crate::identity::key_hex")]
    pub key: [u8; 32],
    /// The time of the last cosignature for which it is believed.
    pub until: Timestamp,
}

/// Entries that stand in the log and are no longer the nation's word: somebody else made them with its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repudiated {
    /// The first of them.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
}

/// What an identity says of the time before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Log keys that were replaced, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_keys: Vec<FormerLogKey>,
    /// Witness keys that were replaced, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witness_keys: Vec<FormerWitnessKey>,
    /// What the nation no longer stands by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repudiated: Vec<Repudiated>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Past {
    /// Is there nothing to say?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.log_keys.is_empty() && self.witness_keys.is_empty() && self.repudiated.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), IdentityError> {
        if self.log_keys.len() > MAX_FORMER_KEYS || self.witness_keys.len() > MAX_FORMER_KEYS {
            return Err(refuse("past", "name at most 16 replaced keys of a kind"));
        }
        if self.repudiated.len() > MAX_REPUDIATED || self.repudiated.iter().any(|span| span.from >= span.to) {
            return Err(refuse("past", "name at most 16 spans of entries, each with a first below its end"));
        }
        let keys = self.log_keys.iter().map(|former| &former.key);
        for key in keys.chain(self.witness_keys.iter().map(|former| &former.key)) {
            public_key("past", key)?;
        }
        Ok(())
    }
}

/// The keys of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKeys {
    current: VerifyingKey,
    former: Vec<(VerifyingKey, Bound)>,
}

impl LogKeys {
    /// A log that has had one key.
    #[must_use]
    pub const fn only(key: VerifyingKey) -> Self {
        Self { current: key, former: Vec::new() }
    }

    /// What an identity says of them. Identities of before are given too, for keys that the newest no longer has room to
    /// name; what the newest says of a key counts.
    ///
    /// # Errors
    /// A key is none.
    pub fn of<'a>(
        newest: &'a Identity,
        before: impl IntoIterator<Item = &'a Identity>,
    ) -> Result<Self, CheckpointError> {
        let key = |bytes: &[u8; 32]| VerifyingKey::from_bytes(bytes).map_err(|_| CheckpointError::Key);
        let mut keys = Self::only(key(&newest.log_key)?);
        let older = before.into_iter().flat_map(|old| old.past.log_keys.iter());
        for former in newest.past.log_keys.iter().chain(older) {
            let public = key(&former.key)?;
            if public != keys.current && keys.former.iter().all(|(known, _)| *known != public) {
                keys.former.push((public, Bound { until: former.until, stolen: former.stolen }));
            }
        }
        Ok(keys)
    }

    /// The key that signs now.
    #[must_use]
    pub const fn current(&self) -> &VerifyingKey {
        &self.current
    }

    /// Checks a checkpoint that somebody brings now. A stolen key counts for nothing.
    ///
    /// # Errors
    /// As [`checkpoint::verify`], under each key that is believed for its size.
    pub fn verify(&self, text: &str, origin: &Origin) -> Result<Verified<Checkpoint>, CheckpointError> {
        self.check(text, origin, |bound| !bound.stolen)
    }

    /// Checks a checkpoint that was verified before it was kept: a key that was stolen since counts for what it signed.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_kept(&self, text: &str, origin: &Origin) -> Result<Verified<Checkpoint>, CheckpointError> {
        self.check(text, origin, |_| true)
    }

    fn check(
        &self,
        text: &str,
        origin: &Origin,
        counts: impl Fn(Bound) -> bool,
    ) -> Result<Verified<Checkpoint>, CheckpointError> {
        let refused = match checkpoint::verify(text, origin, &self.current) {
            Ok(signed) => return Ok(signed),
            Err(refused) => refused,
        };
        for (key, bound) in self.former.iter().filter(|(_, bound)| counts(*bound)) {
            if let Ok(signed) = checkpoint::verify(text, origin, key)
                && signed.size <= bound.until
            {
                return Ok(signed);
            }
        }
        Err(refused)
    }

    /// The same as lines of a file of keys, the newest first.
    ///
    /// # Errors
    /// The name is none for a key.
    pub fn verifiers(&self, origin: &Origin) -> Result<Vec<NoteVerifier>, NoteError> {
        let name = origin.to_string();
        let mut all = vec![NoteVerifier::new(&name, self.current)?];
        for (key, bound) in &self.former {
            all.push(NoteVerifier::new(&name, *key)?.bounded(*bound));
        }
        Ok(all)
    }
}

/// The keys with which a nation cosigns and has cosigned, the newest first.
///
/// # Errors
/// A key is none, or the name is none for a key.
pub fn witness_keys(identity: &Identity) -> Result<Vec<NoteVerifier>, CheckpointError> {
    let name = identity.origin.to_string();
    let key = |bytes: &[u8; 32]| VerifyingKey::from_bytes(bytes).map_err(|_| CheckpointError::Key);
    let mut all = vec![NoteVerifier::witness(&name, key(&identity.witness_key)?)?];
    for former in &identity.past.witness_keys {
        let until = u64::try_from(former.until.micros() / 1_000_000).unwrap_or(0);
        all.push(NoteVerifier::witness(&name, key(&former.key)?)?.bounded(Bound { until, stolen: false }));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::sample;
    use crate::identity::{sign, verify};
    use crate::tree::TreeHash;
    use ed25519_dalek::SigningKey;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }
    fn public(seed: u8) -> [u8; 32] {
        key(seed).verifying_key().to_bytes()
    }
    fn rotated(stolen: bool) -> Identity {
        let past = Past { log_keys: vec![FormerLogKey { key: public(1), until: 7, stolen }], ..Past::default() };
        Identity { log_key: public(2), past, ..sample("FR", 7).1 }
    }
    fn signed(identity: &Identity, size: u64, by: u8) -> String {
        let checkpoint = Checkpoint { origin: identity.origin.clone(), size, root: TreeHash::new([9; 32]) };
        checkpoint::sign(&checkpoint, &key(by)).text().to_owned()
    }

    #[test]
    fn a_key_that_was_replaced_counts_up_to_its_size_and_one_that_was_stolen_for_nothing_new() {
        let check = |stolen: bool, size: u64, by: u8, now: bool, kept: bool| {
            let identity = rotated(stolen);
            let keys = LogKeys::of(&identity, []).unwrap();
            let text = signed(&identity, size, by);
            assert_eq!(keys.verify(&text, &identity.origin).is_ok(), now, "{stolen} {size} {by}");
            assert_eq!(keys.verify_kept(&text, &identity.origin).is_ok(), kept, "{stolen} {size} {by}");
        };
        check(false, 3, 2, true, true);
        check(false, 9, 2, true, true);
        check(false, 7, 1, true, true);
        check(false, 8, 1, false, false);
        check(true, 7, 1, false, true);
        check(true, 8, 1, false, false);
        check(true, 7, 3, false, false);
    }

    #[test]
    fn both_signatures_satisfy_whoever_knows_either_key() {
        let identity = rotated(false);
        let origin = &identity.origin;
        let one = signed(&identity, 9, 1);
        let two = signed(&identity, 9, 2);
        let line = two.rsplit_once("\n\n").unwrap().1;
        let both = format!("{one}{line}");
        assert!(checkpoint::verify(&both, origin, &key(1).verifying_key()).is_ok(), "who has not heard of the new key");
        assert!(LogKeys::of(&identity, []).unwrap().verify(&both, origin).is_ok(), "who has");
    }

    #[test]
    fn what_the_newest_identity_says_of_a_key_counts() {
        let newest = rotated(true);
        let before = rotated(false);
        let keys = LogKeys::of(&newest, [&before]).unwrap();
        assert!(keys.verify(&signed(&newest, 5, 1), &newest.origin).is_err());
        let silent = Identity { past: Past::default(), ..newest.clone() };
        let keys = LogKeys::of(&silent, [&before]).unwrap();
        assert!(keys.verify(&signed(&newest, 5, 1), &newest.origin).is_ok());
    }

    #[test]
    fn the_past_is_bounded_and_readers_of_before_do_not_see_it() {
        let (root, plain) = sample("FR", 7);
        let text = String::from_utf8(sign(&plain, &root).to_bytes()).unwrap();
        assert!(!text.contains("past"), "{text}");
        let check = |past: Past, good: bool| {
            let signed = sign(&Identity { past: past.clone(), ..plain.clone() }, &root);
            assert_eq!(verify(&signed).is_ok(), good, "{past:?}");
        };
        let former = |until| FormerLogKey { key: public(1), until, stolen: false };
        check(Past { log_keys: (0..16).map(former).collect(), ..Past::default() }, true);
        check(Past { log_keys: (0..17).map(former).collect(), ..Past::default() }, false);
        check(Past { log_keys: vec![FormerLogKey { key: [0; 32], ..former(1) }], ..Past::default() }, false);
        check(Past { repudiated: vec![Repudiated { from: 4, to: 5 }], ..Past::default() }, true);
        check(Past { repudiated: vec![Repudiated { from: 5, to: 5 }], ..Past::default() }, false);
    }
}
