//! The API's answers as far as the command line shows them (the contract is `crates/http/openapi.json`).

use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) mod keeping;

/// A list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) origin: String,
    pub(super) name: String,
    pub(super) now: String,
    pub(super) clock: Option<Clock>,
    pub(super) log: Log,
    pub(super) objects: u64,
    pub(super) intake: Intake,
    pub(super) partners: Vec<Partner>,
    pub(super) evidence: Vec<Evidence>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Clock {
    pub(super) shows: String,
    pub(super) behind: u64,
    pub(super) jumped: u64,
}

impl Clock {
    /// What an operator should know of it.
    pub(super) fn words(&self) -> String {
        let Self { shows, behind, jumped } = self;
        let what = if *behind > 0 {
            format!("is {behind} s behind the time that the node goes by")
        } else {
            format!("jumped {jumped} s forward, or the machine slept")
        };
        format!(
            "the machine shows {shows} and {what}: compare it, set it right (NTP), then run `entraide clock accept`"
        )
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ClockAccepted {
    pub(super) now: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Log {
    pub(super) state: String,
    pub(super) why: Option<String>,
    pub(super) size: u64,
    pub(super) witnessed: Option<u64>,
    pub(super) witnesses: usize,
    pub(super) threshold: usize,
    pub(super) stamped: Option<u64>,
    pub(super) stamped_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Recovery {
    pub(super) state: String,
    pub(super) why: Option<String>,
    pub(super) mark: Option<u64>,
    pub(super) unknown: bool,
    pub(super) size: u64,
    pub(super) needs: Option<u64>,
    pub(super) partners: Vec<Holding>,
    pub(super) lost: Vec<LostRange>,
    pub(super) proposal: Option<LogProposal>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Holding {
    pub(super) country: String,
    pub(super) at: Option<String>,
    pub(super) held: Option<u64>,
    pub(super) why: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LostRange {
    pub(super) first: u64,
    pub(super) count: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct LogProposal {
    pub(super) decision: String,
    pub(super) by: String,
    pub(super) at: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct DecisionTaken {
    pub(super) outcome: String,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Witnesses {
    pub(super) items: Vec<Witness>,
    pub(super) threshold: usize,
    pub(super) witnessed: Option<u64>,
    pub(super) at: Option<String>,
    pub(super) keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Witness {
    pub(super) country: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) size: Option<u64>,
    pub(super) at: Option<String>,
    pub(super) why: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    pub(super) witnesses: Vec<String>,
    pub(super) threshold: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Intake {
    pub(super) new: u64,
    pub(super) asserted: u64,
    pub(super) conflict: u64,
    pub(super) dismissed: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Partner {
    pub(super) successor: Option<Successor>,
    pub(super) origin: String,
    pub(super) country: String,
    pub(super) name: String,
    pub(super) class: String,
    pub(super) state: String,
    pub(super) address: String,
    pub(super) words: Option<String>,
    pub(super) held_reason: Option<String>,
    pub(super) size: u64,
    pub(super) objects: u64,
    pub(super) lag: Lag,
    pub(super) behind_us: u64,
    pub(super) incomplete: Vec<Incomplete>,
    pub(super) beyond: Vec<Beyond>,
}

/// What another says that it was shown, and we were not.
#[derive(Debug, Deserialize)]
pub(super) struct Beyond {
    pub(super) by: String,
    pub(super) more: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Successor {
    pub(super) origin: String,
    pub(super) words: String,
    pub(super) says: String,
}

impl Partner {
    /// How we stand with it, in words.
    pub(super) fn standing(&self) -> String {
        if self.state != "active" {
            let reason = self.held_reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            return format!("{}{reason}", self.state.replace('-', " "));
        }
        let why = self.lag.why.as_deref().unwrap_or("no answer yet");
        match self.lag.state.as_str() {
            "in-step" => "in step".to_owned(),
            "no-node" => format!("no node: {}", self.lag.why.as_deref().unwrap_or_default()),
            "behind" => format!("{} behind", self.lag.entries.unwrap_or(0)),
            "not-heard" => match &self.lag.heard {
                Some(heard) => format!("not heard since {heard}: {why}"),
                None => format!("not heard: {why}"),
            },
            "held" => format!("held: {why}"),
            other => other.to_owned(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Lag {
    pub(super) state: String,
    pub(super) entries: Option<u64>,
    pub(super) heard: Option<String>,
    pub(super) why: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Incomplete {
    pub(super) missing: u64,
}

#[derive(Debug, Deserialize, serde::Serialize)]
pub(super) struct Evidence {
    pub(super) id: i64,
    pub(super) partner: String,
    pub(super) at: String,
    pub(super) kind: String,
    pub(super) summary: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) entry: String,
    pub(super) origin: String,
    pub(super) stix_id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) version: String,
    pub(super) tlp: String,
    pub(super) pap: Option<String>,
    #[serde(default)]
    pub(super) wall: Option<String>,
    pub(super) title: Option<String>,
    pub(super) state: String,
    pub(super) commitment: String,
    pub(super) arrived: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    pub(super) object: Object,
    pub(super) statements: Vec<Object>,
    pub(super) body: Option<Box<RawValue>>,
    pub(super) members: Vec<String>,
    pub(super) receipts: Vec<Receipt>,
    #[serde(default)]
    pub(super) call: Option<Call>,
    #[serde(default)]
    pub(super) disclosed: Vec<Disclosed>,
    #[serde(default)]
    pub(super) parts: Vec<Object>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Receipt {
    pub(super) partner: String,
    pub(super) erased: bool,
    #[serde(default)]
    pub(super) held: bool,
    pub(super) exports: Option<u32>,
    pub(super) not_recalled: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sheet {
    pub(super) audience: Option<String>,
    pub(super) partners: Vec<SheetLine>,
    pub(super) unreachable: Vec<String>,
    pub(super) left_out: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct SheetLine {
    pub(super) country: String,
    pub(super) name: String,
    pub(super) sees: bool,
    pub(super) because: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Withdrawn {
    pub(super) entry: String,
    pub(super) told: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LogPage {
    pub(super) origin: String,
    pub(super) size: u64,
    pub(super) items: Vec<LogEntry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LogEntry {
    pub(super) entry: String,
    pub(super) commitment: String,
    pub(super) arrived: Option<String>,
    pub(super) object: Option<Object>,
    pub(super) unfit: Option<String>,
    pub(super) lost: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Audience {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) version: u32,
    pub(super) members: Vec<Member>,
    pub(super) ticked: bool,
    pub(super) origin: String,
    pub(super) entry: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) country: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AudienceSaid {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) members: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Preview {
    pub(super) joining: Vec<String>,
    pub(super) leaving: Vec<String>,
    pub(super) older: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    pub(super) name: String,
    pub(super) desk: String,
    pub(super) roles: Vec<String>,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Passkey {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) host: String,
    pub(super) created: String,
    pub(super) last_used: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Access {
    pub(super) login: String,
    pub(super) password: Option<String>,
    pub(super) totp_secret: String,
    pub(super) totp_uri: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Token {
    pub(super) name: String,
    pub(super) login: String,
    pub(super) expires: Option<String>,
    pub(super) last_used: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NewToken {
    pub(super) token: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Invitation {
    pub(super) code: String,
    pub(super) expires: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Joined {
    pub(super) partner: Partner,
    pub(super) words: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Changed {
    pub(super) country: String,
    pub(super) name: String,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Proposed {
    pub(super) proposed: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rebuilt {
    pub(super) folded: u64,
    pub(super) now_fit: u64,
    pub(super) unfit: u64,
}

/// What became of one object of an import, whether it was taken in or asserted.
#[derive(Debug, Deserialize)]
pub(super) struct Fate {
    pub(super) id: Option<String>,
    pub(super) entry: Option<String>,
    pub(super) intake: Option<i64>,
    pub(super) fate: String,
    pub(super) reason: Option<String>,
    /// Of an event with mixed labels.
    #[serde(default)]
    pub(super) parts: Vec<AssertedPart>,
}

/// One part of an event with mixed labels.
#[derive(Debug, Deserialize, serde::Serialize)]
pub(super) struct AssertedPart {
    pub(super) tlp: String,
    pub(super) entry: String,
    pub(super) fate: String,
}

/// Of the node's state, the highest marking that it takes.
#[derive(Debug, Deserialize)]
pub(super) struct Ceiling {
    #[serde(default)]
    pub(super) ceiling: Option<String>,
}

/// An act by which a supervising desk sees a statement behind the wall.
#[derive(Debug, Deserialize)]
pub(super) struct Disclosed {
    pub(super) to_desk: String,
    pub(super) article: String,
    pub(super) reason: String,
    pub(super) at: String,
    pub(super) by: String,
}

/// Whom to call for a classified annex.
#[derive(Debug, Deserialize)]
pub(super) struct Call {
    pub(super) reference: String,
    pub(super) level: String,
    pub(super) held_at: String,
    pub(super) desk: String,
    pub(super) telephone: String,
    pub(super) summary: String,
}

/// A pointer that was said.
#[derive(Debug, Deserialize)]
pub(super) struct Pointed {
    pub(super) entry: String,
    pub(super) reference: String,
}

/// A list that a detector pulls.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) name: String,
    pub(super) version: u32,
    #[serde(rename = "for")]
    pub(super) purpose: String,
    pub(super) label: String,
    pub(super) at: String,
    pub(super) by: String,
}

/// Of the ledger of a statement.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    pub(super) items: Vec<GivenRow>,
}

/// Content that was given out once.
#[derive(Debug, Deserialize)]
pub(super) struct GivenRow {
    pub(super) at: String,
    pub(super) who: String,
    pub(super) face: String,
    pub(super) exported: bool,
    pub(super) recallable: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct RedStanding {
    pub(super) path: Option<String>,
    pub(super) readers: Vec<RedReader>,
    pub(super) guests: Vec<RedGuest>,
    pub(super) openings: Vec<RedOpening>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RedReader {
    pub(super) login: String,
    pub(super) name: String,
    pub(super) named_by: String,
    pub(super) at: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct RedGuest {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) contact: String,
    pub(super) expires: String,
    pub(super) revoked: Option<String>,
    pub(super) code_waits: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct RedOpening {
    pub(super) at: String,
    pub(super) who: String,
    pub(super) face: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct GuestAccess {
    pub(super) id: String,
    pub(super) path: Option<String>,
    pub(super) code: String,
    pub(super) code_expires: String,
    pub(super) expires: String,
}

/// An exercise beside the real node.
#[derive(Debug, Deserialize)]
pub(super) struct Exercise {
    pub(super) realm: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) path: String,
    pub(super) running: bool,
    pub(super) why: Option<String>,
    pub(super) now: String,
    pub(super) ahead_seconds: i64,
    pub(super) jumps: usize,
}

/// An exercise that was opened.
#[derive(Debug, Deserialize)]
pub(super) struct NewExercise {
    pub(super) realm: String,
    pub(super) origin: String,
    pub(super) fingerprint: String,
    pub(super) login: String,
    pub(super) password: String,
    pub(super) totp_secret: String,
    pub(super) totp_uri: String,
    pub(super) log_key: String,
    pub(super) address: String,
    pub(super) path: String,
}

/// What is left of an exercise.
#[derive(Debug, Deserialize)]
pub(super) struct EndedExercise {
    pub(super) realm: String,
    pub(super) archive: String,
    pub(super) logs: usize,
    pub(super) proofs: u64,
    pub(super) evidence: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct SaidOf {
    #[serde(default)]
    pub(super) entry: String,
    #[serde(default)]
    pub(super) request: String,
    #[serde(default)]
    pub(super) awaiting: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CaseRow {
    pub(super) entry: String,
    pub(super) number: String,
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) by_when: String,
    pub(super) life_at_risk: bool,
    pub(super) lines: usize,
    pub(super) covered: usize,
    pub(super) offers: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct CaseWhole {
    #[serde(flatten)]
    pub(super) row: CaseRow,
    pub(super) call: String,
    pub(super) needs: Vec<NeedRow>,
    pub(super) awake: Vec<AwakeRow>,
    pub(super) answers: Vec<OfferRow>,
    pub(super) next: Vec<NextStep>,
    pub(super) without_effect: Vec<NoEffect>,
    pub(super) missing: Vec<String>,
    pub(super) timeline: Vec<TimelineRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TimelineRow {
    pub(super) entry: String,
    pub(super) what: String,
    pub(super) signed: Option<SignedRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SignedRow {
    pub(super) by: Vec<String>,
    pub(super) authority: Option<String>,
    pub(super) emergency: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NeedRow {
    pub(super) line: u16,
    pub(super) kind: String,
    pub(super) mode: String,
    pub(super) asked: u32,
    pub(super) offered: u32,
    pub(super) accepted: u32,
    pub(super) committed: u32,
    pub(super) fulfilled: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfferRow {
    pub(super) entry: String,
    pub(super) provider: String,
    pub(super) answer: String,
    pub(super) call: String,
    pub(super) agreements: Vec<AgreementRow>,
    pub(super) relayed: Option<RelayedRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RelayedRow {
    pub(super) partner: String,
    pub(super) way: String,
    pub(super) said_by: String,
    pub(super) said_at: String,
    pub(super) taken_by: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AgreementRow {
    pub(super) entry: String,
    pub(super) state: String,
    pub(super) notice: Option<String>,
    pub(super) mission: Option<MissionRow>,
    pub(super) mandates: Vec<super::mandates::MandateRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MissionRow {
    pub(super) phase: String,
    pub(super) leader: String,
    pub(super) on_task: Option<String>,
    pub(super) hours: u32,
    pub(super) cost_cents: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct NextStep {
    pub(super) entry: String,
    pub(super) step: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct NoEffect {
    pub(super) entry: String,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AwakeRow {
    pub(super) country: String,
    pub(super) at: String,
}
