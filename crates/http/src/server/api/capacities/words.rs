//! What people and programs say to `/capacities`, read into the words of the domain.

use model::extension::Common;
use model::extension::assistance::{
    Capacity, Clearance, HelpKind, Level, Mode, PrivateProvider, Quantity, RateCard, Sector, Window,
};
use model::{Timestamp, Tlp};
use node::audience::Choice;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::server::api::refusal::Refusal;
use crate::server::api::request;

/// A time in which a capacity can be lent.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LendWindow {
    /// From then on (RFC 3339).
    #[schema(value_type = String)]
    pub from: Timestamp,
    /// Until then.
    #[schema(value_type = String)]
    pub until: Timestamp,
}

impl From<LendWindow> for Window {
    fn from(window: LendWindow) -> Self {
        Self { from: window.from, until: window.until }
    }
}

/// The company behind a capacity.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// The contract under which it works for us.
    pub contract: String,
    /// It does not work for these nations: `FR` …
    #[serde(default)]
    pub not_for_nations: Vec<String>,
    /// It does not work for entities of these sectors.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub not_for_sectors: Vec<Sector>,
}

/// What can be lent. Name, kind, how many and whom to call are enough.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCapacity {
    /// Its name for people at home.
    pub name: String,
    /// What kind of help: `forensics`, `malware-analysis`, `containment` …
    #[schema(value_type = String)]
    pub kind: HelpKind,
    /// How many people or pieces at most at one time.
    #[schema(value_type = u32, minimum = 1)]
    pub quantity: Quantity,
    /// Whom to call at any hour.
    pub call: String,
    /// `basic`, `experienced` unless said otherwise, `expert`.
    #[serde(default = "experienced")]
    #[schema(value_type = String)]
    pub level: Level,
    /// `remote`, `on-site`, `either` unless said otherwise.
    #[serde(default = "either")]
    #[schema(value_type = String)]
    pub mode: Mode,
    /// When it can be lent; none is at any time.
    #[serde(default)]
    pub windows: Vec<LendWindow>,
    /// Hours from the call until somebody acts from afar; 24 unless said otherwise.
    #[serde(default = "a_day")]
    pub ready_hours: u16,
    /// Hours more until somebody is at a place abroad.
    #[serde(default)]
    pub travel_hours: u16,
    /// Hours for which one mission may last.
    #[serde(default)]
    pub duration_hours: Option<u16>,
    /// Hours of rest after a mission.
    #[serde(default)]
    pub recovery_hours: u16,
    /// People of one team.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub team_size: Option<Quantity>,
    /// What its people can do.
    #[serde(default)]
    pub skills: Vec<String>,
    /// Tools that it brings.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Sectors that its people know.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub sectors: Vec<Sector>,
    /// Languages that its people speak.
    #[serde(default)]
    pub languages: Vec<String>,
    /// `restricted`, `confidential`, `secret`, `top-secret`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub clearance: Option<Clearance>,
    /// Its certificates.
    #[serde(default)]
    pub certifications: Vec<String>,
    /// What the host must have ready.
    #[serde(default)]
    pub host_needs: Option<String>,
    /// Cents of a euro for one person or piece a day.
    #[serde(default)]
    pub day_cents: Option<u64>,
    /// Cents of a euro once.
    #[serde(default)]
    pub once_cents: Option<u64>,
    /// What it does not do.
    #[serde(default)]
    pub limits: Option<String>,
    /// The company behind it, if it is not our own people.
    #[serde(default)]
    pub provider: Option<Provider>,
}

const fn experienced() -> Level {
    Level::Experienced
}
const fn either() -> Mode {
    Mode::Either
}
const fn a_day() -> u16 {
    24
}

impl NewCapacity {
    /// In the words of the model.
    #[must_use]
    pub fn read(self, common: Common) -> Capacity {
        let rate = (self.day_cents.is_some() || self.once_cents.is_some())
            .then(|| RateCard { day_cents: self.day_cents.unwrap_or(0), once_cents: self.once_cents.unwrap_or(0) });
        Capacity {
            common,
            name: self.name,
            kind: self.kind,
            level: self.level,
            quantity: self.quantity,
            mode: self.mode,
            windows: self.windows.into_iter().map(Window::from).collect(),
            stood_down: false,
            ready_hours: self.ready_hours,
            travel_hours: self.travel_hours,
            duration_hours: self.duration_hours,
            recovery_hours: self.recovery_hours,
            team_size: self.team_size,
            skills: self.skills,
            tools: self.tools,
            sectors: self.sectors,
            languages: self.languages,
            clearance: self.clearance,
            certifications: self.certifications,
            host_needs: self.host_needs,
            rate,
            call: self.call,
            limits: self.limits,
            provider: self.provider.map(|provider| PrivateProvider {
                name: provider.name,
                contract: provider.contract,
                not_for_nations: provider.not_for_nations,
                not_for_sectors: provider.not_for_sectors,
            }),
        }
    }
}

/// What is new in a version of a capacity; what is left out stays as it was.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeCapacity {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// How many.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub quantity: Option<Quantity>,
    /// Whom to call.
    #[serde(default)]
    pub call: Option<String>,
    /// Does it take on nothing new?
    #[serde(default)]
    pub stood_down: Option<bool>,
    /// All windows anew; an empty list is at any time.
    #[serde(default)]
    pub windows: Option<Vec<LendWindow>>,
    /// Hours until somebody acts.
    #[serde(default)]
    pub ready_hours: Option<u16>,
    /// Hours more to a place abroad.
    #[serde(default)]
    pub travel_hours: Option<u16>,
    /// Hours of rest.
    #[serde(default)]
    pub recovery_hours: Option<u16>,
    /// All languages anew.
    #[serde(default)]
    pub languages: Option<Vec<String>>,
    /// What it does not do.
    #[serde(default)]
    pub limits: Option<String>,
}

impl ChangeCapacity {
    /// Puts what is new into a version.
    pub fn apply(self, capacity: &mut Capacity) {
        let Self {
            name,
            quantity,
            call,
            stood_down,
            windows,
            ready_hours,
            travel_hours,
            recovery_hours,
            languages,
            limits,
        } = self;
        capacity.name = name.unwrap_or_else(|| capacity.name.clone());
        capacity.quantity = quantity.unwrap_or(capacity.quantity);
        capacity.call = call.unwrap_or_else(|| capacity.call.clone());
        capacity.stood_down = stood_down.unwrap_or(capacity.stood_down);
        if let Some(windows) = windows {
            capacity.windows = windows.into_iter().map(Window::from).collect();
        }
        capacity.ready_hours = ready_hours.unwrap_or(capacity.ready_hours);
        capacity.travel_hours = travel_hours.unwrap_or(capacity.travel_hours);
        capacity.recovery_hours = recovery_hours.unwrap_or(capacity.recovery_hours);
        capacity.languages = languages.unwrap_or_else(|| capacity.languages.clone());
        capacity.limits = limits.or_else(|| capacity.limits.clone());
    }
}

/// To whom a card goes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// `clear`, `green`, `amber` or `amber+strict`.
    pub label: String,
    /// The audience's name; without one CLEAR and GREEN go to the ticked communities.
    #[serde(default)]
    pub audience: Option<String>,
    /// Say the languages too.
    #[serde(default)]
    pub languages: bool,
}

impl Publish {
    /// Reads the label.
    ///
    /// # Errors
    /// No such label.
    pub fn read(self) -> Result<(Tlp, Choice), Refusal> {
        let tlp = self.label.parse().map_err(Refusal::unreadable)?;
        Ok((tlp, request::audience(self.audience)))
    }
}
