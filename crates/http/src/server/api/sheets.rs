//! One page each: `/catch-up`, what changed since one was last here; `/assistance/{entry}/brief`, a case for somebody who only
//! reads; `/card`, what is needed when nothing works. All of it is made of what the caller may see.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::bytes::hex;
use model::{EntryRef, Timestamp};
use node::handover;
use node::query::assist as query;
use node::query::objects::ObjectError;
use node::{Permission, duty};
use serde::{Deserialize, Serialize};
use store::StoreError;
use utoipa::{IntoParams, ToSchema};

use super::acts::{self, ActOf};
use super::assistance::{Case, CaseRow};
use super::limits;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, PageOf, Params, Segment};
use super::roster::DutyOf;
use super::{App, alerts, status};
use crate::server::session::Caller;

/// Since when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Since {
    /// RFC 3339; left out, since one has said that one has caught up, or for twelve hours.
    pub since: Option<String>,
}

/// What changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatchUp {
    /// From then on.
    pub since: String,
    /// Until now: pass it to `POST /catch-up` once it is read.
    pub until: String,
    /// Cases in which something was said, with what was said since, the oldest first.
    pub cases: Vec<ChangedCase>,
    /// Alerts that began since.
    pub alerts: Vec<ChangedAlert>,
    /// Partners that are held or cut, and nodes that are late, as it is now.
    pub partners: Vec<String>,
    /// What awaits a decision, for whoever may take one.
    pub waiting: Vec<ActOf>,
}

/// A case in which something was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedCase {
    /// Its newest version.
    pub entry: String,
    /// Its number for people.
    pub number: String,
    /// Who asks.
    pub owner: String,
    /// What is wrong and what is wanted.
    pub name: String,
    /// How it stands.
    pub state: String,
    /// Lines with enough in force or done, of all.
    pub covered: String,
    /// What was said since.
    pub said: Vec<ChangedSaid>,
    /// What this node can say next.
    pub next: Vec<String>,
}

/// What was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedSaid {
    /// When.
    pub at: String,
    /// By whom.
    pub owner: String,
    /// What: see the timeline of a case.
    pub what: String,
    /// Where.
    pub entry: String,
}

/// An alert that began.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedAlert {
    /// Its number.
    pub number: i64,
    /// Of which class.
    pub class: String,
    /// When it began.
    pub started: String,
    /// How it stands.
    pub state: String,
    /// Who answered.
    pub acknowledged_by: Option<String>,
}

/// Up to when one has caught up.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaughtUp {
    /// RFC 3339.
    #[schema(value_type = String)]
    pub until: Timestamp,
}

/// What changed since one was last here, as far as one may see it.
#[utoipa::path(get, path = "/catch-up", tag = "people", params(Since), responses((status = OK, body = CatchUp)))]
pub async fn catch_up(
    State(app): State<App>,
    caller: Caller,
    Params(since): Params<Since>,
) -> Result<Json<CatchUp>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let asked: Option<Timestamp> = since.since.as_deref().map(str::parse).transpose().map_err(Refusal::unreadable)?;
    let who = caller.clone();
    let read = app.node().read(move |view| {
        let last = handover::caught_up(view, &who.actor)?;
        let since = asked.or(last).unwrap_or_else(|| view.now.plus_seconds(-limits::CATCH_UP_SECONDS));
        let viewer = who.actor.viewer(&view.me.origin);
        let (cases, _) = query::page(view, &viewer, None, limits::CATCH_UP_CASES)?;
        let changed = cases.into_iter().filter_map(|case| {
            let whole = Case::of(&case.into_inner(), &view.me.origin, view.now);
            changed(&whole, since)
        });
        Ok::<_, StoreError>((since, view.now, changed.collect::<Vec<_>>()))
    });
    let (since, now, cases) = read.await?;
    let waiting = if caller.actor.require(Permission::Speak).is_ok() {
        let Json(page) = acts::waiting(State(app.clone()), caller.clone()).await?;
        page.items
    } else {
        Vec::new()
    };
    let partners = status::read(&app).await?.partners;
    let partners = partners.iter().filter(|one| matches!(one.state.as_str(), "held" | "cut")).map(|one| {
        let why = one.held_reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} is {}{why}", one.country, one.state)
    });
    let partners = partners.collect();
    let Json(page) = alerts::list(State(app), caller, Params(PageOf::default())).await?;
    let began = |at: &str| at.parse::<Timestamp>().is_ok_and(|at| at >= since);
    let alerts = page.items.into_iter().filter(|alert| began(&alert.started)).map(|alert| ChangedAlert {
        number: alert.number,
        class: alert.class.to_string(),
        started: alert.started,
        state: alert.state.to_owned(),
        acknowledged_by: alert.acknowledged_by,
    });
    let alerts = alerts.collect();
    let (since, until) = (since.to_string(), now.to_string());
    Ok(Json(CatchUp { since, until, cases, alerts, partners, waiting }))
}

fn changed(case: &Case, since: Timestamp) -> Option<ChangedCase> {
    let later = |at: &str| at.parse::<Timestamp>().is_ok_and(|at| at >= since);
    let said: Vec<ChangedSaid> = case.timeline.iter().filter(|row| later(&row.at)).map(changed_said).collect();
    let row: &CaseRow = &case.row;
    (!said.is_empty()).then(|| ChangedCase {
        entry: row.entry.clone(),
        number: row.number.clone(),
        owner: row.owner.clone(),
        name: row.name.clone(),
        state: row.state.to_owned(),
        covered: format!("{} of {}", row.covered, row.lines),
        said,
        next: row.next.iter().map(|next| format!("{} {}", next.step, next.entry)).collect(),
    })
}

fn changed_said(row: &super::assistance::SaidRow) -> ChangedSaid {
    let phase = row.phase.map(|phase| format!(" {phase}")).unwrap_or_default();
    ChangedSaid {
        at: row.at.clone(),
        owner: row.owner.clone(),
        what: format!("{}{phase}", row.what),
        entry: row.entry.clone(),
    }
}

/// Says that one has caught up until then: the next time begins there.
#[utoipa::path(post, path = "/catch-up", tag = "people", request_body = CaughtUp, responses(
    (status = NO_CONTENT),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn caught_up(
    State(app): State<App>,
    caller: Caller,
    Input { value, .. }: Input<CaughtUp>,
) -> Result<StatusCode, Refusal> {
    caller.actor.require(Permission::Read)?;
    app.write(move |work| Ok(handover::catch_up(work, &caller.actor, value.until)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A case on one page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Brief {
    /// Its number for people.
    pub number: String,
    /// What is wrong and what is wanted.
    pub title: String,
    /// Its label.
    pub label: String,
    /// When the page was made: what comes later is not on it.
    pub made: String,
    /// By whose node.
    pub by: String,
    /// Its statements, as they were when it was made: the newest version that it says.
    pub entry: String,
    /// Heading by heading.
    pub parts: Vec<BriefPart>,
}

/// One heading of a brief.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BriefPart {
    /// The heading.
    pub heading: &'static str,
    /// Line by line.
    pub lines: Vec<String>,
}

/// A case on one page, for somebody who only reads.
#[utoipa::path(get, path = "/assistance/{entry}/brief", tag = "people", params(("entry" = String, Path)), responses(
    (status = OK, body = Brief),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn brief(State(app): State<App>, caller: Caller, Segment(entry): Segment) -> Result<Json<Brief>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let read = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let case = query::one(view, &viewer, name)?;
        let case = Case::of(&case.into_inner(), &view.me.origin, view.now);
        Ok::<_, ObjectError>(briefly(&case, &view.me.name, view.now))
    });
    Ok(Json(read.await?))
}

fn briefly(case: &Case, by: &str, now: Timestamp) -> Brief {
    let row = &case.row;
    let part = |heading: &'static str, lines: Vec<String>| BriefPart { heading, lines };
    let given = |what: &str, text: &Option<String>| text.as_ref().map(|text| format!("{what}{text}"));
    let life = row.life_at_risk.then(|| "Life or health is at risk.".to_owned());
    let alone = case.emergency.then(|| "Signed by one person, in an emergency.".to_owned());
    let mut situation = vec![format!("{} asks for help under {}; it is {}.", row.owner, row.basis, row.state)];
    situation.extend(
        [life, alone, given("", &case.situation), given("Done so far: ", &case.mitigation)].into_iter().flatten(),
    );
    let needs = row.needs.iter().map(|need| {
        let counts = format!("{} in force, {} done, {} more offered", need.committed, need.fulfilled, need.offered);
        format!("{} × {} ({}): {counts}", need.asked, need.kind, need.mode)
    });
    let mut answers = Vec::new();
    for offer in &case.answers {
        answers.push(format!("{} says {}; call {}", offer.provider, offer.answer, offer.call));
        for agreed in &offer.agreements {
            let notice = agreed.notice.map(|by| format!(", notice by the {by}")).unwrap_or_default();
            let mission = agreed.mission.as_ref();
            let mission = mission.map(|known| format!("; mission {} led by {}", known.phase, known.leader));
            answers.push(format!("{} {}{notice}{}", agreed.entry, agreed.state, mission.unwrap_or_default()));
        }
    }
    let clocks = vec![
        Some(format!("somebody on the case by {}", row.by_when)),
        given("answer by ", &row.answer_by),
        Some(format!("it lapses {}", row.expires)),
    ];
    let clocks = clocks.into_iter().flatten().collect();
    let recent = case.timeline.len().saturating_sub(limits::BRIEF_NEWS);
    let news = case.timeline.iter().skip(recent).map(|said| {
        let said = changed_said(said);
        format!("{} {} {} ({})", said.at, said.owner, said.what, said.entry)
    });
    let next = row.next.iter().map(|next| format!("{} {}", next.step, next.entry));
    let missing = case.missing.iter().map(|place| format!("{place} is cited and not here: this is not the whole"));
    let parts = vec![
        part("Situation", situation),
        part("Whom to call", vec![case.call.clone()]),
        part("Clocks", clocks),
        part("Needs", needs.collect()),
        part("Answers and agreements", answers),
        part("What was said last", news.collect()),
        part("What is ours to do next", next.collect()),
        part("Missing", missing.collect()),
    ];
    Brief {
        number: row.number.clone(),
        title: row.name.clone(),
        label: row.tlp.clone(),
        made: now.to_string(),
        by: by.to_owned(),
        entry: row.entry.clone(),
        parts: parts.into_iter().filter(|part| !part.lines.is_empty()).collect(),
    }
}

/// What is needed when nothing works, on one page of paper.
#[derive(Debug, Serialize, ToSchema)]
pub struct Card {
    /// Our name for people.
    pub name: String,
    /// The name of our log, which ends with the digest of our root key: who reads it over the telephone is us.
    pub origin: String,
    /// Our public key of the log.
    pub log_key: String,
    /// `host:port` of our federation listener.
    pub address: String,
    /// When it was made: print it anew when something changes.
    pub made: String,
    /// Who is on duty, now and within two days, with telephone numbers.
    pub on_duty: Vec<DutyOf>,
    /// Everybody else of the roster.
    pub people: Vec<CardPerson>,
    /// How each partner is reached when the network is down.
    pub partners: Vec<CardPartner>,
    /// Open calls for help and missions, by number and next time; nothing of what they say.
    pub open: Vec<CardCase>,
}

/// Somebody of the roster.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardPerson {
    /// The name for people.
    pub name: String,
    /// The number.
    pub telephone: String,
    /// Which posts in the next two days, and until when.
    pub posts: Vec<String>,
}

/// A partner on the card.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardPartner {
    /// Its country.
    pub country: String,
    /// Its name for people.
    pub name: String,
    /// The name of its log, which ends with the digest of its root key.
    pub origin: String,
    /// How it stands with us.
    pub state: String,
    /// Where its node is.
    pub address: String,
    /// Its telephone, where one was given here, or one that it gave in an open case.
    pub telephone: Option<String>,
    /// Its mail address, where one was given here.
    pub mail: Option<String>,
    /// The fingerprint of its mail key.
    pub fingerprint: Option<String>,
}

/// An open case on the card.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardCase {
    /// Its number for people.
    pub number: String,
    /// Its newest version.
    pub entry: String,
    /// Who asks.
    pub owner: String,
    /// How it stands.
    pub state: String,
    /// By when somebody must be on the case.
    pub by_when: String,
    /// Whom to call.
    pub call: String,
    /// Who helps, and how far that goes.
    pub helpers: Vec<String>,
}

/// The crisis card: contacts, fingerprints, open requests and missions, next clocks.
#[utoipa::path(get, path = "/card", tag = "people", responses((status = OK, body = Card)))]
pub async fn card(State(app): State<App>, caller: Caller) -> Result<Json<Card>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let partners = status::read(&app).await?.partners;
    let read = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let (cases, _) = query::page(view, &viewer, None, limits::CATCH_UP_CASES)?;
        let whole = cases.into_iter().map(|case| Case::of(&case.into_inner(), &view.me.origin, view.now));
        let open: Vec<Case> = whole
            .filter(|case| matches!(case.row.state, "open" | "anticipated") || !case.row.next.is_empty())
            .collect();
        let soon = view.now.plus_seconds(limits::CARD_SECONDS);
        let roster = duty::roster(view.db, view.now, soon)?;
        let reached = view.db.all_reached()?;
        let partners = partners.into_iter().filter(|one| one.state != "cut").map(|one| {
            let ways = reached.iter().find(|row| row.origin.to_string() == one.origin);
            CardPartner {
                telephone: ways.map(|ways| ways.telephone.clone()).or_else(|| said_call(&open, &one.country)),
                mail: ways.and_then(|ways| ways.mail.clone()),
                fingerprint: ways.and_then(|ways| ways.key.as_ref().map(|(_, print)| print.clone())),
                country: one.country,
                name: one.name,
                origin: one.origin,
                state: one.state,
                address: one.address,
            }
        });
        let people = roster.contacts.iter().map(|contact| CardPerson {
            name: contact.name.clone(),
            telephone: contact.telephone.clone(),
            posts: roster
                .shifts
                .iter()
                .filter(|row| row.shift.person == contact.person)
                .map(|row| format!("{} {} – {}", row.shift.post.word(), row.shift.from, row.shift.until))
                .collect(),
        });
        Ok::<_, StoreError>(Card {
            name: view.me.name.clone(),
            origin: view.me.origin.to_string(),
            log_key: hex(&view.me.identity.log_key),
            address: view.me.identity.address.clone(),
            made: view.now.to_string(),
            on_duty: duty::on_duty(view.db, view.now)?.into_iter().map(DutyOf::of).collect(),
            people: people.collect(),
            partners: partners.collect(),
            open: open.iter().map(card_case).collect(),
        })
    });
    Ok(Json(read.await?))
}

/// Whom a partner said to call, in its own call for help or in its answer to one of ours.
fn said_call(open: &[Case], country: &str) -> Option<String> {
    let own = open.iter().filter(|case| case.row.owner == country).map(|case| &case.call);
    let answers = open.iter().flat_map(|case| &case.answers).filter(|offer| offer.provider == country);
    own.chain(answers.map(|offer| &offer.call)).next().cloned()
}

fn card_case(case: &Case) -> CardCase {
    let row = &case.row;
    let helper = |one: &super::assistance::Helper| {
        let phase = one.phase.map(|phase| format!(" ({phase})")).unwrap_or_default();
        format!("{}: {}{phase}", one.country, one.stage)
    };
    CardCase {
        number: row.number.clone(),
        entry: row.entry.clone(),
        owner: row.owner.clone(),
        state: row.state.to_owned(),
        by_when: row.by_when.clone(),
        call: case.call.clone(),
        helpers: row.helpers.iter().map(helper).collect(),
    }
}
