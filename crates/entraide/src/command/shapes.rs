//! The API's answers as far as the command line shows them (the contract is `crates/http/openapi.json`).

use serde::Deserialize;
use serde_json::value::RawValue;

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
    pub(super) log: Log,
    pub(super) objects: u64,
    pub(super) intake: Intake,
    pub(super) partners: Vec<Partner>,
    pub(super) evidence: Vec<Evidence>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Log {
    pub(super) size: u64,
    pub(super) witnessed: Option<u64>,
    pub(super) witnesses: usize,
    pub(super) threshold: usize,
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
}

#[derive(Debug, Deserialize)]
pub(super) struct Receipt {
    pub(super) partner: String,
    pub(super) erased: bool,
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
pub(super) struct SaidOf {
    pub(super) entry: String,
    pub(super) request: String,
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
    pub(super) answers: Vec<OfferRow>,
    pub(super) next: Vec<NextStep>,
    pub(super) without_effect: Vec<NoEffect>,
    pub(super) missing: Vec<String>,
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
}

#[derive(Debug, Deserialize)]
pub(super) struct AgreementRow {
    pub(super) entry: String,
    pub(super) state: String,
    pub(super) notice: Option<String>,
    pub(super) mission: Option<MissionRow>,
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
