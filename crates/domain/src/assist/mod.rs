//! Assist: a call for help with everything that was answered to it, derived from the logs of all who speak in it.
//!
//! [`case::fold`] is a pure function of a set of statements: the order in which they arrived does not matter, so that
//! nodes which hold the same statements show the same state. Where statements cross, the provider's log decides
//! (workflows §0, "Deciding logs"): `agreement` is that rule, and nothing else.

pub mod agreement;
pub mod case;
pub mod mission;

#[cfg(test)]
mod tests;

use model::Citation;
use model::extension::assistance::{Agreement, Mission, Offer, Request};

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
        }
    }
}

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
    /// A second thread where one is enough.
    #[error("there is one already: a change is a new version of it")]
    Twice,
}
