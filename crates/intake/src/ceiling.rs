//! What an object itself says of sharing: the ceiling above which nobody may assert it.

use model::{Head, Label, Pap, Tlp};

/// The markings inside an object. An envelope may be stricter, never more open (architecture, "Body").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ceiling {
    /// The strictest TLP label on it or on a part of it; `None` if it has none, and then a person must give one.
    pub tlp: Option<Tlp>,
    /// The strictest PAP on it.
    pub pap: Option<Pap>,
}

impl Ceiling {
    /// May an envelope say `label` of the object? Without a PAP an envelope permits nothing, which is never too open.
    #[must_use]
    pub fn admits(self, label: Label) -> bool {
        self.tlp.is_none_or(|tlp| label.tlp >= tlp) && label.pap.is_none_or(|pap| Some(pap) >= self.pap)
    }
}

/// What the object itself says.
#[must_use]
pub fn label(head: &Head) -> Ceiling {
    Ceiling { tlp: head.tlp, pap: head.pap }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &[u8] = br#"{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219","timestamp":"1",
        "Tag":[{"name":"tlp:green"}],
        "Attribute":[{"Tag":[{"name":"tlp:amber"},{"name":"PAP:GREEN"}]}]}"#;

    #[test]
    fn an_envelope_may_be_stricter_and_never_more_open() {
        let check = |tlp: Option<Tlp>, pap: Option<Pap>, label: (Tlp, Option<Pap>), expect: bool| {
            let label = Label { tlp: label.0, pap: label.1 };
            assert_eq!(Ceiling { tlp, pap }.admits(label), expect, "{tlp:?} {pap:?} {label:?}");
        };
        check(None, None, (Tlp::Clear, Some(Pap::Clear)), true);
        check(Some(Tlp::Amber), None, (Tlp::Green, None), false);
        check(Some(Tlp::Amber), None, (Tlp::Amber, None), true);
        check(Some(Tlp::Amber), None, (Tlp::Red, None), true);
        check(Some(Tlp::Green), Some(Pap::Amber), (Tlp::Green, Some(Pap::Green)), false);
        check(Some(Tlp::Green), Some(Pap::Amber), (Tlp::Green, Some(Pap::Red)), true);
        check(Some(Tlp::Green), Some(Pap::Amber), (Tlp::Green, None), true);
    }

    #[test]
    fn the_strictest_on_any_part_of_an_event_is_its_ceiling() {
        let head = model::misp::head(EVENT).unwrap();
        assert_eq!(label(&head), Ceiling { tlp: Some(Tlp::Amber), pap: Some(Pap::Green) });
    }
}
