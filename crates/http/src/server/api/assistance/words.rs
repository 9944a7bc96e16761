//! What people and programs say to `/assistance`, read into the words of the domain.

use model::extension::assistance::{
    AgreedLine, Answer, Clearance, Draw, Funding, HelpKind, LegalBasis, Level, Line, MissionPhase, Mode, OfferLine,
    Payer, Quantity, Request, RequestLine, RequestPhase, Sector, Severity,
};
use model::{EntryRef, Timestamp, Tlp};
use node::Work;
use node::assist::{self, AssistError, FollowUp, Progress};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::refusal::Refusal;
use super::super::request;

/// A call for help.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskFor {
    /// One line in English: what is wrong and what is wanted.
    pub name: String,
    /// Whom to call, at any hour: name and number.
    pub call: String,
    /// By when somebody must be on the case (RFC 3339).
    #[schema(value_type = String)]
    pub by_when: Timestamp,
    /// What is needed, line by line; lines without a number are numbered in order.
    pub lines: Vec<Need>,
    /// `csirts-network` unless said otherwise.
    #[serde(default = "csirts_network")]
    #[schema(value_type = String)]
    pub basis: LegalBasis,
    /// `own` unless said otherwise.
    #[serde(default = "own_funds")]
    #[schema(value_type = String)]
    pub funding: Funding,
    /// Is life or health at risk?
    #[serde(default)]
    pub life_at_risk: bool,
    /// Signed by one person in an emergency.
    #[serde(default)]
    pub emergency: bool,
    /// How severe it is, if that is stated: `incident`, `significant`, `large-scale`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub severity: Option<Severity>,
    /// Is an essential entity hit? They come first.
    #[serde(default)]
    pub essential: bool,
    /// The sectors of those that are hit: `health`, `energy` …
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub sectors: Vec<Sector>,
    /// What happened, entities by sector and never by name.
    #[serde(default)]
    pub situation: Option<String>,
    /// What was done already.
    #[serde(default)]
    pub mitigation: Option<String>,
    /// Answer by then.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub answer_by: Option<Timestamp>,
    /// It lapses then; 90 days unless said otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub expires: Option<Timestamp>,
    /// `clear`, `green`, `amber` or `amber+strict`.
    pub label: String,
    /// The audience's name; without one CLEAR and GREEN go to the ticked communities.
    #[serde(default)]
    pub audience: Option<String>,
}

/// One need.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Its number, from 1.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    pub line: Option<Line>,
    /// What kind of help: `forensics`, `malware-analysis`, `containment` …
    #[schema(value_type = String)]
    pub kind: HelpKind,
    /// How many people or pieces.
    #[schema(value_type = u32)]
    pub quantity: Quantity,
    /// `remote`, `on-site` or `either`.
    #[schema(value_type = String)]
    pub mode: Mode,
    /// Where, in words.
    #[serde(default)]
    pub place: Option<String>,
    /// From when on.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// Languages that would help.
    #[serde(default)]
    pub languages: Vec<String>,
    /// The clearance without which nobody can work on it: `restricted`, `confidential`, `secret`, `top-secret`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub clearance: Option<Clearance>,
    /// How experienced they must be at least: `basic`, `experienced`, `expert`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub level: Option<Level>,
    /// 1 first … 5 last.
    #[serde(default = "first")]
    pub priority: u8,
    /// What it is for.
    #[serde(default)]
    pub planned_use: Option<String>,
}

const fn csirts_network() -> LegalBasis {
    LegalBasis::CsirtsNetwork
}
const fn own_funds() -> Funding {
    Funding::Own
}
const fn first() -> u8 {
    1
}

impl AskFor {
    /// Reads the label and numbers the lines.
    ///
    /// # Errors
    /// No such label.
    pub fn read(self) -> Result<assist::Ask, Refusal> {
        let tlp: Tlp = self.label.parse().map_err(Refusal::unreadable)?;
        Ok(assist::Ask {
            title: self.name,
            call: self.call,
            by_when: self.by_when,
            basis: self.basis,
            funding: self.funding,
            life_at_risk: self.life_at_risk,
            emergency: self.emergency,
            severity: self.severity,
            essential: self.essential,
            sectors: self.sectors,
            situation: self.situation,
            mitigation: self.mitigation,
            answer_by: self.answer_by,
            expires: self.expires,
            lines: numbered(self.lines)?,
            tlp,
            audience: request::audience(self.audience),
        })
    }
}

fn numbered(needs: Vec<Need>) -> Result<Vec<RequestLine>, Refusal> {
    let mut lines = Vec::with_capacity(needs.len().min(model::limits::ASSISTANCE_LINES));
    for (number, need) in (1_u16..).zip(needs) {
        lines.push(RequestLine {
            line: match need.line {
                Some(line) => line,
                None => Line::try_from(number).map_err(Refusal::unreadable)?,
            },
            kind: need.kind,
            quantity: need.quantity,
            mode: need.mode,
            place: need.place,
            from: need.from,
            until: need.until,
            languages: need.languages,
            clearance: need.clearance,
            level: need.level,
            priority: need.priority,
            planned_use: need.planned_use,
        });
    }
    Ok(lines)
}

/// What is new in a version of our call for help; what is left out stays as it was.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    /// `anticipated`, `open`, `closed` or `withdrawn`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub phase: Option<RequestPhase>,
    /// One line in English.
    #[serde(default)]
    pub name: Option<String>,
    /// Whom to call.
    #[serde(default)]
    pub call: Option<String>,
    /// By when.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub by_when: Option<Timestamp>,
    /// Under which law.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub basis: Option<LegalBasis>,
    /// Who pays.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub funding: Option<Funding>,
    /// What happened.
    #[serde(default)]
    pub situation: Option<String>,
    /// What was done already.
    #[serde(default)]
    pub mitigation: Option<String>,
    /// All lines anew.
    #[serde(default)]
    pub lines: Option<Vec<Need>>,
}

/// The same, read.
#[derive(Debug)]
pub struct Change {
    amend: Amend,
    lines: Option<Vec<RequestLine>>,
}

impl Amend {
    /// Numbers the lines.
    ///
    /// # Errors
    /// Too many lines.
    pub fn read(mut self) -> Result<Change, Refusal> {
        let lines = self.lines.take().map(numbered).transpose()?;
        Ok(Change { amend: self, lines })
    }
}

impl Change {
    /// Puts what is new into a version.
    pub fn apply(self, request: &mut Request) {
        let Amend { phase, name, call, by_when, basis, funding, situation, mitigation, lines: _ } = self.amend;
        request.phase = phase.unwrap_or(request.phase);
        request.title = name.unwrap_or_else(|| request.title.clone());
        request.call = call.unwrap_or_else(|| request.call.clone());
        request.by_when = by_when.unwrap_or(request.by_when);
        request.basis = basis.unwrap_or(request.basis);
        request.funding = funding.unwrap_or(request.funding);
        request.situation = situation.or_else(|| request.situation.clone());
        request.mitigation = mitigation.or_else(|| request.mitigation.clone());
        request.lines = self.lines.unwrap_or_else(|| request.lines.clone());
    }
}

/// An answer to a call for help.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// `yes`, `maybe`, `no` or `withdrawn`.
    #[schema(value_type = String)]
    pub answer: Answer,
    /// Whom to call: name and number.
    pub call: String,
    /// `provider` unless said otherwise; `requester`, `to-be-agreed`.
    #[serde(default = "provider_pays")]
    #[schema(value_type = String)]
    pub payer: Payer,
    /// How soon we may call our people home, hours.
    #[serde(default)]
    pub recall_hours: Option<u16>,
    /// It may be accepted until then.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub valid_until: Option<Timestamp>,
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
    /// What is offered; with `yes` and none of them everything that is asked, or what the capacities below can fill.
    #[serde(default)]
    pub lines: Vec<Have>,
    /// With `yes` and no lines: what these own capacities can fill, as matching proposes.
    #[serde(default)]
    pub capacities: Vec<String>,
    /// With `yes` and no lines: what all own capacities can fill, as matching proposes.
    #[serde(default)]
    pub matched: bool,
}

/// What is offered for one line of the request.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Have {
    /// The line of the request.
    #[schema(value_type = u16)]
    pub line: Line,
    /// How many people or pieces.
    #[schema(value_type = u32)]
    pub quantity: Quantity,
    /// `remote`, `on-site` or `either`.
    #[schema(value_type = String)]
    pub mode: Mode,
    /// From when on.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// On what conditions.
    #[serde(default)]
    pub conditions: Option<String>,
    /// The own capacities from which they come. The requester sees that they stand in our log, and nothing of them.
    #[serde(default)]
    pub draws: Vec<DrawOn>,
}

/// How many come from one capacity.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawOn {
    /// The capacity: `EE:3`.
    pub capacity: String,
    /// How many.
    #[schema(value_type = u32)]
    pub quantity: Quantity,
}

/// A line as it was written, without the capacities from which it is drawn.
pub(super) fn line(have: &Have) -> OfferLine {
    OfferLine {
        line: have.line,
        quantity: have.quantity,
        mode: have.mode,
        from: have.from,
        until: have.until,
        conditions: have.conditions.clone(),
        draws: Vec::new(),
    }
}

const fn provider_pays() -> Payer {
    Payer::Provider
}

impl Reply {
    /// In the words of the node, with its capacities found in the log.
    ///
    /// # Errors
    /// An entry that is none, or that is not in our log.
    pub fn read(&self, work: &Work<'_, '_>) -> Result<assist::Reply, Refusal> {
        let place = |entry: &String| {
            let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
            let place = assist::place_of(work, name)?;
            // Somebody else's capacity and none are one answer.
            if place.origin == work.me.origin { Ok(place) } else { Err(Refusal::from(AssistError::NoCapacity)) }
        };
        let line = |have: &Have| {
            let draws =
                have.draws.iter().map(|draw| Ok(Draw { capacity: place(&draw.capacity)?, quantity: draw.quantity }));
            Ok(OfferLine { draws: draws.collect::<Result<_, Refusal>>()?, ..self::line(have) })
        };
        let named = self.capacities.iter().map(place).collect::<Result<Vec<_>, Refusal>>()?;
        Ok(assist::Reply {
            answer: self.answer,
            call: self.call.clone(),
            payer: self.payer,
            recall_hours: self.recall_hours,
            valid_until: self.valid_until,
            note: self.note.clone(),
            lines: self.lines.iter().map(line).collect::<Result<_, Refusal>>()?,
            from: match (self.matched, named.is_empty()) {
                (true, _) => assist::From::Matched,
                (false, false) => assist::From::Capacities(named),
                (false, true) => assist::From::Asked,
            },
        })
    }
}

/// What is taken of an offer.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// Which lines, and how much of them; none of them is all that serves what is still missing.
    #[serde(default)]
    pub lines: Vec<Take>,
    /// What was settled beyond the offer.
    #[serde(default)]
    pub terms: Option<String>,
    /// Paper follows within 30 days.
    #[serde(default)]
    pub emergency: bool,
}

/// What is taken of one line.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Take {
    /// The line.
    #[schema(value_type = u16)]
    pub line: Line,
    /// How many of those that are offered.
    #[schema(value_type = u32)]
    pub quantity: Quantity,
}

impl Accept {
    /// The lines in the words of the model.
    #[must_use]
    pub fn taken(&self) -> Vec<AgreedLine> {
        self.lines.iter().map(|take| AgreedLine { line: take.line, quantity: take.quantity }).collect()
    }
}

/// The next step of an agreement.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Next {
    /// The provider's: `countersign`, `decline`, `acknowledge`, `end`. The requester's: `retract`.
    pub step: StepWord,
    /// Why, if it is said.
    #[serde(default)]
    pub reason: Option<String>,
    /// With `end`: was everything done that was agreed?
    #[serde(default)]
    pub fulfilled: bool,
}

/// Which step.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepWord {
    /// The provider signs.
    Countersign,
    /// The provider does not sign.
    Decline,
    /// The requester takes its acceptance back.
    Retract,
    /// The provider has read the retraction.
    Acknowledge,
    /// The provider ends what is in force.
    End,
}

impl Next {
    /// In the words of the node.
    #[must_use]
    pub fn read(self) -> FollowUp {
        match self.step {
            StepWord::Countersign => FollowUp::Countersign,
            StepWord::Decline => FollowUp::Decline(self.reason),
            StepWord::Retract => FollowUp::Retract(self.reason),
            StepWord::Acknowledge => FollowUp::Acknowledge,
            StepWord::End => FollowUp::End { fulfilled: self.fulfilled, reason: self.reason },
        }
    }
}

/// What is new of a mission.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MissionNews {
    /// `ordered`, `mobilising`, `travelling`, `on-task`, `handover`, `demobilising`, `reporting`, `closed`, `aborted`.
    #[schema(value_type = String)]
    pub phase: MissionPhase,
    /// Who leads it: name and number.
    #[serde(default)]
    pub leader: Option<String>,
    /// What was done, or the summary.
    #[serde(default)]
    pub report: Option<String>,
    /// Hours worked so far.
    #[serde(default)]
    pub hours: Option<u32>,
    /// Cents of a euro so far.
    #[serde(default)]
    pub cost_cents: Option<u64>,
}

impl MissionNews {
    /// In the words of the node.
    #[must_use]
    pub fn read(self) -> Progress {
        Progress {
            phase: self.phase,
            leader: self.leader,
            report: self.report,
            hours: self.hours,
            cost_cents: self.cost_cents,
        }
    }
}
