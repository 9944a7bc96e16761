//! `/mandates`: what a partner's helpers may touch at an entity, said by the affected nation; and the lease, by which the
//! entity's own gateway hears whether that still stands.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::assist::case::{AgreementCase, OfferCase};
use domain::assist::mandate::{self as life, MandateCase};
use model::extension::assistance::{
    AccessKind, Consent, ConsentProof, Helper, HelperKey, Hours, MandateAction, MandatePhase, SystemName,
};
use model::{Citation, EntryRef, Origin, Timestamp};
use node::assist::mandate::{self, LeaseError, MandateStep};
use node::assist::{self, Spoken};
use node::query::assist as query;
use node::query::objects::ObjectError;
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Segment};
use super::{App, limits};
use crate::problem::Problem;
use crate::server::session::Caller;

/// A mandate as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct MandateRow {
    /// Its newest version: `FR:20`.
    pub entry: String,
    /// Its word in principals and for leases: a UUID.
    pub mandate: String,
    /// Whose helpers.
    pub provider: String,
    /// `drafted`, `consented`, `active`, `suspended`, `ended` or `revoked`, as the affected nation says.
    pub phase: &'static str,
    /// What it is worth now: a phase, or `out of hours`, `expired`, `without an agreement in force`, `handed over`.
    pub standing: &'static str,
    /// Whose systems.
    pub entity: String,
    /// `telephone-advice`, `evidence-drop`, `edr-tenant`, `vpn-rdp`, `ssh` or `escort`.
    pub access: &'static str,
    /// Does a machine of the entity hold it? Else it is recorded, and people keep it.
    pub enforced: bool,
    /// Which systems.
    pub systems: Vec<String>,
    /// `advise`, `read`, `collect`, `contain`, `rebuild`.
    pub actions: Vec<&'static str>,
    /// From when on.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Within which hours of a day, UTC.
    pub hours: Option<String>,
    /// What of the data may be taken.
    pub data_limits: Option<String>,
    /// Who may take it back.
    pub revokers: String,
    /// Who comes, by role.
    pub team: String,
    /// SHA-256 of the terms to which the entity consents.
    pub terms: String,
    /// The entity's consent.
    pub consent: Option<ConsentRow>,
    /// Who may come now.
    pub helpers: Vec<HelperRow>,
    /// Whom the provider has named since; they may come once the mandate is activated again.
    pub named: Vec<HelperRow>,
    /// When the entity opened the way, where that is recorded.
    pub opened: Option<String>,
    /// When it closed it.
    pub closed: Option<String>,
    /// Has its gate a token?
    pub has_gate: bool,
    /// Why it was suspended or taken back.
    pub reason: Option<String>,
    /// What this node can say next: `consent`, `activate`, `suspend`, `resume`, `revoke`, `end`, `helpers`.
    pub next: Vec<&'static str>,
}

/// A consent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentRow {
    /// Who consented.
    pub by: String,
    /// When.
    pub at: String,
    /// `signed` with the entity's own key, or `recorded`.
    pub how: &'static str,
    /// Who recorded it.
    pub recorded_by: Option<String>,
}

/// A helper.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelperRow {
    /// By role.
    pub role: String,
    /// The SSH public key.
    pub key: String,
}

impl MandateRow {
    /// A released mandate, as the node `here` shows it.
    #[must_use]
    pub fn of(offer: &OfferCase, agreed: &AgreementCase, known: &MandateCase, here: &Origin, now: Timestamp) -> Self {
        let mandate = &known.mandate;
        let named = known.named.as_ref().map_or(&[][..], |(_, said)| &said.helpers);
        let consent = mandate.consent.as_ref().map(|consent| ConsentRow {
            by: consent.by.clone(),
            at: consent.at.to_string(),
            how: match consent.proof {
                ConsentProof::Signed { .. } => "signed",
                ConsentProof::Recorded { .. } => "recorded",
            },
            recorded_by: match &consent.proof {
                ConsentProof::Signed { .. } => None,
                ConsentProof::Recorded { by } => Some(by.clone()),
            },
        });
        Self {
            entry: EntryRef::of(&known.place.origin, known.place.index).to_string(),
            mandate: mandate.word().to_owned(),
            provider: offer.provider().country().to_string(),
            phase: mandate.phase.word(),
            standing: known.standing(agreed, now).word(),
            entity: mandate.entity.clone(),
            access: mandate.access.word(),
            enforced: mandate.access.is_enforced(),
            systems: mandate.systems.iter().map(ToString::to_string).collect(),
            actions: mandate.actions.iter().map(|action| action.word()).collect(),
            from: mandate.from.to_string(),
            until: mandate.until.to_string(),
            hours: mandate.hours.map(|hours| hours.to_string()),
            data_limits: mandate.data_limits.clone(),
            revokers: mandate.revokers.clone(),
            team: mandate.team.clone(),
            terms: mandate.terms(),
            consent,
            helpers: mandate.helpers.iter().map(helper).collect(),
            named: named.iter().map(helper).collect(),
            opened: mandate.opened.map(|at| at.to_string()),
            closed: mandate.closed.map(|at| at.to_string()),
            has_gate: mandate.gate.is_some(),
            reason: mandate.reason.clone(),
            next: next(offer, agreed, known, here),
        }
    }
}

fn helper(helper: &Helper) -> HelperRow {
    HelperRow { role: helper.role.clone(), key: helper.key.as_str().to_owned() }
}

fn next(offer: &OfferCase, agreed: &AgreementCase, known: &MandateCase, here: &Origin) -> Vec<&'static str> {
    let phase = known.mandate.phase;
    let over = matches!(phase, MandatePhase::Ended | MandatePhase::Revoked);
    if offer.provider() == here {
        return if over { Vec::new() } else { vec!["helpers"] };
    }
    if known.place.origin != *here {
        return Vec::new();
    }
    let in_force = agreed.state.is_in_force();
    let steps = [
        ("consent", MandatePhase::Consented, in_force && phase == MandatePhase::Drafted),
        ("activate", MandatePhase::Active, in_force && phase != MandatePhase::Suspended),
        ("resume", MandatePhase::Active, in_force && phase == MandatePhase::Suspended),
        ("suspend", MandatePhase::Suspended, phase == MandatePhase::Active),
        ("revoke", MandatePhase::Revoked, true),
        ("end", MandatePhase::Ended, true),
    ];
    let can = steps.iter().filter(|(_, to, now)| *now && life::next(phase, *to).is_ok());
    can.map(|(word, ..)| *word).collect()
}

/// A mandate to be drafted. It goes to the provider of the agreement and to nobody else, labelled TLP:AMBER+STRICT.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftMandate {
    /// Whose systems: as the provider is to know the entity.
    pub entity: String,
    /// `telephone-advice`, `evidence-drop`, `edr-tenant`, `vpn-rdp`, `ssh` or `escort`; `ssh` alone is enforced.
    #[schema(value_type = String)]
    pub access: AccessKind,
    /// Which systems: names of a-z, 0-9, dot and hyphen.
    #[schema(value_type = Vec<String>)]
    pub systems: Vec<SystemName>,
    /// `advise`, `read`, `collect`, `contain`, `rebuild`.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<MandateAction>,
    /// From when on; now unless said otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub from: Option<Timestamp>,
    /// Until when, at most 31 days.
    #[schema(value_type = String)]
    pub until: Timestamp,
    /// Within which hours of a day, UTC: `07:00-19:00`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub hours: Option<Hours>,
    /// What of the data may be taken, and where it may go.
    #[serde(default)]
    pub data_limits: Option<String>,
    /// Who may take it back: names and numbers.
    pub revokers: String,
    /// Who comes, by role.
    pub team: String,
}

/// What the affected nation says next of a mandate.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum MandateNext {
    /// The entity has consented: signed with its own key, or recorded by somebody.
    Consent {
        /// Who consented: name and function.
        by: String,
        /// When; now unless said otherwise.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        at: Option<Timestamp>,
        /// Who recorded it, and how it was said.
        #[serde(default)]
        recorded_by: Option<String>,
        /// The entity's key, as its gate shows it.
        #[serde(default)]
        key: Option<String>,
        /// The note that the gate has signed.
        #[serde(default)]
        note: Option<String>,
    },
    /// It runs, with the helpers whom the provider has named by now.
    Activate,
    /// It stops for now.
    Suspend {
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
    /// It runs again.
    Resume,
    /// It is taken back.
    Revoke {
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
    /// It is over as planned.
    End {
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
    /// The entity has opened the way: for what is recorded.
    Opened {
        /// When.
        #[schema(value_type = String)]
        at: Timestamp,
    },
    /// The entity has closed it.
    Closed {
        /// When.
        #[schema(value_type = String)]
        at: Timestamp,
    },
    /// Its gate gets a new token; the one before is worth nothing.
    Gate,
}

impl MandateNext {
    fn read(self, now: Timestamp) -> Result<MandateStep, Refusal> {
        Ok(match self {
            Self::Consent { by, at, recorded_by, key, note } => {
                let proof = match (recorded_by, key, note) {
                    (Some(by), None, None) => ConsentProof::Recorded { by },
                    (None, Some(key), Some(note)) => ConsentProof::Signed { key, note },
                    _ => {
                        return Err(Refusal::unreadable("give `recorded_by`, or `key` and `note` of a signed consent"));
                    }
                };
                MandateStep::Consent(Consent { by, at: at.unwrap_or(now), proof })
            }
            Self::Activate => MandateStep::Activate,
            Self::Suspend { reason } => MandateStep::Suspend(reason),
            Self::Resume => MandateStep::Resume,
            Self::Revoke { reason } => MandateStep::Revoke(reason),
            Self::End { reason } => MandateStep::End(reason),
            Self::Opened { at } => MandateStep::Opened(at),
            Self::Closed { at } => MandateStep::Closed(at),
            Self::Gate => MandateStep::Gate,
        })
    }
}

/// Whom the provider sends: all of them.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameHelpers {
    /// The helpers; none takes all of them back.
    pub helpers: Vec<NamedHelper>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedHelper {
    /// By role: a name is never needed.
    pub role: String,
    /// The line of an `id_ed25519.pub`.
    #[schema(value_type = String)]
    pub key: HelperKey,
}

/// What was said of a mandate.
#[derive(Serialize, ToSchema)]
pub struct MandateSaid {
    /// The statement's own entry.
    pub entry: String,
    /// The newest version of the call for help.
    pub request: String,
    /// The token of the gate, if one was made: shown once.
    pub token: Option<String>,
}

fn told(work: &Work<'_, '_>, spoken: &Spoken, token: Option<String>) -> MandateSaid {
    let entry = EntryRef::of(&work.me.origin, spoken.appended.index).to_string();
    let request = EntryRef::of(&spoken.request.origin, spoken.request.index).to_string();
    MandateSaid { entry, request, token }
}

/// Drafts a mandate under an agreement in force, named by the entry of its acceptance.
#[utoipa::path(post, path = "/assistance/{entry}/mandates", tag = "mandates", params(("entry" = String, Path)),
    request_body = DraftMandate, responses(
        (status = OK, body = MandateSaid),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn draft(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<DraftMandate>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let asked = input.value;
    let draft = mandate::Draft {
        entity: asked.entity,
        access: asked.access,
        systems: asked.systems,
        actions: asked.actions,
        from: asked.from,
        until: asked.until,
        hours: asked.hours,
        data_limits: asked.data_limits,
        revokers: asked.revokers,
        team: asked.team,
    };
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let spoken = mandate::draft(work, &place, &draft)?;
        Ok(told(work, &spoken, None))
    };
    idempotency::once(&app, bound, command).await
}

/// A mandate as it stands, named by any of its statements.
#[utoipa::path(get, path = "/mandates/{entry}", tag = "mandates", params(("entry" = String, Path)), responses(
    (status = OK, body = MandateRow),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(State(app): State<App>, caller: Caller, Segment(entry): Segment) -> Result<Json<MandateRow>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let case = query::one(view, &viewer, name)?.into_inner().case;
        let is_it = |known: &MandateCase| {
            let Citation { origin, .. } = &known.place;
            EntryRef::of(origin, name.index) == name && known.versions.contains(&name.index)
        };
        for offer in &case.offers {
            for agreed in &offer.agreements {
                if let Some(known) = agreed.mandates.iter().find(|known| is_it(known)) {
                    return Ok(MandateRow::of(offer, agreed, known, &view.me.origin, view.now));
                }
            }
        }
        Err(ObjectError::NotFound)
    });
    Ok(Json(made.await?))
}

/// Says the next version of our mandate.
#[utoipa::path(post, path = "/mandates/{entry}/step", tag = "mandates", params(("entry" = String, Path)),
    request_body = MandateNext, responses(
        (status = OK, body = MandateSaid),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn step(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    input: Input<MandateNext>,
) -> Result<Json<MandateSaid>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let step = input.value.read(app.node().now())?;
    // Taken twice it is refused the second time, so that it needs no key; and a token is remembered nowhere.
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let said = mandate::step(work, &place, step)?;
        Ok(told(work, &said.spoken, said.token))
    };
    Ok(Json(app.write(command).await?))
}

/// The provider names its helpers for a mandate, by role and SSH public key.
#[utoipa::path(post, path = "/mandates/{entry}/helpers", tag = "mandates", params(("entry" = String, Path)),
    request_body = NameHelpers, responses(
        (status = OK, body = MandateSaid),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn helpers(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<NameHelpers>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let named = input.value.helpers.into_iter().map(|one| Helper { role: one.role, key: one.key });
    let named: Vec<Helper> = named.collect();
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let spoken = mandate::name_helpers(work, &place, &named)?;
        Ok(told(work, &spoken, None))
    };
    idempotency::once(&app, bound, command).await
}

/// How often each mandate's gate has asked in the current second: those alone that showed the right token.
#[derive(Debug, Default)]
pub struct Pace(Mutex<BTreeMap<String, (i64, u32)>>);

impl Pace {
    fn allows(&self, mandate: &str, now: Timestamp) -> bool {
        let second = now.micros().div_euclid(1_000_000);
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What asked in another second has no bearing on this one.
        asked.retain(|_, (at, _)| *at == second);
        let (_, count) = asked.entry(mandate.to_owned()).or_insert((second, 0));
        *count += 1;
        *count <= limits::LEASES_PER_SECOND
    }
}

/// The lease of a mandate, for its gate alone, which shows its own token: a signed note with the mandate that says whether
/// it stands now.
#[utoipa::path(get, path = "/leases/{mandate}", tag = "mandates", params(("mandate" = String, Path)), responses(
    (status = OK, body = String, content_type = "text/plain"),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    (status = TOO_MANY_REQUESTS, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn lease(State(app): State<App>, Segment(mandate): Segment, headers: HeaderMap) -> Result<Response, Refusal> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned();
    let asked = mandate.clone();
    let note = app.node().read(move |view| mandate::lease(view, &asked, &token)).await?;
    if !app.leases.allows(&mandate, app.node().now()) {
        return Err(Refusal(Problem::too_many(1)));
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

impl From<LeaseError> for Refusal {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Store(error) => error.into(),
            LeaseError::Unknown => Self::not_found(),
            LeaseError::Silent | LeaseError::Signer(_) => {
                Self::kind(StatusCode::SERVICE_UNAVAILABLE, "lease", "No lease is given now", &error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_asks_too_often_waits_and_others_do_not() {
        let pace = Pace::default();
        let now = Timestamp::from_seconds(1_790_000_000);
        for _ in 0..limits::LEASES_PER_SECOND {
            assert!(pace.allows("a", now));
        }
        assert!(!pace.allows("a", now));
        assert!(pace.allows("b", now));
        assert!(pace.allows("a", now.plus_seconds(1)));
    }
}
