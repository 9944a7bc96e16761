//! What may be asserted at all: not below a label inside, and not to more members than what it refers to.

use std::fmt;

use model::{MemberSet, Origin, StixId, Tlp};

use crate::limits;

/// The label is more open than a marking inside the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the object is marked `{inside}` inside, so it is not asserted as `{asked}`: assert it as {inside} or stricter, or \
     ask its author for a version that is marked more openly"
)]
pub struct LabelRefused {
    /// The strictest label inside.
    pub inside: Tlp,
    /// The label that was asked for.
    pub asked: Tlp,
}

/// Refuses a label below the strictest marking inside, granular ones included (architecture §5). An object without a
/// marking takes any label.
///
/// # Errors
/// The marking inside is stricter than `label`.
pub fn ceiling(head_tlp: Option<Tlp>, label: Tlp) -> Result<(), LabelRefused> {
    match head_tlp {
        Some(inside) if inside > label => Err(LabelRefused { inside, asked: label }),
        Some(_) | None => Ok(()),
    }
}

/// The statement would reach members who do not have what it refers to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct WiderThanTarget {
    /// The first target that is open to fewer members.
    pub target: StixId,
    /// The members who would see the reference and not the target.
    pub missing: Vec<Origin>,
}

impl fmt::Display for WiderThanTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.missing.iter().take(limits::NAMED_MEMBERS);
        let names: Vec<String> = named.map(|origin| origin.country().to_string()).collect();
        write!(f, "it refers to `{}`, which is not open to {}", self.target, names.join(", "))?;
        if let more @ 1.. = self.missing.len().saturating_sub(limits::NAMED_MEMBERS) {
            write!(f, " and {more} more")?;
        }
        f.write_str(": open that object to them first, or choose an audience without them")
    }
}

/// Refuses a relationship, sighting, note or grouping that reaches more members than the objects of our log to which
/// it refers. `targets` are those that we hold; what we do not hold hides nothing (architecture §5).
///
/// # Errors
/// A target is open to fewer members; the first one in order is named, with every member that it lacks.
pub fn dependents(members: &MemberSet, targets: &[(StixId, MemberSet)]) -> Result<(), WiderThanTarget> {
    for (target, open_to) in targets {
        if !members.is_subset(open_to) {
            let lacks = |origin: &&Origin| !open_to.contains(origin);
            let missing = members.as_slice().iter().filter(lacks).cloned().collect();
            return Err(WiderThanTarget { target: target.clone(), missing });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(countries: &[&str]) -> MemberSet {
        let origin = |country: &&str| format!("entraide/{country}/REAL/0123456789abcdef").parse::<Origin>().unwrap();
        MemberSet::new(countries.iter().map(origin)).unwrap()
    }

    fn target(last: u8, countries: &[&str]) -> (StixId, MemberSet) {
        (StixId::from_random("indicator", [last; 16]).unwrap(), set(countries))
    }

    #[test]
    fn a_label_is_never_below_the_marking_inside() {
        for label in Tlp::ALL {
            assert_eq!(ceiling(None, label), Ok(()));
            for inside in Tlp::ALL {
                assert_eq!(ceiling(Some(inside), label).is_ok(), inside.code() <= label.code(), "{inside} {label}");
            }
        }
        let refused = ceiling(Some(Tlp::AmberStrict), Tlp::Green).unwrap_err().to_string();
        assert!(refused.contains("`TLP:AMBER+STRICT`") && refused.contains("assert it as"), "{refused}");
    }

    #[test]
    fn a_reference_reaches_no_more_members_than_its_targets() {
        let check = |members: &[&str], targets: &[(StixId, MemberSet)], expect: Option<(usize, &[&str])>| {
            let got = dependents(&set(members), targets).err();
            let want = expect.map(|(at, missing)| WiderThanTarget {
                target: targets[at].0.clone(),
                missing: set(missing).as_slice().to_vec(),
            });
            assert_eq!(got, want, "{members:?}");
        };
        let narrow = [target(1, &["EE", "LV", "PL"]), target(2, &["EE"]), target(3, &[])];
        check(&["EE", "LV"], &[], None);
        check(&["EE", "LV"], &narrow[..1], None);
        check(&["EE", "LV"], &narrow, Some((1, &["LV"])));
        check(&["EE"], &narrow, Some((2, &["EE"])));
        check(&[], &narrow, None);
        check(&["AT", "BE"], &narrow, Some((0, &["AT", "BE"])));
    }

    #[test]
    fn the_refusal_names_target_members_and_remedy() {
        let states = model::Country::MEMBER_STATES;
        let refused = dependents(&set(&states), &[target(1, &["EE"])]).unwrap_err();
        assert_eq!(refused.missing.len(), 26);
        let text = refused.to_string();
        assert!(text.starts_with("it refers to `indicator--") && text.contains("AT, BE, BG"), "{text}");
        assert!(text.contains("and 16 more: open that object to them first"), "{text}");
    }
}
