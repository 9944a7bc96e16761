//! `x-entraide-assistance-request`: a call for help. The flash request has four fields and one line; later versions say
//! the rest. The requester's log decides about it.

use serde::{Deserialize, Serialize};

use super::words::{Clearance, Funding, HelpKind, LegalBasis, Level, Line, Mode, Quantity, Sector, Severity};
use crate::extension::{Common, Extension};
use crate::limits;
use crate::time::Timestamp;

/// Where a request stands, as its owner says; what lapses with time is computed on reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestPhase {
    /// Something may come: partners look what they have.
    Anticipated,
    /// Help is wanted.
    Open,
    /// It was helped, or help is no longer needed.
    Closed,
    /// It was a mistake, or is asked in another way.
    Withdrawn,
}

/// One need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine {
    /// Its number in the request.
    pub line: Line,
    /// What kind of help.
    pub kind: HelpKind,
    /// How many people or pieces.
    pub quantity: Quantity,
    /// From afar or at the place.
    pub mode: Mode,
    /// Where, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// From when on; `None` is at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when it is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Languages that would help, as BCP 47 tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// The clearance without which nobody can work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clearance: Option<Clearance>,
    /// How experienced they must be at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// 1 first … 5 last.
    pub priority: u8,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_use: Option<String>,
}

/// One version of a call for help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// Its number for people, such as `FR-2026-004`.
    pub number: String,
    /// One line in English: what is wrong and what is wanted. As STIX calls the title of an object.
    #[serde(rename = "name")]
    pub title: String,
    /// Where it stands.
    pub phase: RequestPhase,
    /// Whom to call, at any hour: name and number.
    pub call: String,
    /// By when somebody must be on the case.
    pub by_when: Timestamp,
    /// Under which law.
    pub basis: LegalBasis,
    /// Who pays.
    pub funding: Funding,
    /// Is life or health at risk?
    pub life_at_risk: bool,
    /// Signed by one person in an emergency; a second ratifies within 12 h.
    pub emergency: bool,
    /// How severe it is, if that is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Is an essential entity hit (NIS2 Art 3(1))? They come first (Reg. (EU) 2025/38 Art 16(3)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The sectors of those that are hit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sectors: Vec<Sector>,
    /// What happened, entities by sector and never by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub situation: Option<String>,
    /// What was done already (Reg. (EU) 2025/38 Art 15(5)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<String>,
    /// Answer by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Timestamp>,
    /// It lapses then, at most 90 days after it was first said (practice of the UCPM).
    pub expires: Timestamp,
    /// What is needed, line by line.
    pub lines: Vec<RequestLine>,
}

impl Extension for Request {
    const KIND: &'static str = "x-entraide-assistance-request";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        super::text("number", &self.number, limits::NAME_BYTES)?;
        super::text("name", &self.title, limits::NAME_BYTES)?;
        super::text("call", &self.call, limits::NAME_BYTES)?;
        super::optional("situation", self.situation.as_ref())?;
        super::optional("mitigation", self.mitigation.as_ref())?;
        super::lines(self.lines.iter().map(|line| line.line))?;
        if self.sectors.len() > Sector::ALL.len() {
            return Err(format!("`sectors` are at most {}", Sector::ALL.len()));
        }
        let lapses = self.common.created.plus_seconds(limits::REQUEST_SECONDS);
        if self.expires <= self.common.created || self.expires > lapses {
            return Err("`expires` is after `created`, by at most 90 days".to_owned());
        }
        self.lines.iter().try_for_each(RequestLine::validate)
    }
}

impl RequestLine {
    fn validate(&self) -> Result<(), String> {
        super::optional("place", self.place.as_ref())?;
        super::optional("planned_use", self.planned_use.as_ref())?;
        if !(1..=5).contains(&self.priority) {
            return Err(format!("line {}: `priority` is 1 (first) to 5 (last)", self.line));
        }
        if self.languages.len() > limits::LANGUAGES || self.languages.iter().any(|tag| !is_language(tag)) {
            return Err(format!("line {}: `languages` are at most {} tags such as `fr`", self.line, limits::LANGUAGES));
        }
        match (self.from, self.until) {
            (Some(from), Some(until)) if until <= from => {
                Err(format!("line {}: `until` comes after `from`", self.line))
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }
}

/// Is it a BCP 47 tag, as far as its letters tell?
pub(crate) fn is_language(tag: &str) -> bool {
    (2..=35).contains(&tag.len())
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        && tag.as_bytes().iter().take(2).all(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_look_like_tags() {
        let check = |tag: &str, good: bool| assert_eq!(is_language(tag), good, "{tag}");
        check("fr", true);
        check("sr-Latn", true);
        check("f", false);
        check("french language", false);
        check("", false);
        check("12", false);
    }
}
