//! A member set: the nodes to which an audience opens, immutable and named by its digest.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::limits;
use crate::origin::Origin;

crate::hex_newtype!(
    /// SHA-256 over the sorted members: two sets with one digest are one set.
    MemberSetDigest,
    32
);

/// The members of an audience as base origins (no epoch), sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Origin>", into = "Vec<Origin>")]
pub struct MemberSet(Vec<Origin>);

/// More members than an audience may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an audience has at most 512 members, not {0}: split it")]
pub struct TooManyMembers(usize);

impl MemberSet {
    /// Sorts, drops epochs and repetitions.
    ///
    /// # Errors
    /// More than [`limits::MEMBERS`].
    pub fn new(members: impl IntoIterator<Item = Origin>) -> Result<Self, TooManyMembers> {
        let mut members: Vec<Origin> = members.into_iter().map(|origin| origin.base()).collect();
        members.sort();
        members.dedup();
        if members.len() > limits::MEMBERS {
            return Err(TooManyMembers(members.len()));
        }
        Ok(Self(members))
    }
    /// The set without members: what a RED statement has.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }
    /// The members in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Origin] {
        &self.0
    }
    /// Is this node, at whatever epoch, a member?
    #[must_use]
    pub fn contains(&self, origin: &Origin) -> bool {
        self.0.binary_search(&origin.base()).is_ok()
    }
    /// Is everyone here in `other` too?
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|origin| other.0.binary_search(origin).is_ok())
    }
    /// `SHA-256("entraide/members/v1" ‖ (len16 ‖ origin)…)`.
    #[must_use]
    pub fn digest(&self) -> MemberSetDigest {
        let mut hash = Sha256::new();
        hash.update(b"entraide/members/v1");
        for origin in &self.0 {
            let text = origin.to_string();
            hash.update(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            hash.update(text.as_bytes());
        }
        MemberSetDigest::new(hash.finalize().into())
    }
}

impl TryFrom<Vec<Origin>> for MemberSet {
    type Error = TooManyMembers;
    fn try_from(members: Vec<Origin>) -> Result<Self, TooManyMembers> {
        Self::new(members)
    }
}
impl From<MemberSet> for Vec<Origin> {
    fn from(set: MemberSet) -> Self {
        set.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_the_same_in_any_order_and_at_any_epoch() {
        let fr: Origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let ee: Origin = "entraide/EE/REAL/0123456789abcdef".parse().unwrap();
        let one = MemberSet::new([fr.clone(), ee.clone()]).unwrap();
        let two = MemberSet::new([ee.with_epoch(4), fr.clone(), ee]).unwrap();
        assert_eq!(one.digest(), two.digest());
        assert!(two.contains(&fr.with_epoch(9)));
        assert!(MemberSet::empty().is_subset(&one) && !one.is_subset(&MemberSet::empty()));
    }
}
