//! The life of a mandate. The affected nation's log alone decides; the agreement and the mission around it are an overlay,
//! because a mandate lives only inside an agreement in force and dies at handover.
//!
//! | From ╲ to | drafted | consented | active | suspended | ended, revoked |
//! |---|---|---|---|---|---|
//! | drafted | yes | yes | – | – | yes |
//! | consented | – | yes | yes | – | yes |
//! | active | – | – | yes | yes | yes |
//! | suspended | – | – | yes | yes | yes |
//! | ended, revoked | – | – | – | – | – |
//!
//! A dash is an invalid transition. The terms change in a draft alone: whoever consented did so to these.

use std::collections::BTreeSet;

use model::extension::assistance::{Mandate, MandateHelpers, MandatePhase, MissionPhase};
use model::{Citation, Index, Origin, Timestamp};

use super::case::{AgreementCase, Case};
use super::{Heard, InvalidTransition, Word};

/// A mandate as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MandateCase {
    /// Where its newest version with effect stands.
    pub place: Citation,
    /// That version.
    pub mandate: Mandate,
    /// The places of all versions that had effect, the newest last.
    pub versions: Vec<Index>,
    /// Who comes, as the provider says, and where it says so.
    pub named: Option<(Citation, MandateHelpers)>,
}

/// What a mandate is worth at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nobody has consented.
    Drafted,
    /// The entity has consented; it does not run yet.
    Consented,
    /// Helpers may act.
    Active,
    /// It runs, and its time or its hours have not begun, or are over for today.
    OutOfHours,
    /// Stopped for now.
    Suspended,
    /// Its time is over.
    Expired,
    /// Over as planned.
    Ended,
    /// Taken back.
    Revoked,
    /// There is no agreement in force around it.
    NoAgreement,
    /// The mission around it is handed over or broken off.
    HandedOver,
}

impl Standing {
    /// May helpers act?
    #[must_use]
    pub const fn may_act(self) -> bool {
        matches!(self, Self::Active)
    }
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Consented => "consented",
            Self::Active => "active",
            Self::OutOfHours => "out of hours",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Revoked => "revoked",
            Self::NoAgreement => "without an agreement in force",
            Self::HandedOver => "handed over",
        }
    }
}

impl MandateCase {
    /// Is a place of the owner's log one of its versions?
    #[must_use]
    pub fn stands_at(&self, place: &Citation) -> bool {
        self.place.origin == place.origin && self.versions.contains(&place.index)
    }

    /// What it is worth at a moment under its agreement.
    #[must_use]
    pub fn standing(&self, agreed: &AgreementCase, now: Timestamp) -> Standing {
        let over = agreed.mission.as_ref().is_some_and(|known| known.mission.phase >= MissionPhase::Handover);
        match self.mandate.phase {
            MandatePhase::Ended => Standing::Ended,
            MandatePhase::Revoked => Standing::Revoked,
            MandatePhase::Drafted | MandatePhase::Consented | MandatePhase::Active | MandatePhase::Suspended
                if !agreed.state.is_in_force() =>
            {
                Standing::NoAgreement
            }
            MandatePhase::Drafted | MandatePhase::Consented | MandatePhase::Active | MandatePhase::Suspended
                if over =>
            {
                Standing::HandedOver
            }
            MandatePhase::Drafted => Standing::Drafted,
            MandatePhase::Consented => Standing::Consented,
            MandatePhase::Suspended => Standing::Suspended,
            MandatePhase::Active if now >= self.mandate.until => Standing::Expired,
            MandatePhase::Active if !self.mandate.is_time(now) => Standing::OutOfHours,
            MandatePhase::Active => Standing::Active,
        }
    }
}

/// Which phase may follow which.
///
/// # Errors
/// It does not follow.
pub fn next(from: MandatePhase, to: MandatePhase) -> Result<MandatePhase, InvalidTransition> {
    use MandatePhase::{Active, Consented, Drafted, Ended, Revoked, Suspended};
    let allowed = match from {
        Drafted => matches!(to, Drafted | Consented | Ended | Revoked),
        Consented => matches!(to, Consented | Active | Ended | Revoked),
        Active | Suspended => matches!(to, Active | Suspended | Ended | Revoked),
        Ended | Revoked => return Err(InvalidTransition::Over),
    };
    if allowed { Ok(to) } else { Err(InvalidTransition::Misplaced) }
}

/// Places the mandates of the case's owner, and the helpers whom providers name, into the agreements of a case.
pub(super) fn fold<'a>(case: &mut Case, sorted: impl Iterator<Item = &'a Heard> + Clone) {
    let owner = case.place.origin.clone();
    let owners = sorted.clone().filter(|one| one.place.origin == owner && matches!(one.word, Word::Mandate(_)));
    let mandates = owners.map(|one| one.place.index).collect();
    let mut reading = Reading { case, mandates };
    for one in sorted.clone() {
        if let Word::Mandate(mandate) = &one.word {
            reading.note(&one.place, |reading| reading.mandate(&one.place, mandate));
        }
    }
    for one in sorted {
        if let Word::Helpers(helpers) = &one.word {
            reading.note(&one.place, |reading| reading.helpers(&one.place, helpers));
        }
    }
}

struct Reading<'a> {
    case: &'a mut Case,
    /// Where the owner speaks of mandates at all.
    mandates: BTreeSet<Index>,
}

impl Reading<'_> {
    fn note(&mut self, place: &Citation, read: impl FnOnce(&mut Self) -> Result<(), InvalidTransition>) {
        if let Err(why) = read(self) {
            self.case.unfit.push((place.clone(), why));
        }
    }

    fn mandate(&mut self, place: &Citation, said: &Mandate) -> Result<(), InvalidTransition> {
        if place.origin != self.case.place.origin {
            return Err(InvalidTransition::NotYours);
        }
        let id = &said.common.id;
        let known =
            agreements(self.case).find(|(_, agreed)| agreed.mandates.iter().any(|m| m.mandate.common.id == *id));
        let held = known.map(|(_, agreed)| agreed.place.clone());
        if held.as_ref().is_some_and(|held| *held != said.agreement) {
            return Err(InvalidTransition::TermsChanged);
        }
        let Some((_, agreed)) = agreements(self.case).find(|(_, agreed)| agreed.place == said.agreement) else {
            self.case.missing.insert((said.agreement.origin.clone(), said.agreement.index));
            return Ok(());
        };
        match agreed.mandates.iter_mut().find(|known| known.mandate.common.id == *id) {
            None if said.phase != MandatePhase::Drafted => return Err(InvalidTransition::Misplaced),
            None => agreed.mandates.push(MandateCase {
                place: place.clone(),
                mandate: said.clone(),
                versions: vec![place.index],
                named: None,
            }),
            Some(known) => {
                next(known.mandate.phase, said.phase)?;
                let same_terms = known.mandate.terms() == said.terms();
                let same_consent = known.mandate.consent == said.consent;
                let drafting = known.mandate.phase == MandatePhase::Drafted;
                if (said.phase != MandatePhase::Drafted && !same_terms) || (!drafting && !same_consent) {
                    return Err(InvalidTransition::TermsChanged);
                }
                let named = known.named.take();
                let mut versions = std::mem::take(&mut known.versions);
                versions.push(place.index);
                *known = MandateCase { place: place.clone(), mandate: said.clone(), versions, named };
            }
        }
        Ok(())
    }

    fn helpers(&mut self, place: &Citation, said: &MandateHelpers) -> Result<(), InvalidTransition> {
        if said.mandate.origin != self.case.place.origin {
            return Err(InvalidTransition::Misplaced);
        }
        let found = agreements(self.case)
            .find_map(|(by, agreed)| agreed.mandates.iter_mut().find(|m| m.stands_at(&said.mandate)).map(|m| (by, m)));
        let Some((provider, known)) = found else {
            // It may be here and without effect; what names it has none either.
            if !self.mandates.contains(&said.mandate.index) {
                self.case.missing.insert((said.mandate.origin.clone(), said.mandate.index));
                return Ok(());
            }
            return Err(InvalidTransition::Misplaced);
        };
        if *provider != place.origin {
            return Err(InvalidTransition::NotYours);
        }
        if known.named.as_ref().is_some_and(|(_, named)| named.common.id != said.common.id) {
            return Err(InvalidTransition::Twice);
        }
        known.named = Some((place.clone(), said.clone()));
        Ok(())
    }
}

fn agreements(case: &mut Case) -> impl Iterator<Item = (&Origin, &mut AgreementCase)> {
    case.offers.iter_mut().flat_map(|offer| {
        let provider = &offer.place.origin;
        offer.agreements.iter_mut().map(move |agreed| (provider, agreed))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use MandatePhase::{Active, Consented, Drafted, Ended, Revoked, Suspended};
    use proptest::prelude::*;

    #[test]
    fn a_mandate_needs_consent_before_it_runs_and_does_not_come_back() {
        let check = |from, to, good: bool| assert_eq!(next(from, to).is_ok(), good, "{from} → {to}");
        check(Drafted, Consented, true);
        check(Drafted, Active, false);
        check(Drafted, Suspended, false);
        check(Consented, Drafted, false);
        check(Consented, Active, true);
        check(Consented, Suspended, false);
        check(Active, Suspended, true);
        check(Suspended, Active, true);
        check(Suspended, Consented, false);
        check(Drafted, Revoked, true);
        check(Revoked, Active, false);
        check(Ended, Active, false);
    }

    proptest! {
        #[test]
        fn nothing_follows_what_is_over(steps in proptest::collection::vec(0_usize..6, 0..12)) {
            let (mut phase, mut consented) = (Drafted, false);
            for step in steps {
                if let Ok(to) = next(phase, MandatePhase::ALL[step]) {
                    prop_assert!(!matches!(phase, Ended | Revoked));
                    consented |= to == Consented;
                    prop_assert!(consented || !matches!(to, Active | Suspended));
                    phase = to;
                }
            }
        }
    }
}
