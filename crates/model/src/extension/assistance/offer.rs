//! `x-entraide-assistance-offer`: an answer to a call for help, for the requester alone. The provider's log decides about it.

use serde::{Deserialize, Serialize};

use super::words::{Line, Mode, Payer, Quantity};
use crate::extension::{Common, Extension};
use crate::ids::Citation;
use crate::limits;
use crate::time::Timestamp;

/// One tap first; the lines can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// We help, as the lines say.
    Yes,
    /// Perhaps: call us.
    Maybe,
    /// Not this time; no reason is owed (NIS2 Art 2(11)).
    No,
    /// What we offered earlier is taken back.
    Withdrawn,
}

/// From which of the provider's own capacities people or pieces come. What the capacity is stays at home: the citation
/// says where it stands in the provider's log, and shows nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// A version of the capacity.
    pub capacity: Citation,
    /// How many of those that are offered.
    pub quantity: Quantity,
}

/// What is offered for one line of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferLine {
    /// The line of the request that it answers.
    pub line: Line,
    /// How many people or pieces.
    pub quantity: Quantity,
    /// From afar or at the place.
    pub mode: Mode,
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// On what conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<String>,
    /// The provider's own capacities from which they come; the rest comes from elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws: Vec<Draw>,
}

impl OfferLine {
    /// A capacity stands once in a line, and no more is drawn than is offered.
    fn check_draws(&self) -> Result<(), String> {
        let line = self.line;
        if self.draws.len() > limits::DRAWS {
            return Err(format!("line {line}: `draws` are at most {}", limits::DRAWS));
        }
        let places: std::collections::BTreeSet<_> =
            self.draws.iter().map(|draw| (&draw.capacity.origin, draw.capacity.index)).collect();
        if places.len() < self.draws.len() {
            return Err(format!("line {line}: a capacity stands twice in `draws`"));
        }
        if self.draws.iter().map(|draw| u32::from(draw.quantity)).sum::<u32>() > self.quantity.into() {
            return Err(format!("line {line}: no more is drawn than is offered"));
        }
        Ok(())
    }
}

/// One version of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The version of the request that it answers.
    pub request: Citation,
    /// Yes, maybe, no, or taken back.
    pub answer: Answer,
    /// Whom to call: name and number.
    pub call: String,
    /// Who pays.
    pub payer: Payer,
    /// How soon we may call our people home, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall_hours: Option<u16>,
    /// It may be accepted until then.
    pub valid_until: Timestamp,
    /// What else is to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is offered, line by line; none unless the answer is yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<OfferLine>,
}

impl Extension for Offer {
    const KIND: &'static str = "x-entraide-assistance-offer";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        super::text("call", &self.call, limits::NAME_BYTES)?;
        super::optional("note", self.note.as_ref())?;
        match self.answer {
            Answer::Yes => super::lines(self.lines.iter().map(|line| line.line))?,
            Answer::Maybe | Answer::No | Answer::Withdrawn if self.lines.is_empty() => {}
            Answer::Maybe | Answer::No | Answer::Withdrawn => {
                return Err("`lines` are offered with the answer yes alone".to_owned());
            }
        }
        for line in &self.lines {
            super::optional("conditions", line.conditions.as_ref())?;
            line.check_draws()?;
            if let (Some(from), Some(until)) = (line.from, line.until)
                && until <= from
            {
                return Err(format!("line {}: `until` comes after `from`", line.line));
            }
        }
        Ok(())
    }
}
