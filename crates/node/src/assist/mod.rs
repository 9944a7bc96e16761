//! Assist: a nation asks for help, partners answer, both agree, somebody is on the case (workflows §3).
//!
//! A command appends its statement, folds the whole case again with it, and is refused as a whole if the fold gives it no
//! effect: so the rules stand once, in `domain::assist`, for our own commands and for what partners say.

pub mod capacity;
pub mod evidence;
pub mod gather;
pub mod mandate;
pub mod note;
mod prefill;
pub mod relay;
pub mod reserve;
pub mod sealed;
mod speak;

use domain::assist::case::{AgreementCase, Case, OfferCase, RequestState};
use domain::assist::{InvalidTransition, Word};
use model::commit::Act;
use model::extension::assistance::{
    Acknowledgement, AgreedLine, Agreement, AgreementStep, Answer, Funding, LegalBasis, Line, Mission, MissionPhase,
    Offer, OfferLine, Payer, Quantity, Request, RequestLine, RequestPhase, Sector, Severity,
};
use model::{Citation, Index, Timestamp, Tlp};
use store::StoreError;

use crate::append::Appended;
use crate::audience::{AudienceError, Choice};
use crate::commit::{self, CommitError, Signature};
use crate::work::Work;

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum AssistError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audience.
    #[error(transparent)]
    Audience(#[from] AudienceError),
    /// Who signs it.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Not there, or not opened to this node: one answer.
    #[error("there is no such call for help here: list them with `entraide assist list`")]
    Unknown,
    /// A field is out of its range.
    #[error("{0}")]
    Field(String),
    /// Partners can't offer to it.
    #[error("a request to the Reserve goes to the single point of contact and ENISA: partners can't offer to it")]
    Reserve,
    /// It is closed, withdrawn or lapsed.
    #[error("the call for help is {0}: call them before you do anything")]
    NotOpen(&'static str),
    /// The offer can't be accepted now.
    #[error("the offer is {0}: ask for a new one")]
    OfferGone(&'static str),
    /// What was offered for a line no longer fits its need.
    #[error("line {0} has changed since it was offered: ask the provider to confirm it")]
    Stale(Line),
    /// Somebody else's part.
    #[error("this is for {0} to say")]
    NotYours(String),
    /// The joint state has no place for it.
    #[error("it would have no effect: {0}")]
    NoEffect(InvalidTransition),
    /// The law wants it kept.
    #[error("the law wants it kept ({0}): it is neither destroyed nor given away")]
    Kept(String),
    /// The depot of sealed files.
    #[error(transparent)]
    Depot(#[from] crate::depot::DepotError),
    /// Not all of a sealed file is there.
    #[error("the sealed file is not whole: {0}")]
    Incomplete(String),
    /// Nobody has said that it is taken out.
    #[error("say first that you take it out: `entraide evidence fetch` does")]
    Unfetched,
    /// The partner whose file it is does not give it.
    #[error("{0}")]
    Elsewhere(String),
    /// The sealed file is no more.
    #[error("its sealed bytes are not there any more: ask its owner to put them in again")]
    Gone,
    /// Evidence is still here.
    #[error("evidence is neither returned nor destroyed ({0}): say what became of it before the mission is closed")]
    EvidenceOut(String),
    /// No capacity of ours.
    #[error("there is no such capacity here: list them with `entraide capacity list`")]
    NoCapacity,
    /// No such draft, or too old.
    #[error(
        "there is no draft {0}: what was said over the telephone waits an hour to be confirmed; take it down again"
    )]
    NoDraft(i64),
    /// Nobody of that name is reached without a node.
    #[error("`{0}` is no confirmed partner: list them with `entraide partner list`")]
    NoPartner(String),
    /// It speaks for itself.
    #[error("{0} has a node and says itself what it says: nothing is taken down for it")]
    HasNode(String),
    /// No dossier of ours.
    #[error("there is no such dossier here: list them with `entraide reserve list`")]
    NoDossier,
    /// RED is opened to no node.
    #[error("a card is for partners: choose another label than TLP:RED")]
    RedCard,
    /// A capacity would be promised twice, or beyond its calendar.
    #[error("{0}")]
    Unbooked(String),
    /// RED is opened to no node.
    #[error("a call for help is for partners: choose another label than TLP:RED")]
    Red,
}

/// A new call for help. What is left out has the value with which a flash request goes out at night.
#[derive(Debug, Clone)]
pub struct Ask {
    /// One line in English.
    pub title: String,
    /// Whom to call.
    pub call: String,
    /// By when somebody must be on the case.
    pub by_when: Timestamp,
    /// Under which law.
    pub basis: LegalBasis,
    /// Who pays.
    pub funding: Funding,
    /// Is life or health at risk?
    pub life_at_risk: bool,
    /// Signed by one person in an emergency.
    pub emergency: bool,
    /// How severe it is, if that is stated.
    pub severity: Option<Severity>,
    /// Is an essential entity hit?
    pub essential: bool,
    /// The sectors of those that are hit.
    pub sectors: Vec<Sector>,
    /// What happened, entities by sector and never by name.
    pub situation: Option<String>,
    /// What was done already.
    pub mitigation: Option<String>,
    /// Answer by then.
    pub answer_by: Option<Timestamp>,
    /// It lapses then; `None` is as late as may be.
    pub expires: Option<Timestamp>,
    /// What is needed.
    pub lines: Vec<RequestLine>,
    /// Who may see it.
    pub tlp: Tlp,
    /// To whom.
    pub audience: Choice,
}

/// An answer to a call for help.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Yes, maybe, no, or taken back.
    pub answer: Answer,
    /// Whom to call.
    pub call: String,
    /// Who pays.
    pub payer: Payer,
    /// How soon we may call our people home, hours.
    pub recall_hours: Option<u16>,
    /// It may be accepted until then; `None` is until the request wants somebody on the case, at least an hour.
    pub valid_until: Option<Timestamp>,
    /// What else is to be said.
    pub note: Option<String>,
    /// What is offered; with *yes* and no lines what `from` says.
    pub lines: Vec<OfferLine>,
    /// With *yes* and no lines: from where the lines come.
    pub from: From,
}

/// From where the lines of an offer come that nobody has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum From {
    /// Everything that is asked, from wherever it comes: one tap.
    #[default]
    Asked,
    /// What these own capacities can fill.
    Capacities(Vec<Citation>),
    /// What all own capacities can fill, as matching proposes.
    Matched,
}

/// A statement of ours, and the call for help that it belongs to.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// Where it went.
    pub appended: Appended,
    /// Where the newest version of the request stands.
    pub request: Citation,
}

/// Asks for help: the request goes out to its audience.
///
/// # Errors
/// See [`AssistError`]; nothing is said then.
pub fn ask(work: &mut Work<'_, '_>, ask: &Ask, signature: &Signature) -> Result<Spoken, AssistError> {
    if ask.tlp == Tlp::Red {
        return Err(AssistError::Red);
    }
    commit::suffices(work, Act::Ask, signature)?;
    let year = work.now.year();
    let number = work.tx.allocate(&format!("assistance-request-{year}"))?;
    let common = speak::signed::<Request>(work, signature)?;
    let latest = common.created.plus_seconds(model::limits::REQUEST_SECONDS);
    let request = Request {
        number: format!("{}-{year}-{number:03}", work.me.origin.country()),
        title: ask.title.clone(),
        phase: RequestPhase::Open,
        call: ask.call.clone(),
        by_when: ask.by_when,
        basis: ask.basis,
        funding: ask.funding,
        life_at_risk: ask.life_at_risk,
        emergency: ask.emergency || signature.is_emergency(),
        severity: ask.severity,
        essential: ask.essential,
        sectors: ask.sectors.clone(),
        situation: ask.situation.clone(),
        mitigation: ask.mitigation.clone(),
        answer_by: ask.answer_by,
        expires: ask.expires.unwrap_or(latest),
        lines: ask.lines.clone(),
        common,
    };
    let target = crate::audience::resolve(work, &ask.audience, ask.tlp)?;
    let appended = speak::to(work, &target, ask.tlp, None, &request)?;
    Ok(Spoken { request: speak::place(work, &appended), appended })
}

/// Says a new version of an own request. `change` is what is new in it.
///
/// # Errors
/// It is not ours, or a field is out of its range.
pub fn amend(
    work: &mut Work<'_, '_>,
    place: &Citation,
    signature: &Signature,
    change: impl FnOnce(&mut Request),
) -> Result<Spoken, AssistError> {
    commit::suffices(work, Act::Amend, signature)?;
    let case = own_case(work, place)?;
    let mut request = case.request.clone();
    change(&mut request);
    request.common = speak::later_version(work, &request.common, signature);
    request.emergency |= signature.is_emergency();
    let appended = speak::next_version(work, &request)?;
    Ok(Spoken { request: speak::place(work, &appended), appended })
}

/// Answers a call for help, or changes what was answered: one thread a provider.
///
/// # Errors
/// See [`AssistError`]; nothing is said then.
pub fn reply(
    work: &mut Work<'_, '_>,
    place: &Citation,
    reply: &Reply,
    signature: &Signature,
) -> Result<Spoken, AssistError> {
    let case = case_at(work, place)?;
    let owner = case.place.origin.clone();
    if owner == work.me.origin {
        return Err(AssistError::NotYours("a partner".to_owned()));
    }
    if case.request.basis == LegalBasis::Reserve {
        return Err(AssistError::Reserve);
    }
    let known = case.offers.iter().find(|offer| *offer.provider() == work.me.origin);
    if reply.answer == Answer::Yes {
        commit::suffices(work, Act::Offer, signature)?;
    }
    let taking_back = matches!(reply.answer, Answer::Withdrawn | Answer::No);
    if !taking_back {
        open_request(&case, work.now)?;
    }
    let lines = match (reply.answer, reply.lines.as_slice(), &reply.from) {
        (Answer::Yes, [], From::Asked) => everything(&case),
        (Answer::Yes, [], from @ (From::Capacities(_) | From::Matched)) => prefill::lines(work, &case, from)?,
        (_, given, From::Asked) => given.to_vec(),
        (_, _, From::Capacities(_) | From::Matched) => {
            let why = "capacities fill an offer of yes without lines: name them in the lines, or leave the lines out";
            return Err(AssistError::Field(why.to_owned()));
        }
    };
    if let Some(line) = lines.iter().find(|line| !case.request.lines.iter().any(|need| need.line == line.line)) {
        return Err(AssistError::Field(format!("the request has no line {}", line.line)));
    }
    let common = match known {
        Some(known) => speak::later_version(work, &known.offer.common, signature),
        None => speak::signed::<Offer>(work, signature)?,
    };
    let soonest = work.now.plus_seconds(3_600);
    let offer = Offer {
        request: case.place.clone(),
        answer: reply.answer,
        call: reply.call.clone(),
        payer: reply.payer,
        recall_hours: reply.recall_hours,
        valid_until: reply.valid_until.unwrap_or_else(|| case.request.by_when.max(soonest)),
        note: reply.note.clone(),
        lines,
        common,
    };
    let appended = match known {
        Some(_) => speak::next_version(work, &offer)?,
        None => speak::to_partner(work, &owner, &offer)?,
    };
    speak::took_effect(work, &case.place, &appended)?;
    capacity::booked(work, &appended, &offer.lines)?;
    Ok(Spoken { appended, request: case.place })
}

/// Accepts an offer: all that is left of it for the lines that are still needed, or the lines that are named.
///
/// # Errors
/// See [`AssistError`]; nothing is said then.
pub fn accept(
    work: &mut Work<'_, '_>,
    offer: &Citation,
    lines: &[AgreedLine],
    terms: Option<String>,
    (emergency, signature): (bool, &Signature),
) -> Result<Spoken, AssistError> {
    let case = own_case(work, offer)?;
    open_request(&case, work.now)?;
    // What was taken down for a partner stands in our own log, beside others': there the place itself is meant.
    let named = |known: &&OfferCase| match &known.relayed {
        Some(_) => known.place == *offer,
        None => known.provider() == &offer.origin,
    };
    let known = case.offers.iter().find(named).ok_or(AssistError::Unknown)?;
    if !known.is_open(work.now) {
        return Err(AssistError::OfferGone(gone(known)));
    }
    let lines = if lines.is_empty() { what_is_left(&case, known, work.now) } else { lines.to_vec() };
    if lines.is_empty() {
        return Err(AssistError::NoEffect(InvalidTransition::BeyondOffer));
    }
    for line in &lines {
        if known.stale.contains(&line.line) {
            return Err(AssistError::Stale(line.line));
        }
        if u32::from(line.quantity) > known.left(line.line) {
            return Err(AssistError::NoEffect(InvalidTransition::BeyondOffer));
        }
    }
    let provider = known.provider().clone();
    let answers = known.place.clone();
    let emergency = emergency || signature.is_emergency();
    let step = AgreementStep::Accept { lines, terms, emergency };
    say_step(work, &case.place, &provider, (answers, step), signature)
}

/// What may follow an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowUp {
    /// The provider signs: it is in force.
    Countersign,
    /// The provider does not sign.
    Decline(Option<String>),
    /// The requester takes its acceptance back.
    Retract(Option<String>),
    /// The provider has read the retraction: it takes effect.
    Acknowledge,
    /// The provider ends what is in force.
    End {
        /// Was everything done that was agreed?
        fulfilled: bool,
        /// Why, if it is said.
        reason: Option<String>,
    },
}

/// Takes the next step of an agreement, named by its acceptance.
///
/// # Errors
/// It is another party's step, or the joint state has no place for it; nothing is said then.
pub fn follow_up(
    work: &mut Work<'_, '_>,
    acceptance: &Citation,
    step: FollowUp,
    signature: &Signature,
) -> Result<Spoken, AssistError> {
    let case = case_at(work, acceptance)?;
    let (offer, agreed) = agreement_at(&case, acceptance)?;
    let (provider, owner) = (offer.provider().clone(), case.place.origin.clone());
    let (by, to) = match step {
        FollowUp::Retract(_) => (owner, provider),
        FollowUp::Countersign | FollowUp::Decline(_) | FollowUp::Acknowledge | FollowUp::End { .. } => {
            (provider, owner)
        }
    };
    if by != work.me.origin {
        return Err(AssistError::NotYours(by.country().to_string()));
    }
    let (answers, step) = match step {
        FollowUp::Countersign => (agreed.place.clone(), AgreementStep::Countersign),
        FollowUp::Decline(reason) => (agreed.place.clone(), AgreementStep::Decline { reason }),
        FollowUp::Retract(reason) => {
            if agreed.retraction.is_some() || agreed.state.is_over() {
                return Err(AssistError::NoEffect(InvalidTransition::TooLate));
            }
            (agreed.place.clone(), AgreementStep::Retract { reason })
        }
        FollowUp::Acknowledge => {
            let retraction = agreed.retraction.clone().ok_or(AssistError::NoEffect(InvalidTransition::Misplaced))?;
            (retraction, AgreementStep::Acknowledge)
        }
        FollowUp::End { fulfilled, reason } => (agreed.place.clone(), AgreementStep::End { fulfilled, reason }),
    };
    let signs = step == AgreementStep::Countersign;
    let spoken = say_step(work, &case.place, &to, (answers, step), signature)?;
    if signs {
        // What it takes may come from an earlier version of the offer: all that was ever drawn is looked at.
        capacity::booked_by_signing(work, &case, &spoken.appended)?;
    }
    Ok(spoken)
}

/// Says to whoever asks, and to nobody else, that somebody is awake for it.
///
/// # Errors
/// It is our own, or it is said already; nothing is said then.
pub fn acknowledge(work: &mut Work<'_, '_>, request: &Citation, at: Timestamp) -> Result<Spoken, AssistError> {
    if request.origin == work.me.origin {
        return Err(AssistError::NotYours("a partner".to_owned()));
    }
    let common = speak::common::<Acknowledgement>(work)?;
    let said = Acknowledgement { common, answers: request.clone(), at };
    let appended = speak::to_partner(work, &request.origin, &said)?;
    speak::took_effect(work, request, &appended)?;
    Ok(Spoken { appended, request: request.clone() })
}

/// What is new of a mission.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Where it stands.
    pub phase: MissionPhase,
    /// Who leads it; needed when it begins.
    pub leader: Option<String>,
    /// What was done, or the summary.
    pub report: Option<String>,
    /// Hours worked so far; `None` is as before.
    pub hours: Option<u32>,
    /// Cents of a euro so far; `None` is as before.
    pub cost_cents: Option<u64>,
}

/// Begins a mission under an agreement in force, or says how it goes on.
///
/// # Errors
/// There is no agreement in force, or the phase does not follow; nothing is said then.
pub fn mission(
    work: &mut Work<'_, '_>,
    acceptance: &Citation,
    new: &Progress,
    signature: &Signature,
) -> Result<Spoken, AssistError> {
    let case = case_at(work, acceptance)?;
    let (offer, agreed) = agreement_at(&case, acceptance)?;
    if *offer.provider() != work.me.origin {
        return Err(AssistError::NotYours(offer.provider().country().to_string()));
    }
    if new.phase == MissionPhase::Closed {
        evidence::settled(work, acceptance)?;
    }
    commit::suffices(work, Act::Mission, signature)?;
    let known = agreed.mission.as_ref().map(|known| &known.mission);
    let common = match known {
        Some(known) => speak::later_version(work, &known.common, signature),
        None => speak::signed::<Mission>(work, signature)?,
    };
    let leader = new.leader.clone().or_else(|| known.map(|known| known.leader.clone()));
    let mission = Mission {
        common,
        agreement: agreed.place.clone(),
        phase: new.phase,
        leader: leader.ok_or_else(|| AssistError::Field("say who leads the mission (`leader`)".to_owned()))?,
        report: new.report.clone(),
        hours: new.hours.or(known.map(|known| known.hours)).unwrap_or(0),
        cost_cents: new.cost_cents.or(known.map(|known| known.cost_cents)).unwrap_or(0),
    };
    let owner = case.place.origin.clone();
    let appended =
        if known.is_some() { speak::next_version(work, &mission)? } else { speak::to_partner(work, &owner, &mission)? };
    speak::took_effect(work, &case.place, &appended)?;
    Ok(Spoken { appended, request: case.place })
}

fn say_step(
    work: &mut Work<'_, '_>,
    request: &Citation,
    to: &model::Origin,
    (answers, step): (Citation, AgreementStep),
    signature: &Signature,
) -> Result<Spoken, AssistError> {
    let common = speak::signed::<Agreement>(work, signature)?;
    let said = Agreement { common, answers, step };
    if let Some(act) = domain::commit::act_of(&Word::Agreement(said.clone())) {
        commit::suffices(work, act, signature)?;
    }
    let appended = speak::to_partner(work, to, &said)?;
    speak::took_effect(work, request, &appended)?;
    Ok(Spoken { appended, request: request.clone() })
}

/// The whole case that a place belongs to, as this node holds it.
fn case_at(work: &Work<'_, '_>, place: &Citation) -> Result<Case, AssistError> {
    let log = work.tx.log_id(&place.origin)?.ok_or(AssistError::Unknown)?;
    let heard = gather::heard(work.tx, work.signer, log, place.index)?;
    let heard: Vec<_> = heard.into_iter().map(|(_, heard)| heard).collect();
    domain::assist::case::fold(&heard).ok_or(AssistError::Unknown)
}

fn own_case(work: &Work<'_, '_>, place: &Citation) -> Result<Case, AssistError> {
    let case = case_at(work, place)?;
    if case.place.origin != work.me.origin {
        return Err(AssistError::NotYours(case.place.origin.country().to_string()));
    }
    Ok(case)
}

fn agreement_at<'c>(case: &'c Case, acceptance: &Citation) -> Result<(&'c OfferCase, &'c AgreementCase), AssistError> {
    let all = case.offers.iter().flat_map(|offer| offer.agreements.iter().map(move |agreed| (offer, agreed)));
    all.into_iter().find(|(_, agreed)| agreed.place == *acceptance).ok_or(AssistError::Unknown)
}

fn open_request(case: &Case, now: Timestamp) -> Result<(), AssistError> {
    match case.state_at(now) {
        RequestState::Said(RequestPhase::Open | RequestPhase::Anticipated) => Ok(()),
        RequestState::Said(RequestPhase::Closed) => Err(AssistError::NotOpen("closed")),
        RequestState::Said(RequestPhase::Withdrawn) => Err(AssistError::NotOpen("withdrawn")),
        RequestState::Lapsed => Err(AssistError::NotOpen("lapsed")),
    }
}

fn gone(offer: &OfferCase) -> &'static str {
    match offer.offer.answer {
        Answer::Yes => "expired",
        Answer::Maybe => "a maybe: call them",
        Answer::No => "a no",
        Answer::Withdrawn => "taken back",
    }
}

/// Everything that is asked, as an offer of one tap.
fn everything(case: &Case) -> Vec<OfferLine> {
    let line = |need: &RequestLine| OfferLine {
        line: need.line,
        quantity: need.quantity,
        mode: need.mode,
        from: need.from,
        until: need.until,
        conditions: None,
        draws: Vec::new(),
    };
    case.request.lines.iter().map(line).collect()
}

/// What of an offer serves what is still missing.
fn what_is_left(case: &Case, offer: &OfferCase, now: Timestamp) -> Vec<AgreedLine> {
    let line = |need: &RequestLine| {
        let have = case.coverage(need, now);
        let missing = have.asked.saturating_sub(have.accepted + have.committed + have.fulfilled);
        let quantity = Quantity::try_from(missing.min(offer.left(need.line))).ok()?;
        Some(AgreedLine { line: need.line, quantity })
    };
    case.request.lines.iter().filter_map(line).collect()
}

/// A place of a log by its country and index, with what stands there.
///
/// # Errors
/// Nothing that was opened to this node stands there.
pub fn place_of(work: &Work<'_, '_>, name: model::EntryRef) -> Result<Citation, AssistError> {
    let log = match (name.country == work.me.origin.country(), work.tx.log_of_country(name.country)?.as_slice()) {
        (true, _) => work.me.log,
        (false, [one]) => *one,
        (false, _) => return Err(AssistError::Unknown),
    };
    let commitment = work.tx.commitment(log, name.index)?.ok_or(AssistError::Unknown)?;
    Ok(Citation { origin: work.tx.origin(log)?, index: Index(name.index.0), commitment })
}
