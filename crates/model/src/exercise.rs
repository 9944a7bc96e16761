//! The mark that data of an exercise carries when it leaves its node as a file, so that no real node takes it for real.

/// The id of the marking definition that every exported object of an exercise refers to: one for all exercises, so that
/// a node that never heard of an exercise knows its data (STIX 2.1 §4.1.4, a statement marking).
pub const EXERCISE_MARKING: &str = "marking-definition--6f0c2a5e-93d4-4b6e-8a57-d1e5c0ffee26";

/// The namespace and predicate of the tag that an exported MISP event of an exercise carries; its value is the realm.
pub const EXERCISE_TAG: &str = "entraide:exercise";

/// MISP's own taxonomy for exercises (`exercise:cyber-europe="2016"`).
const MISP_TAXONOMY: &str = "exercise:";

/// Does a tag of a MISP event say that the event is part of an exercise?
#[must_use]
pub fn is_exercise_tag(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    name.starts_with(EXERCISE_TAG) || name.starts_with(MISP_TAXONOMY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_exercises_are_told_from_others() {
        let check = |name: &str, expect: bool| assert_eq!(is_exercise_tag(name), expect, "{name}");
        check("entraide:exercise=\"EX-BLUE-26\"", true);
        check("exercise:cyber-europe=\"2016\"", true);
        check(" Exercise:generic=\"comcheck\"", true);
        check("tlp:amber", false);
        check("misp-galaxy:tool=\"exercise:x\"", false);
    }
}
