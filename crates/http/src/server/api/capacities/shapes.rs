//! What `/capacities` answers: rows, one whole with what is promised of it, and cards.

use domain::assist::capacity::{CapacityCase, Hold, Phase, Span};
use model::{Citation, EntryRef, Origin, Timestamp};
use node::query::capacities::Published;
use serde::Serialize;
use utoipa::ToSchema;

/// A capacity in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct CapacityRow {
    /// Its newest version: `EE:3`.
    pub entry: String,
    /// Its name.
    pub name: String,
    /// What kind of help.
    pub kind: &'static str,
    /// `basic`, `experienced` or `expert`.
    pub level: &'static str,
    /// `remote`, `on-site` or `either`.
    pub mode: &'static str,
    /// `available`, `reserved`, `committed`, `deployed`, `recovering` or `stood down`: of what is promised, what weighs most.
    pub state: &'static str,
    /// How many there are.
    pub quantity: u32,
    /// How many could be lent at this moment.
    pub free: u32,
    /// Offered, now or for later.
    pub reserved: u32,
    /// In force.
    pub committed: u32,
    /// On a mission.
    pub deployed: u32,
    /// On the way home, or at rest.
    pub recovering: u32,
    /// Hours until somebody acts from afar.
    pub ready_hours: u16,
    /// Languages.
    pub languages: Vec<String>,
    /// The clearance of its people.
    pub clearance: Option<&'static str>,
    /// The company behind it.
    pub provider: Option<String>,
    /// Cards of it that are published.
    pub published: Vec<CardRow>,
}

/// A capacity whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Capacity {
    /// As in a list.
    #[serde(flatten)]
    pub row: CapacityRow,
    /// Versions so far.
    pub versions: usize,
    /// Whom to call at any hour.
    pub call: String,
    /// When it can be lent; none is at any time.
    pub windows: Vec<WindowRow>,
    /// Hours more until somebody is at a place abroad.
    pub travel_hours: u16,
    /// Hours for which one mission may last.
    pub duration_hours: Option<u16>,
    /// Hours of rest after a mission.
    pub recovery_hours: u16,
    /// People of one team.
    pub team_size: Option<u32>,
    /// What its people can do.
    pub skills: Vec<String>,
    /// Tools that it brings.
    pub tools: Vec<String>,
    /// Sectors that its people know.
    pub sectors: Vec<&'static str>,
    /// Its certificates.
    pub certifications: Vec<String>,
    /// What the host must have ready.
    pub host_needs: Option<String>,
    /// Cents of a euro a day for one.
    pub day_cents: Option<u64>,
    /// Cents of a euro once.
    pub once_cents: Option<u64>,
    /// What it does not do.
    pub limits: Option<String>,
    /// The contract of the company behind it.
    pub contract: Option<String>,
    /// Nations for which it does not work.
    pub not_for_nations: Vec<String>,
    /// Sectors for which it does not work.
    pub not_for_sectors: Vec<&'static str>,
    /// What is promised of it.
    pub holds: Vec<HoldRow>,
    /// What a card of it would say: nothing else of it leaves.
    pub card: String,
}

/// A time in which it can be lent.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowRow {
    /// From then on.
    pub from: String,
    /// Until then.
    pub until: String,
}

/// What is promised for a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldRow {
    /// The call for help.
    pub request: String,
    /// Its number for people.
    pub number: String,
    /// The line.
    pub line: u16,
    /// How many.
    pub quantity: u32,
    /// `reserved`, `committed`, `deployed` or `recovering`.
    pub phase: &'static str,
    /// From when they are not available.
    pub from: String,
    /// Until when, their rest included; none is until somebody says so.
    pub until: Option<String>,
    /// A reservation lapses then unless it was signed.
    pub valid_until: Option<String>,
}

/// A published card.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardRow {
    /// Where it stands: `EE:9`.
    pub entry: String,
    /// Whose.
    pub owner: String,
    /// What kind of help.
    pub kind: &'static str,
    /// `small` (1–2), `medium` (3–5) or `large` (6 and more).
    pub size: &'static str,
    /// `6 h`, `24 h`, `72 h` or `later`.
    pub ready: &'static str,
    /// `remote`, `on-site` or `either`.
    pub mode: &'static str,
    /// Languages, if they are said.
    pub languages: Vec<String>,
    /// In words: `forensics, small, 24 h`.
    pub words: String,
    /// To whom we said it; of our own alone.
    pub audience: Option<String>,
    /// Its label.
    pub label: String,
}

fn entry(place: &Citation) -> String {
    EntryRef::of(&place.origin, place.index).to_string()
}

impl CardRow {
    /// A released card as a row.
    #[must_use]
    pub fn of(said: &Published) -> Self {
        let card = &said.card;
        Self {
            entry: entry(&said.place),
            owner: said.place.origin.country().to_string(),
            kind: card.kind.word(),
            size: card.size.word(),
            ready: card.ready.text(),
            mode: card.mode.word(),
            languages: card.languages.clone(),
            words: card.words(),
            audience: said.audience.clone(),
            label: said.tlp.word().to_owned(),
        }
    }
}

impl CapacityRow {
    /// A released capacity as a row.
    #[must_use]
    pub fn of(one: &CapacityCase, cards: &[Published], me: &Origin, now: Timestamp) -> Self {
        let capacity = &one.capacity;
        let at_once = Span { from: now, until: Some(Timestamp::from_micros(now.micros() + 1)) };
        let count = |phase| one.count(phase, now);
        let its = |said: &&Published| {
            said.place.origin == *me && node::assist::capacity::is_card_of(capacity, &said.card.common.id)
        };
        Self {
            entry: entry(&one.place),
            name: capacity.name.clone(),
            kind: capacity.kind.word(),
            level: capacity.level.word(),
            mode: capacity.mode.word(),
            state: one.state(now),
            quantity: capacity.quantity.into(),
            free: one.free(&at_once, now),
            reserved: count(Phase::Reserved),
            committed: count(Phase::Committed),
            deployed: count(Phase::Deployed),
            recovering: count(Phase::Recovering),
            ready_hours: capacity.ready_hours,
            languages: capacity.languages.clone(),
            clearance: capacity.clearance.map(|clearance| clearance.word()),
            provider: capacity.provider.as_ref().map(|provider| provider.name.clone()),
            published: cards.iter().filter(its).map(CardRow::of).collect(),
        }
    }
}

impl Capacity {
    /// A released capacity whole.
    #[must_use]
    pub fn of(one: &CapacityCase, cards: &[Published], me: &Origin, now: Timestamp) -> Self {
        let capacity = &one.capacity;
        let window = |window: &model::extension::assistance::Window| WindowRow {
            from: window.from.to_string(),
            until: window.until.to_string(),
        };
        let provider = capacity.provider.as_ref();
        let card = capacity.card(capacity.common.clone(), false);
        Self {
            row: CapacityRow::of(one, cards, me, now),
            versions: one.versions,
            call: capacity.call.clone(),
            windows: capacity.windows.iter().map(window).collect(),
            travel_hours: capacity.travel_hours,
            duration_hours: capacity.duration_hours,
            recovery_hours: capacity.recovery_hours,
            team_size: capacity.team_size.map(u32::from),
            skills: capacity.skills.clone(),
            tools: capacity.tools.clone(),
            sectors: capacity.sectors.iter().map(|sector| sector.word()).collect(),
            certifications: capacity.certifications.clone(),
            host_needs: capacity.host_needs.clone(),
            day_cents: capacity.rate.map(|rate| rate.day_cents),
            once_cents: capacity.rate.map(|rate| rate.once_cents),
            limits: capacity.limits.clone(),
            contract: provider.map(|provider| provider.contract.clone()),
            not_for_nations: provider.map(|provider| provider.not_for_nations.clone()).unwrap_or_default(),
            not_for_sectors: provider
                .map(|provider| provider.not_for_sectors.iter().map(|sector| sector.word()).collect())
                .unwrap_or_default(),
            holds: one.holds.iter().filter(|hold| hold.is_live(now)).map(hold_row).collect(),
            card: card.words(),
        }
    }
}

fn hold_row(hold: &Hold) -> HoldRow {
    HoldRow {
        request: entry(&hold.request),
        number: hold.number.clone(),
        line: hold.line.into(),
        quantity: hold.quantity,
        phase: hold.phase.word(),
        from: hold.span.from.to_string(),
        until: hold.span.until.map(|until| until.to_string()),
        valid_until: hold.valid_until.map(|until| until.to_string()),
    }
}
