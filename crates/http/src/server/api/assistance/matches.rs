//! `/assistance/{entry}/matches`: what could be filled of a call for help, and why not more. It proposes; people decide.

use axum::Json;
use axum::extract::State;
use model::EntryRef;
use node::Permission;
use node::query::capacities as query;
use node::query::objects::ObjectError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::server::api::App;
use crate::server::api::refusal::{ProblemDetails, Refusal};
use crate::server::api::request::Segment;
use crate::server::session::Caller;

/// What could be filled of a call for help.
#[derive(Debug, Serialize, ToSchema)]
pub struct Matches {
    /// Its newest version.
    pub entry: String,
    /// Its number for people.
    pub number: String,
    /// Capacities and cards that were looked at.
    pub looked_at: usize,
    /// How many of those that are missing could be filled.
    pub fills: u32,
    /// How many are missing.
    pub missing: u32,
    /// Who for what.
    pub pairings: Vec<PairingRow>,
    /// What stays open.
    pub gaps: Vec<GapRow>,
}

/// A capacity for a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct PairingRow {
    /// The line.
    pub line: u16,
    /// The own capacity, or the partner's card: `EE:3`.
    pub capacity: String,
    /// Its name; of a partner's card, its bands.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// `remote` or `on-site`.
    pub mode: &'static str,
    /// From when it would be lent.
    pub from: String,
    /// Until when.
    pub until: Option<String>,
    /// When somebody is on the case.
    pub arrives: String,
    /// Cents of a euro for one.
    pub cents: u64,
    /// Why this one.
    pub why: String,
}

/// What nobody covers.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapRow {
    /// The line.
    pub line: u16,
    /// How many are missing.
    pub quantity: u32,
    /// How many capacities each constraint excluded.
    pub excluded: Vec<Excluded>,
    /// Why nobody.
    pub why: String,
}

/// One constraint.
#[derive(Debug, Serialize, ToSchema)]
pub struct Excluded {
    /// `elsewhere`, `kind`, `stood-down`, `mode`, `level`, `clearance`, `language`, `conflict`, `calendar`, `promised`.
    pub constraint: &'static str,
    /// How many capacities it excluded.
    pub capacities: usize,
}

impl Matches {
    fn of(made: &query::Matches) -> Self {
        let here = |need: usize| made.needs.get(need).filter(|need| need.request == made.case.place);
        let pairing = |pair: &domain::assist::matching::Pairing| {
            let (need, source) = (here(pair.need)?, made.sources.get(pair.source)?);
            let place = source.place();
            Some(PairingRow {
                line: need.line.into(),
                capacity: EntryRef::of(&place.origin, place.index).to_string(),
                name: source.name(),
                quantity: pair.quantity,
                mode: pair.fit.mode.word(),
                from: pair.fit.span.from.to_string(),
                until: pair.fit.span.until.map(|until| until.to_string()),
                arrives: pair.fit.arrives.to_string(),
                cents: pair.fit.cents,
                why: pair.why.clone(),
            })
        };
        let gap = |gap: &domain::assist::matching::Gap| {
            let excluded = |(why, many): (&domain::assist::matching::Exclusion, &usize)| Excluded {
                constraint: why.word(),
                capacities: *many,
            };
            Some(GapRow {
                line: here(gap.need)?.line.into(),
                quantity: gap.quantity,
                excluded: gap.excluded.iter().map(excluded).collect(),
                why: gap.why.clone(),
            })
        };
        let place = &made.case.place;
        let pairings: Vec<PairingRow> = made.proposal.pairings.iter().filter_map(pairing).collect();
        Self {
            entry: EntryRef::of(&place.origin, place.index).to_string(),
            number: made.case.request.number.clone(),
            looked_at: made.sources.len(),
            fills: pairings.iter().map(|pair| pair.quantity).sum(),
            missing: made.needs.iter().filter(|need| need.request == *place).map(|need| need.missing).sum(),
            pairings,
            gaps: made.proposal.gaps.iter().filter_map(gap).collect(),
        }
    }
}

/// What our capacities could fill of a partner's call for help, or partners' cards of ours, beside all other open calls;
/// and what stays open, and why. Nothing leaves the node.
#[utoipa::path(get, path = "/assistance/{entry}/matches", tag = "assistance", params(("entry" = String, Path)), responses(
    (status = OK, body = Matches),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn matches(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
) -> Result<Json<Matches>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let made = query::matches(view, &viewer, name)?;
        Ok::<_, ObjectError>(Matches::of(&made.into_inner()))
    });
    Ok(Json(made.await?))
}
