//! Taking down what a partner without a node says (architecture §4): over the telephone in two steps, because nothing counts
//! before it was read back; from a mail that its key signed; or from the answer page.

use model::extension::Common;
use model::extension::assistance::{
    AgreementStep, Answer, OfferLine, Payer, RelayWay, Relayed, RelayedOffer, RelayedWord, Sha256Digest,
};
use model::{Citation, Reach, Timestamp};
use serde::{Deserialize, Serialize};
use store::{PartnerRow, PartnerState};

use super::{AssistError, Spoken, agreement_at, case_at, everything, open_request, speak};
use crate::actor::Actor;
use crate::limits;
use crate::partner;
use crate::reach::letter;
use crate::work::Work;

/// What somebody without a node says to our call for help.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saying {
    /// An answer.
    Answer {
        /// Yes, maybe, no, or taken back.
        answer: Answer,
        /// Whom to call.
        call: String,
        /// Who pays.
        payer: Payer,
        /// It may be accepted until then; `None` is until the request wants somebody on the case, at least an hour.
        valid_until: Option<Timestamp>,
        /// What else is said.
        note: Option<String>,
        /// What is offered; with *yes* and none of them everything that is asked.
        lines: Vec<OfferLine>,
    },
    /// A step of an agreement, named by its acceptance.
    Step(AgreementStep),
}

/// Who said it, where and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// The partner: two letters, its name, or its origin.
    pub partner: String,
    /// Who said it there.
    pub said_by: String,
    /// When; `None` is now.
    pub said_at: Option<Timestamp>,
}

/// How it came, beside the telephone.
#[derive(Debug, Clone)]
pub struct Written {
    /// By which way.
    pub way: RelayWay,
    /// The digest of the bytes that came, if it was a mail.
    pub original: Option<Sha256Digest>,
    /// The fingerprint of the key that signed them.
    pub signed_with: Option<String>,
}

/// A draft that waits until it was read back.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its number.
    pub id: i64,
    /// What is read to whoever said it.
    pub read_back: String,
    /// It is dropped then.
    pub until: Timestamp,
}

/// What is kept of a draft.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    place: Citation,
    source: Source,
    saying: Saying,
}

/// Takes down what was said over the telephone. Nothing counts before [`confirm`].
///
/// # Errors
/// What was said has no place, or a field is out of its range; nothing is kept then.
pub fn take_down(
    work: &mut Work<'_, '_>,
    place: &Citation,
    source: &Source,
    saying: &Saying,
    by: &Actor,
) -> Result<Draft, AssistError> {
    let source = Source { said_at: Some(source.said_at.unwrap_or(work.now)), ..source.clone() };
    let (partner, said) = word(work, place, &source, saying)?;
    let relayed = made(work, &partner, said, &source, &telephone(), &by.login)?;
    model::extension::Extension::validate(&relayed).map_err(AssistError::Field)?;
    work.tx.drop_relay_drafts_before(work.now.plus_seconds(-limits::DRAFT_SECONDS))?;
    let text = read_back(&work.me.name, &relayed);
    let kept = Kept { place: place.clone(), source, saying: saying.clone() };
    let kept = serde_json::to_string(&kept).map_err(|error| AssistError::Field(error.to_string()))?;
    let id = work.tx.put_relay_draft(&kept, work.now, &by.login)?;
    Ok(Draft { id, read_back: text, until: work.now.plus_seconds(limits::DRAFT_SECONDS) })
}

/// Whoever said it has heard it read back and says that it is right: now it counts.
///
/// # Errors
/// No such draft, it is too old, or what it says has no place any more.
pub fn confirm(work: &mut Work<'_, '_>, draft: i64, by: &Actor) -> Result<Spoken, AssistError> {
    let oldest = work.now.plus_seconds(-limits::DRAFT_SECONDS);
    let row = work.tx.relay_draft(draft)?.filter(|row| row.made >= oldest).ok_or(AssistError::NoDraft(draft))?;
    let kept: Kept = serde_json::from_str(&row.said).map_err(|error| AssistError::Field(error.to_string()))?;
    work.tx.drop_relay_draft(draft)?;
    say(work, &kept.place, &kept.source, &kept.saying, &telephone(), &by.login)
}

/// It is not what was said: nothing of it is kept.
///
/// # Errors
/// No such draft.
pub fn drop_draft(work: &mut Work<'_, '_>, draft: i64) -> Result<(), AssistError> {
    if work.tx.drop_relay_draft(draft)? { Ok(()) } else { Err(AssistError::NoDraft(draft)) }
}

/// Takes down what was written: on the answer page, or in a mail that the partner's key signed.
///
/// # Errors
/// What was said has no place, or a field is out of its range; nothing is said then.
pub fn written(
    work: &mut Work<'_, '_>,
    place: &Citation,
    source: &Source,
    saying: &Saying,
    how: &Written,
    by: &str,
) -> Result<Spoken, AssistError> {
    say(work, place, source, saying, how, by)
}

const fn telephone() -> Written {
    Written { way: RelayWay::Telephone, original: None, signed_with: None }
}

fn say(
    work: &mut Work<'_, '_>,
    place: &Citation,
    source: &Source,
    saying: &Saying,
    how: &Written,
    by: &str,
) -> Result<Spoken, AssistError> {
    let case = case_at(work, place)?;
    let (partner, said) = word(work, place, source, saying)?;
    let known = case.offers.iter().find(|offer| *offer.provider() == partner.origin);
    let relayed = made(work, &partner, said.clone(), source, how, by)?;
    let appended = match (known, &said.1) {
        (Some(known), RelayedWord::Offer(_)) => {
            let common = known.offer.common.clone();
            let common = Common { modified: speak::later(work.now, common.modified), ..common };
            speak::next_version(work, &Relayed { common, ..relayed })?
        }
        (_, RelayedWord::Offer(_) | RelayedWord::Agreement(_)) => speak::to_partner(work, &partner.origin, &relayed)?,
    };
    speak::took_effect(work, &case.place, &appended)?;
    Ok(Spoken { appended, request: case.place })
}

/// The partner, what its word answers, and the word.
fn word(
    work: &Work<'_, '_>,
    place: &Citation,
    source: &Source,
    saying: &Saying,
) -> Result<(PartnerRow, (Citation, RelayedWord)), AssistError> {
    let partner = without_node(work, &source.partner)?;
    let case = case_at(work, place)?;
    if case.place.origin != work.me.origin {
        return Err(AssistError::NotYours(case.place.origin.country().to_string()));
    }
    let said = match saying {
        Saying::Answer { answer, call, payer, valid_until, note, lines } => {
            if matches!(answer, Answer::Yes | Answer::Maybe) {
                open_request(&case, work.now)?;
            }
            let lines = if *answer == Answer::Yes && lines.is_empty() { everything(&case) } else { lines.clone() };
            if let Some(line) = lines.iter().find(|line| !case.request.lines.iter().any(|need| need.line == line.line))
            {
                return Err(AssistError::Field(format!("the request has no line {}", line.line)));
            }
            let soonest = work.now.plus_seconds(3_600);
            let offer = RelayedOffer {
                answer: *answer,
                call: call.clone(),
                payer: *payer,
                valid_until: valid_until.unwrap_or_else(|| case.request.by_when.max(soonest)),
                note: note.clone(),
                lines,
            };
            (case.place, RelayedWord::Offer(offer))
        }
        Saying::Step(step) => {
            let (offer, agreed) = agreement_at(&case, place)?;
            if *offer.provider() != partner.origin {
                return Err(AssistError::NotYours(offer.provider().country().to_string()));
            }
            let answers = match step {
                AgreementStep::Acknowledge => agreed.retraction.clone().ok_or(AssistError::Unknown)?,
                AgreementStep::Countersign
                | AgreementStep::Decline { .. }
                | AgreementStep::End { .. }
                | AgreementStep::Accept { .. }
                | AgreementStep::Retract { .. } => agreed.place.clone(),
            };
            (answers, RelayedWord::Agreement(step.clone()))
        }
    };
    Ok((partner, said))
}

/// A confirmed partner that has no node. Whoever has one speaks for itself.
fn without_node(work: &Work<'_, '_>, name: &str) -> Result<PartnerRow, AssistError> {
    let found = partner::find(work.tx, name).ok();
    let row = found.filter(|row| matches!(row.state, PartnerState::Active | PartnerState::Held));
    let row = row.ok_or_else(|| AssistError::NoPartner(name.chars().take(100).collect()))?;
    if row.reach == Reach::Node {
        return Err(AssistError::HasNode(row.name));
    }
    Ok(row)
}

fn made(
    work: &mut Work<'_, '_>,
    partner: &PartnerRow,
    (answers, said): (Citation, RelayedWord),
    source: &Source,
    how: &Written,
    by: &str,
) -> Result<Relayed, AssistError> {
    let said_at = source.said_at.unwrap_or(work.now);
    if said_at > work.now {
        return Err(AssistError::Field("`said_at` is not in the future".to_owned()));
    }
    Ok(Relayed {
        common: speak::common::<Relayed>(work)?,
        partner: partner.origin.clone(),
        partner_name: partner.name.clone(),
        answers,
        way: how.way,
        said_by: source.said_by.clone(),
        said_at,
        taken_by: by.to_owned(),
        read_back: (how.way == RelayWay::Telephone).then_some(work.now),
        original: how.original,
        signed_with: how.signed_with.clone(),
        said,
    })
}

fn read_back(here: &str, relayed: &Relayed) -> String {
    let Relayed { partner_name, said_by, said, .. } = relayed;
    format!(
        "This is {here}. You are {said_by}, and you speak for {partner_name}. I have taken down:\n{}Is every word of that \
         right?\n",
        letter::answer(said)
    )
}
