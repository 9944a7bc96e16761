//! The gate: content derived from statements leaves as [`Released`], which only this file makes.

use std::fmt;

use model::Origin;

use crate::decide::{PolicyVersion, decide};
use crate::facts::Facts;
use crate::verdict::{Because, Verdict};
use crate::viewer::{Purpose, Viewer};

/// Something that stands under the policy: it knows the facts about itself.
pub trait Governed {
    /// What the policy needs to know of it.
    fn facts(&self) -> Facts;
}

impl<T: Governed> Governed for &T {
    fn facts(&self) -> Facts {
        (*self).facts()
    }
}

/// Content that the gate has let through for one viewer and one purpose. No other room can make one.
///
/// ```compile_fail,E0451
/// let smuggled = policy::Released { value: "content" };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Released<T> {
    value: T,
}

impl<T> Released<T> {
    /// Looks at it.
    pub const fn as_ref(&self) -> &T {
        &self.value
    }
    /// Takes it out, to be rendered and sent.
    pub fn into_inner(self) -> T {
        self.value
    }
    /// A pure projection of what was released: part of it, or another form of it, and nothing from elsewhere.
    pub fn map<U>(self, project: impl FnOnce(T) -> U) -> Released<U> {
        Released { value: project(self.value) }
    }
    /// Two things that were released to one viewer, side by side.
    pub fn with<U>(self, other: Released<U>) -> Released<(T, U)> {
        Released { value: (self.value, other.value) }
    }
}

impl<T> Released<Option<T>> {
    /// What was released, if it is there.
    pub fn transpose(self) -> Option<Released<T>> {
        self.value.map(|value| Released { value })
    }
}

impl<T> fmt::Debug for Released<T> {
    // Content never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Released(..)")
    }
}

/// Not released. It prints as "not found": what is not there and what is not for you are one answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not found")]
pub struct Denied {
    /// The reason, for the audit log alone.
    pub because: Because,
}

/// Lets one value through the gate.
///
/// # Errors
/// The policy denies it.
pub fn release<T: Governed>(
    value: T,
    viewer: &Viewer,
    purpose: Purpose,
    version: &PolicyVersion,
) -> Result<Released<T>, Denied> {
    match decide(&value.facts(), viewer, purpose, version) {
        Verdict::Allow { .. } => Ok(Released { value }),
        Verdict::Deny { because } => Err(Denied { because }),
    }
}

/// Lets a nation have what itself said, as others hold it: after a restored backup it knows less of its own word than
/// its partners do. No label stands against its owner, and nobody else is given anything.
///
/// # Errors
/// It is somebody else's.
pub fn give_back<T>(value: T, owner: &Origin, to: &Origin) -> Result<Released<T>, Denied> {
    if owner.base() == to.base() { Ok(Released { value }) } else { Err(Denied { because: Because::NotOurs }) }
}

/// Lets through what may pass. The others vanish: not even their number is told.
pub fn release_all<T: Governed>(
    values: impl IntoIterator<Item = T>,
    viewer: &Viewer,
    purpose: Purpose,
    version: &PolicyVersion,
) -> Released<Vec<T>> {
    let admitted = |value: &T| decide(&value.facts(), viewer, purpose, version).is_allowed();
    Released { value: values.into_iter().filter(admitted).collect() }
}

/// Builds a count, a cluster or a picture from what was released to one viewer: filter, then fold (architecture §2.6).
pub fn derive<T, U>(released: Released<Vec<T>>, fold: impl FnOnce(Vec<T>) -> U) -> Released<U> {
    released.map(fold)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oracle;
    use crate::worlds;

    #[derive(Debug, Clone, PartialEq)]
    struct Told(usize, Facts);
    impl Governed for Told {
        fn facts(&self) -> Facts {
            self.1.clone()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_derived_is_what_the_oracle_admits(
            facts in proptest::collection::vec(worlds::facts(), 0..12),
            viewer in worlds::viewer(),
            purpose in worlds::purpose(),
        ) {
            let told: Vec<Told> = facts.into_iter().enumerate().map(|(at, facts)| Told(at, facts)).collect();
            let expect: Vec<usize> =
                told.iter().filter(|told| oracle::may(&told.1, &viewer, purpose)).map(|told| told.0).collect();
            let one_by_one: Vec<usize> = told
                .iter()
                .filter_map(|told| release(told, &viewer, purpose, &PolicyVersion::CURRENT).ok())
                .map(|told| told.as_ref().0)
                .collect();
            let all = release_all(told, &viewer, purpose, &PolicyVersion::CURRENT);
            let places = derive(all, |told| told.into_iter().map(|told| told.0).collect::<Vec<_>>());
            prop_assert_eq!(places.as_ref(), &expect);
            prop_assert_eq!(one_by_one, expect);
        }
    }

    #[test]
    fn a_nation_gets_back_its_own_word_and_nobody_elses() {
        let [fr, ee]: [Origin; 2] =
            ["FR", "EE"].map(|c| format!("entraide/{c}/REAL/0123456789abcdef").parse().unwrap());
        assert_eq!(give_back(7, &fr, &fr).unwrap().into_inner(), 7);
        assert!(give_back(7, &fr, &fr.with_epoch(2)).is_ok(), "a successor is the same nation");
        assert_eq!(give_back(7, &fr, &ee).unwrap_err().because, Because::NotOurs);
    }

    #[test]
    fn a_refusal_tells_nothing_and_a_debug_print_neither() {
        let here = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let told = Told(7, Facts::of_intake(&here, crate::Kind::Evidence, None));
        let denied = release(told, &Viewer::Public, Purpose::Read, &PolicyVersion::CURRENT).unwrap_err();
        assert_eq!(denied.to_string(), "not found");
        assert_eq!(denied.because, Because::Unlabelled);
        assert_eq!(format!("{:?}", Released { value: "secret" }), "Released(..)");
    }
}
