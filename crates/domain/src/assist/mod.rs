//! Assist: a call for help with everything that was answered to it, derived from the logs of all who speak in it.
//!
//! [`case::fold`] is a pure function of a set of statements: the order in which they arrived does not matter, so that
//! nodes which hold the same statements show the same state. Where statements cross, the provider's log decides
//! (workflows §0, "Deciding logs"): `agreement` is that rule, and nothing else.
//!
//! [`capacity`] derives from the same statements what of a nation's own people and tools is promised, and [`matching`]
//! proposes whom to send where.

pub mod agreement;
pub mod capacity;
pub mod case;
pub mod mandate;
pub mod matching;
pub mod mission;
pub mod reserve;
pub mod room;

#[cfg(test)]
mod tests;

use model::Citation;
use model::extension::Extension;
use model::extension::assistance::{
    Acknowledgement, Agreement, AgreementStep, ConsentProof, Helper, Mandate, MandateHelpers, Mission, Offer,
    OfferLine, Relayed, RelayedOffer, RelayedWord, Request,
};

/// A statement of a case, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Whose log, where, and what it commits to.
    pub place: Citation,
    /// What it says.
    pub word: Word,
}

/// What a statement of a case says.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// A version of the call for help.
    Request(Request),
    /// A version of an answer.
    Offer(Offer),
    /// A step of an agreement.
    Agreement(Agreement),
    /// A version of a mission.
    Mission(Mission),
    /// What is said in the case room.
    Room(room::RoomWord),
    /// Somebody is awake for the call for help.
    Acknowledgement(Acknowledgement),
    /// A version of a mandate.
    Mandate(Mandate),
    /// Whom a provider sends for a mandate.
    Helpers(MandateHelpers),
    /// A partner without a node said something, and whoever asked took it down.
    Relayed(Relayed),
}

impl Word {
    /// The statement that it answers; a call for help answers none.
    #[must_use]
    pub const fn answers(&self) -> Option<&Citation> {
        match self {
            Self::Request(_) => None,
            Self::Offer(offer) => Some(&offer.request),
            Self::Agreement(agreement) => Some(&agreement.answers),
            Self::Mission(mission) => Some(&mission.agreement),
            Self::Room(word) => Some(word.answers()),
            Self::Acknowledgement(said) => Some(&said.answers),
            Self::Mandate(mandate) => Some(&mandate.agreement),
            Self::Helpers(helpers) => Some(&helpers.mandate),
            Self::Relayed(said) => Some(&said.answers),
        }
    }
}

impl Word {
    /// The statement without its free text, once that is erased: what it answers is still known.
    #[must_use]
    pub fn without_words(&self) -> Vec<u8> {
        let purged = || PURGED.to_owned();
        match self {
            Self::Request(request) => {
                let mut lines = request.lines.clone();
                for line in &mut lines {
                    (line.place, line.planned_use) = (None, None);
                }
                let common = request.common.without_words();
                let (situation, mitigation) = (None, None);
                Request { common, title: purged(), call: purged(), situation, mitigation, lines, ..request.clone() }
                    .to_bytes()
            }
            Self::Offer(offer) => {
                let lines = without_conditions(&offer.lines);
                let common = offer.common.without_words();
                Offer { common, call: purged(), note: None, lines, ..offer.clone() }.to_bytes()
            }
            Self::Agreement(agreement) => {
                let step = without_reason(&agreement.step);
                Agreement { common: agreement.common.without_words(), step, ..agreement.clone() }.to_bytes()
            }
            Self::Acknowledgement(said) => {
                Acknowledgement { common: said.common.without_words(), ..said.clone() }.to_bytes()
            }
            Self::Relayed(said) => {
                let word = match &said.said {
                    RelayedWord::Agreement(step) => RelayedWord::Agreement(without_reason(step)),
                    RelayedWord::Offer(offer) => RelayedWord::Offer(RelayedOffer {
                        call: purged(),
                        note: None,
                        lines: without_conditions(&offer.lines),
                        ..offer.clone()
                    }),
                };
                let (common, partner_name) = (said.common.without_words(), purged());
                let (said_by, taken_by) = (purged(), purged());
                Relayed { common, partner_name, said_by, taken_by, said: word, ..said.clone() }.to_bytes()
            }
            Self::Mission(mission) => {
                let report = mission.report.as_ref().map(|_| purged());
                let common = mission.common.without_words();
                Mission { common, leader: purged(), report, ..mission.clone() }.to_bytes()
            }
            Self::Room(word) => word.without_words(),
            Self::Mandate(mandate) => mandate_without_words(mandate).to_bytes(),
            Self::Helpers(said) => {
                let (common, helpers) = (said.common.without_words(), nameless(&said.helpers));
                MandateHelpers { common, helpers, ..said.clone() }.to_bytes()
            }
        }
    }
}

/// The versions of one mandate lose the same words, so that their terms are still alike among themselves.
fn mandate_without_words(mandate: &Mandate) -> Mandate {
    let purged = || PURGED.to_owned();
    let consent = mandate.consent.clone().map(|mut consent| {
        consent.by = purged();
        consent.proof = ConsentProof::Recorded { by: purged() };
        consent
    });
    Mandate {
        common: mandate.common.without_words(),
        entity: purged(),
        revokers: purged(),
        team: purged(),
        data_limits: None,
        reason: None,
        consent,
        helpers: nameless(&mandate.helpers),
        ..mandate.clone()
    }
}

fn nameless(helpers: &[Helper]) -> Vec<Helper> {
    helpers.iter().map(|helper| Helper { role: PURGED.to_owned(), key: helper.key.clone() }).collect()
}

fn without_conditions(lines: &[OfferLine]) -> Vec<OfferLine> {
    lines.iter().map(|line| OfferLine { conditions: None, ..line.clone() }).collect()
}

fn without_reason(step: &AgreementStep) -> AgreementStep {
    let mut step = step.clone();
    match &mut step {
        AgreementStep::Accept { terms: words, .. }
        | AgreementStep::Decline { reason: words }
        | AgreementStep::Retract { reason: words }
        | AgreementStep::End { reason: words, .. } => *words = None,
        AgreementStep::Countersign | AgreementStep::Acknowledge => {}
    }
    step
}

/// What stands where a text was that a statement can't do without.
pub(crate) const PURGED: &str = "purged";

/// Why a statement changes nothing: it stays in its log, and the screen says why it has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidTransition {
    /// Somebody else's part.
    #[error("this step is another party's")]
    NotYours,
    /// Another step came first in the deciding log.
    #[error("another step came first in the provider's log")]
    TooLate,
    /// More than is offered, with what is agreed already.
    #[error("it takes more than is still offered")]
    BeyondOffer,
    /// A line that is not there.
    #[error("it names a line that is not in what it answers")]
    NoSuchLine,
    /// It answers a statement of another sort.
    #[error("it answers a statement that this step does not follow")]
    Misplaced,
    /// A mission without an agreement in force.
    #[error("there is no agreement in force for it")]
    NotInForce,
    /// A mission goes forward.
    #[error("a mission does not go back")]
    Backwards,
    /// Other terms than those to which the entity consented.
    #[error("its terms are not those of the draft: what was consented to is not changed, draft another mandate")]
    TermsChanged,
    /// A mandate that is over.
    #[error("it is over, and does not come back: draft another mandate")]
    Over,
    /// A second thread where one is enough.
    #[error("there is one already: a change is a new version of it")]
    Twice,
}
