//! What `/assistance` answers: a case as a row, and a case whole. Where it is my turn, it says so.

use domain::assist::agreement::{Notice, State};
use domain::assist::case::{self, AgreementCase, MissionCase, OfferCase, RequestState};
use domain::assist::room::RoomWord;
use domain::assist::{Heard, Word};
use model::extension::Signatures;
use model::extension::assistance::{
    AgreementStep, Answer, LegalBasis, MissionPhase, RelayedWord, RequestLine, RequestPhase,
};
use model::{Citation, EntryRef, Origin, Timestamp};
use node::query::assist::Shown;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::mandates::MandateRow;

/// A call for help in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseRow {
    /// Its newest version: `FR:12`.
    pub entry: String,
    /// Its number for people: `FR-2026-004`.
    pub number: String,
    /// Who asks.
    pub owner: String,
    /// One line: what is wrong and what is wanted.
    pub name: String,
    /// `anticipated`, `open`, `closed`, `withdrawn` or `lapsed`.
    pub state: &'static str,
    /// Its label: `clear`, `green`, `amber` or `amber+strict`.
    pub tlp: String,
    /// Under which law.
    pub basis: &'static str,
    /// When it was first said.
    pub asked: String,
    /// By when somebody must be on the case.
    pub by_when: String,
    /// Answer by then.
    pub answer_by: Option<String>,
    /// It lapses then.
    pub expires: String,
    /// Is life or health at risk?
    pub life_at_risk: bool,
    /// What is needed, and how far it is covered.
    pub needs: Vec<NeedRow>,
    /// Who has answered, and how far that goes.
    pub helpers: Vec<Helper>,
    /// What this node can say next: entries and steps.
    pub next: Vec<NextStep>,
    /// What was said last, the oldest first: at most eight statements.
    pub news: Vec<SaidRow>,
    /// Lines of the request.
    pub lines: usize,
    /// Of those, the ones with enough in force or done.
    pub covered: usize,
    /// Offers of *yes* that can be accepted now.
    pub offers: usize,
}

/// A call for help whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Case {
    /// As in a list.
    #[serde(flatten)]
    pub row: CaseRow,
    /// Versions of the request so far.
    pub versions: usize,
    /// Whom to call.
    pub call: String,
    /// Who pays.
    pub funding: &'static str,
    /// Signed by one person in an emergency.
    pub emergency: bool,
    /// What happened.
    pub situation: Option<String>,
    /// What was done already.
    pub mitigation: Option<String>,
    /// Partners of whom somebody is awake for it.
    pub awake: Vec<AwakeRow>,
    /// The answers.
    pub answers: Vec<OfferRow>,
    /// What was said, the oldest first.
    pub timeline: Vec<SaidRow>,
    /// Statements that have no effect, and why.
    pub without_effect: Vec<NoEffect>,
    /// Entries that are cited and not here: what is shown is then not the whole.
    pub missing: Vec<String>,
}

/// Somebody who has answered a call for help, and how far that goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Helper {
    /// Whose answer.
    pub country: String,
    /// `yes`, `maybe`, `no`, `withdrawn` or `expired`; `accepted`, `agreed` or `on-mission` once it goes further; `ended`.
    pub stage: &'static str,
    /// Where the mission stands, if there is one.
    pub phase: Option<&'static str>,
    /// Until when a *yes* can be accepted.
    pub valid_until: Option<String>,
    /// Was the answer taken down for a partner without a node?
    pub relayed: bool,
}

/// What a row tells of its past: what a watch has time to read.
const NEWS: usize = 8;

/// One statement of the case.
#[derive(Debug, Serialize, ToSchema)]
pub struct SaidRow {
    /// Where it stands: `EE:7`.
    pub entry: String,
    /// Whose word: the country of the log, or of the partner without a node whose word was taken down.
    pub owner: String,
    /// Was it taken down for a partner without a node?
    pub relayed: bool,
    /// `asked`, `changed`, `closed`, `request-withdrawn`; `yes`, `maybe`, `no`, `withdrawn`; `accepted`, `signed`, `declined`,
    /// `retracted`, `acknowledged`, `ended`; `mission`; `mandate`, `helpers`; `awake`; in the case room `note`, `evidence`,
    /// `custody`.
    pub what: &'static str,
    /// Of a mission or a mandate: which phase.
    pub phase: Option<&'static str>,
    /// When its owner says that it was said.
    pub at: String,
    /// What the log commits to.
    pub commitment: String,
    /// What it answers.
    pub answers: Option<String>,
    /// Who signed it, where two persons or an authority are asked for.
    pub signed: Option<SignedOf>,
}

/// Who signed a statement for its nation.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedOf {
    /// Their names.
    pub by: Vec<String>,
    /// The standing authority within which one signed alone.
    pub authority: Option<String>,
    /// Why one signed alone, in an emergency.
    pub emergency: Option<String>,
}

impl From<&Signatures> for SignedOf {
    fn from(signed: &Signatures) -> Self {
        let Signatures { by, authority, emergency } = signed.clone();
        Self { by, authority, emergency }
    }
}

/// Somebody of a partner is awake for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AwakeRow {
    /// Where it says so.
    pub entry: String,
    /// Whose.
    pub country: String,
    /// Since when.
    pub at: String,
}

/// One need and how far it is covered.
#[derive(Debug, Serialize, ToSchema)]
pub struct NeedRow {
    /// Its number.
    pub line: u16,
    /// What kind of help.
    pub kind: &'static str,
    /// `remote`, `on-site` or `either`.
    pub mode: &'static str,
    /// Where.
    pub place: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// What it is for.
    pub planned_use: Option<String>,
    /// 1 first … 5 last.
    pub priority: u8,
    /// Wanted.
    pub asked: u32,
    /// Still to be had from those who offer.
    pub offered: u32,
    /// Accepted, and not signed yet.
    pub accepted: u32,
    /// In force.
    pub committed: u32,
    /// Done.
    pub fulfilled: u32,
}

/// One provider's answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferRow {
    /// Its newest version.
    pub entry: String,
    /// Whose.
    pub provider: String,
    /// `yes`, `maybe`, `no`, `withdrawn`, or `expired`.
    pub answer: &'static str,
    /// Whom to call.
    pub call: String,
    /// Who pays.
    pub payer: &'static str,
    /// How soon they may call their people home, hours.
    pub recall_hours: Option<u16>,
    /// It may be accepted until then.
    pub valid_until: String,
    /// What else is said.
    pub note: Option<String>,
    /// What is offered.
    pub lines: Vec<OfferedLine>,
    /// What was accepted of it.
    pub agreements: Vec<AgreementRow>,
    /// Of a partner without a node: how its answer was taken down.
    pub relayed: Option<RelayedRow>,
}

/// How the answer of a partner without a node was taken down. It is our word that they said it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RelayedRow {
    /// The partner's name for people.
    pub partner: String,
    /// `telephone`, `link`, `pgp-mail` or `smime-mail`.
    pub way: &'static str,
    /// Who said it there.
    pub said_by: String,
    /// When.
    pub said_at: String,
    /// Who took it down here.
    pub taken_by: String,
}

/// What is offered for a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedLine {
    /// The line.
    pub line: u16,
    /// How many.
    pub quantity: u32,
    /// Of those, how many are still to be had.
    pub left: u32,
    /// `remote`, `on-site` or `either`.
    pub mode: &'static str,
    /// On what conditions.
    pub conditions: Option<String>,
    /// Has the need changed since?
    pub stale: bool,
}

/// One acceptance and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgreementRow {
    /// The acceptance.
    pub entry: String,
    /// `proposed`, `in force`, `declined`, `lapsed`, `retracted`, `ended`, `terminated`.
    pub state: &'static str,
    /// Who has given notice, while it is in force: `provider` or `requester`.
    pub notice: Option<&'static str>,
    /// The provider's countersignature.
    pub signed: Option<String>,
    /// Which lines, and how much of them.
    pub lines: Vec<TakenLine>,
    /// What was settled beyond the offer.
    pub terms: Option<String>,
    /// Does paper follow?
    pub emergency: bool,
    /// Who is on the case.
    pub mission: Option<MissionRow>,
    /// What helpers may touch.
    pub mandates: Vec<MandateRow>,
}

/// What was taken of a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenLine {
    /// The line.
    pub line: u16,
    /// How many.
    pub quantity: u32,
}

/// A mission.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissionRow {
    /// Its newest version.
    pub entry: String,
    /// Where it stands.
    pub phase: &'static str,
    /// Who leads it.
    pub leader: String,
    /// When somebody was first on the case.
    pub on_task: Option<String>,
    /// What was done.
    pub report: Option<String>,
    /// Hours worked.
    pub hours: u32,
    /// Cents of a euro.
    pub cost_cents: u64,
}

/// What this node can say next.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextStep {
    /// Of which statement.
    pub entry: String,
    /// `reply`, `accept`, `countersign`, `acknowledge`, `mission`, `end`, `close`.
    pub step: &'static str,
}

/// A statement without effect.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoEffect {
    /// Which.
    pub entry: String,
    /// Why.
    pub why: String,
}

fn entry(place: &Citation) -> String {
    EntryRef::of(&place.origin, place.index).to_string()
}

const fn state_word(state: RequestState) -> &'static str {
    match state {
        RequestState::Said(RequestPhase::Anticipated) => "anticipated",
        RequestState::Said(RequestPhase::Open) => "open",
        RequestState::Said(RequestPhase::Closed) => "closed",
        RequestState::Said(RequestPhase::Withdrawn) => "withdrawn",
        RequestState::Lapsed => "lapsed",
    }
}

const fn phase_word(phase: MissionPhase) -> &'static str {
    match phase {
        MissionPhase::Ordered => "ordered",
        MissionPhase::Mobilising => "mobilising",
        MissionPhase::Travelling => "travelling",
        MissionPhase::OnTask => "on task",
        MissionPhase::Handover => "handover",
        MissionPhase::Demobilising => "demobilising",
        MissionPhase::Reporting => "reporting",
        MissionPhase::Closed => "closed",
        MissionPhase::Aborted => "aborted",
    }
}

impl CaseRow {
    /// A released case as a row.
    #[must_use]
    pub fn of(shown: &Shown, here: &Origin, now: Timestamp) -> Self {
        let case = &shown.case;
        let request = &case.request;
        let covered = request.lines.iter().filter(|line| {
            let have = case.coverage(line, now);
            have.committed + have.fulfilled >= have.asked
        });
        Self {
            entry: entry(&case.place),
            number: request.number.clone(),
            owner: case.place.origin.country().to_string(),
            name: request.title.clone(),
            state: state_word(case.state_at(now)),
            tlp: shown.tlp.word().to_ascii_lowercase(),
            basis: request.basis.word(),
            asked: request.common.created.to_string(),
            by_when: request.by_when.to_string(),
            answer_by: request.answer_by.map(|at| at.to_string()),
            expires: request.expires.to_string(),
            life_at_risk: request.life_at_risk,
            needs: request.lines.iter().map(|line| need(case, line, now)).collect(),
            helpers: case.offers.iter().map(|offer| helper(offer, now)).collect(),
            next: next(case, here, now),
            news: timeline(&shown.said).split_off(shown.said.len().saturating_sub(NEWS)),
            lines: request.lines.len(),
            covered: covered.count(),
            offers: case.offers.iter().filter(|offer| offer.is_open(now)).count(),
        }
    }
}

impl Case {
    /// A released case whole, as the node `here` shows it.
    #[must_use]
    pub fn of(shown: &Shown, here: &Origin, now: Timestamp) -> Self {
        let case = &shown.case;
        let request = &case.request;
        let unfit = |(place, why): &(Citation, domain::assist::InvalidTransition)| NoEffect {
            entry: entry(place),
            why: why.to_string(),
        };
        let missing = |(origin, index): &(Origin, model::Index)| EntryRef::of(origin, *index).to_string();
        Self {
            row: CaseRow::of(shown, here, now),
            versions: case.versions,
            call: request.call.clone(),
            funding: request.funding.word(),
            emergency: request.emergency,
            situation: request.situation.clone(),
            mitigation: request.mitigation.clone(),
            awake: case.awake.iter().map(awake).collect(),
            answers: case.offers.iter().map(|offer| offer_row(offer, here, now)).collect(),
            timeline: timeline(&shown.said),
            without_effect: case.unfit.iter().map(unfit).collect(),
            missing: case.missing.iter().map(missing).collect(),
        }
    }
}

fn helper(offer: &OfferCase, now: Timestamp) -> Helper {
    let mission = |agreed: &AgreementCase| agreed.mission.as_ref().map(|known| phase_word(known.mission.phase));
    let in_force = offer.agreements.iter().find(|agreed| agreed.state.is_in_force());
    let stage = match in_force {
        Some(agreed) if agreed.mission.is_some() => "on-mission",
        Some(_) => "agreed",
        None if offer.agreements.iter().any(|agreed| agreed.state == State::Proposed) => "accepted",
        None if offer.agreements.iter().any(|agreed| matches!(agreed.state, State::Ended { .. })) => "ended",
        None => answer_word(offer, now),
    };
    let valid_until = offer.is_open(now).then(|| offer.offer.valid_until.to_string());
    Helper {
        country: offer.provider().country().to_string(),
        stage,
        phase: in_force.and_then(mission),
        valid_until,
        relayed: offer.relayed.is_some(),
    }
}

fn answer_word(case: &OfferCase, now: Timestamp) -> &'static str {
    match case.offer.answer {
        Answer::Yes if case.is_open(now) => "yes",
        Answer::Yes => "expired",
        Answer::Maybe => "maybe",
        Answer::No => "no",
        Answer::Withdrawn => "withdrawn",
    }
}

/// What was said, by the times that its owners give; at one time in the order of arrival.
fn timeline(said: &[Heard]) -> Vec<SaidRow> {
    let mut rows: Vec<(Timestamp, SaidRow)> = said.iter().map(said_row).collect();
    rows.sort_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn said_row(heard: &Heard) -> (Timestamp, SaidRow) {
    let (common, what, phase) = match &heard.word {
        Word::Request(request) => {
            let first = request.common.created == request.common.modified;
            let what = match request.phase {
                RequestPhase::Open | RequestPhase::Anticipated => {
                    if first {
                        "asked"
                    } else {
                        "changed"
                    }
                }
                RequestPhase::Closed => "closed",
                RequestPhase::Withdrawn => "request-withdrawn",
            };
            (&request.common, what, None)
        }
        Word::Offer(offer) => (&offer.common, given_word(offer.answer), None),
        Word::Agreement(agreement) => (&agreement.common, step_word(&agreement.step), None),
        Word::Relayed(said) => {
            let what = match &said.said {
                RelayedWord::Offer(offer) => given_word(offer.answer),
                RelayedWord::Agreement(step) => step_word(step),
            };
            (&said.common, what, None)
        }
        Word::Room(RoomWord::Note(note)) => (&note.common, "note", None),
        Word::Room(RoomWord::Artefact(artefact)) => (&artefact.common, "evidence", None),
        Word::Room(RoomWord::Custody(custody)) => (&custody.common, "custody", None),
        Word::Mission(mission) => (&mission.common, "mission", Some(phase_word(mission.phase))),
        Word::Mandate(mandate) => (&mandate.common, "mandate", Some(mandate.phase.word())),
        Word::Helpers(said) => (&said.common, "helpers", None),
        Word::Acknowledgement(said) => (&said.common, "awake", None),
    };
    let row = SaidRow {
        entry: entry(&heard.place),
        owner: speaker(heard).country().to_string(),
        relayed: speaker(heard) != &heard.place.origin,
        what,
        phase,
        at: common.modified.to_string(),
        commitment: heard.place.commitment.to_string(),
        answers: heard.word.answers().map(entry),
        signed: common.signatures.as_ref().map(SignedOf::from),
    };
    (common.modified, row)
}

const fn given_word(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::Maybe => "maybe",
        Answer::No => "no",
        Answer::Withdrawn => "withdrawn",
    }
}

const fn step_word(step: &AgreementStep) -> &'static str {
    match step {
        AgreementStep::Accept { .. } => "accepted",
        AgreementStep::Countersign => "signed",
        AgreementStep::Decline { .. } => "declined",
        AgreementStep::Retract { .. } => "retracted",
        AgreementStep::Acknowledge => "acknowledged",
        AgreementStep::End { .. } => "ended",
    }
}

/// Whose word it is: of what was relayed, that of the partner without a node.
fn speaker(heard: &Heard) -> &Origin {
    match &heard.word {
        Word::Relayed(said) => &said.partner,
        Word::Request(_)
        | Word::Offer(_)
        | Word::Agreement(_)
        | Word::Mission(_)
        | Word::Mandate(_)
        | Word::Helpers(_)
        | Word::Room(_)
        | Word::Acknowledgement(_) => &heard.place.origin,
    }
}

fn awake(awake: &case::Awake) -> AwakeRow {
    let country = awake.place.origin.country().to_string();
    AwakeRow { entry: entry(&awake.place), country, at: awake.at.to_string() }
}

fn need(case: &case::Case, line: &RequestLine, now: Timestamp) -> NeedRow {
    let have = case.coverage(line, now);
    NeedRow {
        line: line.line.into(),
        kind: line.kind.word(),
        mode: line.mode.word(),
        place: line.place.clone(),
        until: line.until.map(|at| at.to_string()),
        planned_use: line.planned_use.clone(),
        priority: line.priority,
        asked: have.asked,
        offered: have.offered,
        accepted: have.accepted,
        committed: have.committed,
        fulfilled: have.fulfilled,
    }
}

fn offer_row(case: &OfferCase, here: &Origin, now: Timestamp) -> OfferRow {
    let offer = &case.offer;
    let line = |line: &model::extension::assistance::OfferLine| OfferedLine {
        line: line.line.into(),
        quantity: line.quantity.into(),
        left: case.left(line.line),
        mode: line.mode.word(),
        conditions: line.conditions.clone(),
        stale: case.stale.contains(&line.line),
    };
    OfferRow {
        entry: entry(&case.place),
        provider: case.provider().country().to_string(),
        answer: answer_word(case, now),
        call: offer.call.clone(),
        payer: offer.payer.word(),
        recall_hours: offer.recall_hours,
        valid_until: offer.valid_until.to_string(),
        note: offer.note.clone(),
        lines: offer.lines.iter().map(line).collect(),
        agreements: case.agreements.iter().map(|agreed| agreement_row(case, agreed, here, now)).collect(),
        relayed: case.relayed.as_ref().map(|by| RelayedRow {
            partner: by.name.clone(),
            way: by.way.word(),
            said_by: by.said_by.clone(),
            said_at: by.said_at.to_string(),
            taken_by: by.taken_by.clone(),
        }),
    }
}

fn agreement_row(offer: &OfferCase, agreed: &AgreementCase, here: &Origin, now: Timestamp) -> AgreementRow {
    let mandate = |known| MandateRow::of(offer, agreed, known, here, now);
    let notice = agreed.notice().map(|notice| match notice {
        Notice::Provider => "provider",
        Notice::Requester => "requester",
    });
    let line = |line: &model::extension::assistance::AgreedLine| TakenLine {
        line: line.line.into(),
        quantity: line.quantity.into(),
    };
    AgreementRow {
        entry: entry(&agreed.place),
        state: agreed.state.word(),
        notice,
        signed: agreed.signed.as_ref().map(entry),
        lines: agreed.lines.iter().map(line).collect(),
        terms: agreed.terms.clone(),
        emergency: agreed.emergency,
        mission: agreed.mission.as_ref().map(mission_row),
        mandates: agreed.mandates.iter().map(mandate).collect(),
    }
}

fn mission_row(known: &MissionCase) -> MissionRow {
    let mission = &known.mission;
    MissionRow {
        entry: entry(&known.place),
        phase: phase_word(mission.phase),
        leader: mission.leader.clone(),
        on_task: known.on_task.map(|at| at.to_string()),
        report: mission.report.clone(),
        hours: mission.hours,
        cost_cents: mission.cost_cents,
    }
}

/// Whose turn is it, and for what? Only what this node would be allowed to say now.
fn next(case: &case::Case, here: &Origin, now: Timestamp) -> Vec<NextStep> {
    let mut steps = Vec::new();
    let mut say = |place: &Citation, step: &'static str| steps.push(NextStep { entry: entry(place), step });
    let asks = case.place.origin == *here;
    let open = matches!(case.state_at(now), RequestState::Said(RequestPhase::Open | RequestPhase::Anticipated));
    if open && asks && case.is_covered(now) {
        say(&case.place, "close");
    }
    // What goes to the Reserve goes to private providers: no partner can offer to it (Reg. (EU) 2025/38 Art 15(3)).
    let for_partners = case.request.basis != LegalBasis::Reserve;
    if open && !asks && for_partners && !case.offers.iter().any(|offer| offer.provider() == here) {
        say(&case.place, "reply");
    }
    for offer in &case.offers {
        let needed = |line: &RequestLine| {
            let have = case.coverage(line, now);
            have.asked > have.accepted + have.committed + have.fulfilled
                && offer.left(line.line) > 0
                && !offer.stale.contains(&line.line)
        };
        if asks && open && offer.is_open(now) && case.request.lines.iter().any(needed) {
            say(&offer.place, "accept");
        }
        if offer.provider() != here {
            continue;
        }
        for agreed in &offer.agreements {
            match (agreed.state, &agreed.retraction) {
                (State::Proposed | State::InForce { .. }, Some(_)) => say(&agreed.place, "acknowledge"),
                (State::Proposed, None) => say(&agreed.place, "countersign"),
                (State::InForce { .. }, None) => match &agreed.mission {
                    Some(known) if known.mission.phase >= MissionPhase::Closed => say(&agreed.place, "end"),
                    Some(_) | None => say(&agreed.place, "mission"),
                },
                (State::Declined | State::Lapsed | State::Retracted | State::Ended { .. }, _) => {}
            }
        }
    }
    steps
}
