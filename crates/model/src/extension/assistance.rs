//! Assist (workflows §3.1): a state in difficulty asks, partners offer, both agree, somebody is on the case. Each
//! statement is in the log of whoever says it and cites what it answers; the joint state is derived from both logs
//! (`domain::assist`).

pub mod acknowledgement;
pub mod agreement;
pub mod capacity;
pub mod dossier;
pub mod mandate;
pub mod offer;
pub mod relayed;
pub mod request;
pub mod room;
pub mod words;

pub use acknowledgement::Acknowledgement;
pub use agreement::{AgreedLine, Agreement, AgreementStep, Mission, MissionPhase};
pub use capacity::{Capacity, Card, PrivateProvider, RateCard, Window};
pub use dossier::{Dossier, IncidentScale, ReserveStep, ReserveTaken, ReserveUser, StepProof};
pub use mandate::{Consent, ConsentProof, Helper, HelperKey, Hours, Mandate, MandateHelpers, SystemName};
pub use offer::{Answer, Draw, Offer, OfferLine};
pub use relayed::{RelayWay, Relayed, RelayedOffer, RelayedWord};
pub use request::{Request, RequestLine, RequestPhase};
pub use room::{Artefact, ArtefactKind, Custody, CustodyAct, Note, Sha256Digest, Way};
pub use words::{
    AccessKind, Clearance, Funding, HelpKind, LegalBasis, Level, Line, MandateAction, MandatePhase, Mode, Payer,
    Quantity, ReadyBand, Sector, Severity, SizeBand,
};

use crate::limits;

/// Refuses a text that is empty or too long; the message names the property.
pub(crate) fn text(property: &str, text: &str, most: usize) -> Result<(), String> {
    if text.trim().is_empty() || text.len() > most {
        return Err(format!("`{property}` has 1 to {most} bytes"));
    }
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err(format!("`{property}` has no control characters but line ends"));
    }
    Ok(())
}

/// The same for a text that may be left out.
pub(crate) fn optional(property: &str, value: Option<&String>) -> Result<(), String> {
    value.map_or(Ok(()), |value| text(property, value, limits::TEXT_BYTES))
}

/// Refuses an empty list, one that is too long, and a line that stands twice.
pub(crate) fn lines(numbers: impl ExactSizeIterator<Item = Line>) -> Result<(), String> {
    if numbers.len() == 0 || numbers.len() > limits::ASSISTANCE_LINES {
        return Err(format!("`lines` has 1 to {} lines", limits::ASSISTANCE_LINES));
    }
    let mut seen = std::collections::BTreeSet::new();
    for line in numbers {
        if !seen.insert(line) {
            return Err(format!("line {line} stands twice in `lines`"));
        }
    }
    Ok(())
}
