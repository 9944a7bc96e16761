//! `GET /status`: how the node stands, and how it stands with each partner.

use axum::Json;
use axum::extract::State;
use model::{Lane, Reach};
use node::Permission;
use node::pull::Lag as NodeLag;
use node::query::status::{self as query, PartnerStatus};
use node::successor::Pending;
use serde::Serialize;
use store::{IntakeState, PartnerState};
use utoipa::ToSchema;

use super::App;
use super::refusal::Refusal;
use crate::server::session::Caller;

/// How the node stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// `REAL`, or which exercise.
    pub realm: String,
    /// The name of the own log.
    pub origin: String,
    /// The country.
    pub country: String,
    /// The name for people.
    pub name: String,
    /// The time of the answer.
    pub now: String,
    /// What a person should look at in the machine's clock; not there while it goes on as it should.
    pub clock: Option<Clock>,
    /// The highest marking that the node takes: `unclassified`, `eu-restricted`, `eu-confidential` or `eu-secret`.
    pub ceiling: &'static str,
    /// The own log.
    pub log: OwnLog,
    /// Objects of ours.
    pub objects: u64,
    /// What is in intake.
    pub intake: IntakeCounts,
    /// Partner by partner.
    pub partners: Vec<Partner>,
    /// The newest evidence against partners.
    pub evidence: Vec<Evidence>,
}

/// The machine's clock was set back, or jumped forward. The node goes by a time that never goes back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Clock {
    /// What the machine shows.
    pub shows: String,
    /// What the node goes by.
    pub goes_by: String,
    /// By how many seconds the machine is behind it.
    pub behind: u64,
    /// By how many seconds it jumped forward since the node was started, or slept.
    pub jumped: u64,
}

/// The own log, as far as it is signed.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnLog {
    /// `speaking`, `recovering` (the database was set back, and partners give the rest back) or `stopped` (another copy
    /// speaks).
    pub state: &'static str,
    /// Why it does not speak, and what to do.
    pub why: Option<String>,
    /// Entries.
    pub size: u64,
    /// The checkpoint that covers them, as a note.
    pub checkpoint: String,
    /// Entries that enough witnesses have cosigned.
    pub witnessed: Option<u64>,
    /// Entries that a time authority has stamped.
    pub stamped: Option<u64>,
    /// The time that it says.
    pub stamped_at: Option<String>,
    /// How many witnesses the log has.
    pub witnesses: usize,
    /// How many of them must have cosigned.
    pub threshold: usize,
}

/// What is in intake, by state.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct IntakeCounts {
    /// Nobody has decided yet.
    pub new: u64,
    /// Our word now.
    pub asserted: u64,
    /// Same id and version as another, with other bytes.
    pub conflict: u64,
    /// Set aside by a person.
    pub dismissed: u64,
}

/// One partner.
#[derive(Debug, Serialize, ToSchema)]
pub struct Partner {
    /// The name of its log.
    pub origin: String,
    /// Its country.
    pub country: String,
    /// Its name for people.
    pub name: String,
    /// What it is to us.
    pub class: String,
    /// How it is reached.
    pub reach: String,
    /// `proposed`, `awaiting-confirmation`, `active`, `held` or `cut`.
    pub state: String,
    /// `host:port` of its federation listener.
    pub address: String,
    /// The six words that both sides read to each other before they confirm.
    pub words: Option<String>,
    /// The successor log that it has announced and nobody here has confirmed.
    pub successor: Option<Successor>,
    /// Since when it is known.
    pub since: String,
    /// Why it is held or cut.
    pub held_reason: Option<String>,
    /// Entries of its log that are verified here.
    pub size: u64,
    /// Statements of it that were opened to us.
    pub objects: u64,
    /// How we stand with it.
    pub lag: Lag,
    /// How many of our releases it has not fetched yet, at most 10,001.
    pub behind_us: u64,
    /// When it last fetched from us.
    pub fetched: Option<String>,
    /// Where something is missing that we are entitled to.
    pub incomplete: Vec<Incomplete>,
    /// Where others say that they were shown more of it than we, for longer than a delay explains.
    pub beyond: Vec<Beyond>,
}

/// A successor log that waits for a telephone call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Successor {
    /// The name of the new log.
    pub origin: String,
    /// The six words that both sides read to each other before it is confirmed.
    pub words: String,
    /// How many entries of the log before the nation stands by.
    pub vouched: u64,
    /// How many of them are verified here.
    pub held: u64,
    /// Is what it stands by another history than the one that is held here?
    pub contradicts: bool,
    /// The same in words, and what to do.
    pub says: String,
}

/// How we stand with a partner's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lag {
    /// `in-step`, `behind`, `not-heard`, `held` or `unknown`; `no-node` of whom mail or telephone reaches.
    pub state: &'static str,
    /// Entries that we have not verified yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
    /// When it last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A gap in what a partner said to an audience that we are in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Incomplete {
    /// The audience's id.
    pub audience: String,
    /// `workflow` or `intelligence`.
    pub lane: &'static str,
    /// How many statements are missing.
    pub missing: u64,
}

/// What another partner says that it was shown of an audience, and we were not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Beyond {
    /// The country that says so: its word, and no proof.
    pub by: String,
    /// The audience's id.
    pub audience: String,
    /// `workflow` or `intelligence`.
    pub lane: &'static str,
    /// How many statements more.
    pub more: u64,
    /// Since when it says so.
    pub since: String,
}

/// What was kept as evidence against a partner.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// Its number: `GET /evidence/{id}` gives it as a file.
    pub id: i64,
    /// Against whom.
    pub partner: String,
    /// Since when.
    pub at: String,
    /// What kind.
    pub kind: String,
    /// In one line.
    pub summary: String,
}

/// How the node stands, and how it stands with each partner.
#[utoipa::path(get, path = "/status", tag = "status", responses(
    (status = OK, body = Status),
    (status = UNAUTHORIZED, body = super::refusal::ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn status(State(app): State<App>, caller: Caller) -> Result<Json<Status>, Refusal> {
    caller.actor.require(Permission::Read)?;
    Ok(Json(read(&app).await?))
}

/// The state of the node, in the API's shape.
pub(crate) async fn read(app: &App) -> Result<Status, Refusal> {
    let status = query::status(app.node()).await?;
    let mut intake = IntakeCounts::default();
    for (state, count) in &status.intake {
        match state {
            IntakeState::New => intake.new = *count,
            IntakeState::Asserted => intake.asserted = *count,
            IntakeState::Conflict => intake.conflict = *count,
            IntakeState::Dismissed => intake.dismissed = *count,
        }
    }
    let evidence = status.evidence.into_iter().map(|(origin, row)| Evidence {
        id: row.id.0,
        partner: origin.to_string(),
        at: row.at.to_string(),
        kind: row.kind,
        summary: row.summary,
    });
    Ok(Status {
        country: status.origin.country().to_string(),
        realm: status.origin.realm().to_string(),
        origin: status.origin.to_string(),
        name: status.name,
        now: status.now.to_string(),
        clock: status.clock.map(|doubt| Clock {
            shows: doubt.shows.to_string(),
            goes_by: doubt.goes_by.to_string(),
            behind: doubt.behind,
            jumped: doubt.jumped,
        }),
        ceiling: app.ctx.ceiling.word(),
        log: OwnLog {
            state: status.standing.word(),
            why: status.standing.why(),
            size: status.size,
            checkpoint: status.checkpoint,
            witnessed: status.witnesses.witnessed.map(|(size, _)| size),
            stamped: status.stamped.map(|(size, _)| size),
            stamped_at: status.stamped.map(|(_, at)| at.to_string()),
            witnesses: status.witnesses.witnesses.len(),
            threshold: status.witnesses.threshold,
        },
        objects: status.objects,
        intake,
        evidence: evidence.collect(),
        partners: status.partners.into_iter().map(partner).collect(),
    })
}

pub(super) fn partner(status: PartnerStatus) -> Partner {
    let row = status.partner;
    let why = row.held_reason.as_deref();
    let lag = if row.reach == Reach::Node {
        lag(status.lag, row.state, why)
    } else {
        without_node(row.reach, row.state, why)
    };
    let incomplete = status.incomplete.iter().map(|chain| Incomplete {
        audience: chain.audience.to_string(),
        lane: lane_word(chain.lane),
        missing: (chain.high - chain.low + 1).saturating_sub(chain.count),
    });
    let beyond = status.beyond.iter().map(|one| Beyond {
        by: one.by.country().to_string(),
        audience: one.audience.to_string(),
        lane: lane_word(one.lane),
        more: one.more,
        since: one.since.to_string(),
    });
    let beyond = beyond.collect();
    Partner {
        country: row.origin.country().to_string(),
        origin: row.origin.to_string(),
        name: row.name,
        class: row.class.to_string(),
        reach: row.reach.to_string(),
        state: row.state.word().to_owned(),
        address: row.address,
        words: row.words,
        successor: status.successor.map(|pending| successor(&row.origin.country().to_string(), pending)),
        since: row.since.to_string(),
        held_reason: row.held_reason,
        size: status.size,
        objects: status.objects,
        lag,
        behind_us: status.behind_us,
        fetched: status.fetched.map(|at| at.to_string()),
        incomplete: incomplete.collect(),
        beyond,
    }
}

fn successor(country: &str, pending: Pending) -> Successor {
    let Pending { origin, words, vouched, held, contradicts } = pending;
    let says = if contradicts {
        format!(
            "{country} vouches for {vouched} entries of its old log, and they are not those that we hold: telephone"
        )
    } else if vouched > held {
        format!("{country} vouches for {vouched} entries of its old log; we hold {held}, the rest can't be compared")
    } else if vouched < held {
        format!(
            "{country} vouches for {vouched} entries of its old log; we hold {held}, and it does not stand by the rest"
        )
    } else {
        format!("{country} vouches for the {vouched} entries of its old log that we hold")
    };
    Successor { origin: origin.to_string(), words, vouched, held, contradicts, says }
}

/// Nothing is fetched from it or by it: what goes to it goes by mail or telephone.
fn without_node(way: Reach, state: PartnerState, held_reason: Option<&str>) -> Lag {
    let of = |state, why| Lag { state, entries: None, heard: None, why };
    match state {
        PartnerState::Held => of("held", held_reason.map(str::to_owned)),
        PartnerState::Proposed | PartnerState::AwaitingConfirmation | PartnerState::Active | PartnerState::Cut => {
            of("no-node", Some(by(way).to_owned()))
        }
    }
}

/// A way in words.
pub(crate) const fn by(way: Reach) -> &'static str {
    match way {
        Reach::Node => "by its node",
        Reach::Misp => "by its MISP",
        Reach::Taxii => "by its TAXII server",
        Reach::MailPgp => "by PGP mail",
        Reach::MailSmime => "by S/MIME mail",
        Reach::Phone => "by telephone",
    }
}

fn lag(lag: Option<NodeLag>, state: PartnerState, held_reason: Option<&str>) -> Lag {
    let of = |state| Lag { state, entries: None, heard: None, why: None };
    // What people decided counts more than what the last poll found.
    if state == PartnerState::Held {
        return Lag { why: held_reason.map(str::to_owned), ..of("held") };
    }
    match lag {
        None => of("unknown"),
        Some(NodeLag::InStep { heard }) => Lag { heard: Some(heard.to_string()), ..of("in-step") },
        Some(NodeLag::Behind { entries, heard }) => {
            Lag { entries: Some(entries), heard: Some(heard.to_string()), ..of("behind") }
        }
        Some(NodeLag::NotHeard { since, why }) => {
            Lag { heard: since.map(|at| at.to_string()), why: Some(why), ..of("not-heard") }
        }
        Some(NodeLag::Held { why }) => Lag { why: Some(why), ..of("held") },
    }
}

/// A lane as the API writes it.
pub(crate) const fn lane_word(lane: Lane) -> &'static str {
    match lane {
        Lane::Workflow => "workflow",
        Lane::Intelligence => "intelligence",
    }
}
