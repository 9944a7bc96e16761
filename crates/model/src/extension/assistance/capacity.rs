//! `x-entraide-capacity`: what a nation can lend, said by its node to itself alone: nothing of it leaves before an offer
//! (workflows §3.1; NIS2 Art 9(3)). A private provider is a capacity too.
//!
//! `x-entraide-capacity-card`: the same in bands ("forensics, small, 24 h"), said to an audience that the owner chooses.

use serde::{Deserialize, Serialize};

use super::request::is_language;
use super::words::{Clearance, HelpKind, Level, Mode, ReadyBand, Sector, SizeBand};
use super::{Quantity, optional, text};
use crate::extension::{Common, Extension};
use crate::limits;
use crate::origin::Country;
use crate::time::Timestamp;

/// A time during which a capacity can be lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// From then on.
    pub from: Timestamp,
    /// Until then, not included.
    pub until: Timestamp,
}

/// A company behind a capacity (Reg. (EU) 2025/38 Art 17): under which contract, and for whom it can't work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateProvider {
    /// Its name.
    pub name: String,
    /// The contract under which it works for us.
    pub contract: String,
    /// It does not work for these nations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_for_nations: Vec<String>,
    /// It does not work for entities of these sectors: it sells to them, or competes with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_for_sectors: Vec<Sector>,
}

/// What a capacity costs whoever pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCard {
    /// Cents of a euro for one person or piece a day.
    pub day_cents: u64,
    /// Cents of a euro once, for travel and set-up.
    #[serde(default)]
    pub once_cents: u64,
}

/// One version of a capacity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// Its name for people at home.
    pub name: String,
    /// What kind of help.
    #[serde(rename = "help")]
    pub kind: HelpKind,
    /// How experienced.
    pub level: Level,
    /// How many people or pieces at most at one time.
    pub quantity: Quantity,
    /// From afar, at the place, or either.
    pub mode: Mode,
    /// When it can be lent; none is at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Stood down: it takes on nothing new; what it has promised stays.
    #[serde(default)]
    pub stood_down: bool,
    /// Hours from the call until somebody acts from afar.
    pub ready_hours: u16,
    /// Hours more until somebody is at a place abroad.
    #[serde(default)]
    pub travel_hours: u16,
    /// Hours for which one mission may last; none is without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_hours: Option<u16>,
    /// Hours of rest after a mission, before it can be lent again.
    #[serde(default)]
    pub recovery_hours: u16,
    /// People of one team, for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_size: Option<Quantity>,
    /// What its people can do, in short words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// Tools that it brings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Sectors that its people know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sectors: Vec<Sector>,
    /// Languages that its people speak, as BCP 47 tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// The clearance of its people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clearance: Option<Clearance>,
    /// Its certificates, in short words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certifications: Vec<String>,
    /// What the host must have ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_needs: Option<String>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateCard>,
    /// Whom to call at any hour.
    pub call: String,
    /// What it does not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
    /// The company behind it, if it is not our own people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<PrivateProvider>,
}

impl Capacity {
    /// The same without its free text, once that is erased: what it is booked for is still known.
    #[must_use]
    pub fn without_words(&self, purged: &str) -> Self {
        let provider = self.provider.as_ref().map(|provider| PrivateProvider {
            name: purged.to_owned(),
            contract: purged.to_owned(),
            ..provider.clone()
        });
        Self {
            common: self.common.without_words(),
            name: purged.to_owned(),
            call: purged.to_owned(),
            skills: Vec::new(),
            tools: Vec::new(),
            certifications: Vec::new(),
            host_needs: None,
            limits: None,
            provider,
            ..self.clone()
        }
    }

    /// The bands in which it may be shown to others. Its name, number, contract and calendar stay at home.
    #[must_use]
    pub fn card(&self, common: Common, with_languages: bool) -> Card {
        let ready = if self.mode == Mode::OnSite {
            self.ready_hours.saturating_add(self.travel_hours)
        } else {
            self.ready_hours
        };
        Card {
            common,
            kind: self.kind,
            size: SizeBand::of(self.quantity),
            ready: ReadyBand::of(ready),
            mode: self.mode,
            languages: if with_languages { self.languages.clone() } else { Vec::new() },
        }
    }
}

impl Extension for Capacity {
    const KIND: &'static str = "x-entraide-capacity";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        text("name", &self.name, limits::NAME_BYTES)?;
        text("call", &self.call, limits::NAME_BYTES)?;
        optional("host_needs", self.host_needs.as_ref())?;
        optional("limits", self.limits.as_ref())?;
        words("skills", &self.skills)?;
        words("tools", &self.tools)?;
        words("certifications", &self.certifications)?;
        languages(&self.languages)?;
        windows(&self.windows)?;
        if let Some(team) = self.team_size
            && team > self.quantity
        {
            return Err("`team_size` is at most `quantity`".to_owned());
        }
        if self.duration_hours == Some(0) {
            return Err("`duration_hours` is at least 1".to_owned());
        }
        if let Some(rate) = self.rate
            && (rate.day_cents > limits::DAY_CENTS || rate.once_cents > limits::DAY_CENTS)
        {
            return Err(format!("`rate` is at most {} cents", limits::DAY_CENTS));
        }
        self.provider.as_ref().map_or(Ok(()), PrivateProvider::validate)
    }
}

impl PrivateProvider {
    fn validate(&self) -> Result<(), String> {
        text("provider.name", &self.name, limits::NAME_BYTES)?;
        text("provider.contract", &self.contract, limits::NAME_BYTES)?;
        let nations = &self.not_for_nations;
        if nations.len() > limits::CAPACITY_WORDS || nations.iter().any(|code| code.parse::<Country>().is_err()) {
            return Err(format!("`not_for_nations` are at most {} codes such as FR", limits::CAPACITY_WORDS));
        }
        Ok(())
    }
}

/// One version of a published card: bands, so that nobody learns how many people a nation has awake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// What kind of help.
    #[serde(rename = "help")]
    pub kind: HelpKind,
    /// About how many.
    pub size: SizeBand,
    /// About how soon.
    pub ready: ReadyBand,
    /// From afar, at the place, or either.
    pub mode: Mode,
    /// Languages, if the owner says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
}

impl Card {
    /// The card in words: `forensics, small, 24 h`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}, {}, {}", self.kind, self.size, self.ready.text())
    }
}

impl Extension for Card {
    const KIND: &'static str = "x-entraide-capacity-card";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        languages(&self.languages)
    }
}

fn words(property: &str, words: &[String]) -> Result<(), String> {
    if words.len() > limits::CAPACITY_WORDS {
        return Err(format!("`{property}` has at most {} words", limits::CAPACITY_WORDS));
    }
    words.iter().try_for_each(|word| text(property, word, limits::NAME_BYTES))
}

fn languages(tags: &[String]) -> Result<(), String> {
    if tags.len() > limits::LANGUAGES || tags.iter().any(|tag| !is_language(tag)) {
        return Err(format!("`languages` are at most {} tags such as `fr`", limits::LANGUAGES));
    }
    Ok(())
}

/// Windows follow each other, so that each calendar has one spelling.
fn windows(windows: &[Window]) -> Result<(), String> {
    if windows.len() > limits::CAPACITY_WINDOWS {
        return Err(format!("`windows` has at most {} windows", limits::CAPACITY_WINDOWS));
    }
    if windows.iter().any(|window| window.until <= window.from) {
        return Err("`windows`: `until` comes after `from`".to_owned());
    }
    if windows.windows(2).any(|pair| pair[1].from <= pair[0].until) {
        return Err("`windows` are in order of time and apart: write two that touch as one".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity() -> Capacity {
        let owner = "entraide/EE/REAL/0123456789abcdef".parse().unwrap();
        let at = Timestamp::from_seconds(1_790_000_000);
        Capacity {
            common: Common::new(Capacity::KIND, [9; 16], &owner, at).unwrap(),
            name: "night team".to_owned(),
            kind: HelpKind::Forensics,
            level: Level::Expert,
            quantity: Quantity::try_from(4).unwrap(),
            mode: Mode::Either,
            windows: vec![Window { from: at, until: at.plus_seconds(3_600) }],
            stood_down: false,
            ready_hours: 2,
            travel_hours: 10,
            duration_hours: Some(72),
            recovery_hours: 24,
            team_size: Some(Quantity::try_from(2).unwrap()),
            skills: vec!["memory".to_owned()],
            tools: vec!["own write blockers".to_owned()],
            sectors: vec![Sector::Health],
            languages: vec!["et".to_owned(), "en".to_owned()],
            clearance: Some(Clearance::Secret),
            certifications: Vec::new(),
            host_needs: Some("a room".to_owned()),
            rate: Some(RateCard { day_cents: 80_000, once_cents: 0 }),
            call: "duty, +372 600".to_owned(),
            limits: None,
            provider: Some(PrivateProvider {
                name: "Kaitse OÜ".to_owned(),
                contract: "2026-17".to_owned(),
                not_for_nations: vec!["FR".to_owned()],
                not_for_sectors: vec![Sector::Banking],
            }),
        }
    }

    #[test]
    fn a_capacity_reads_back_and_keeps_its_ranges() {
        assert_eq!(Capacity::read(&capacity().to_bytes()).unwrap(), capacity());
        let check = |change: fn(&mut Capacity), property: &str| {
            let mut changed = capacity();
            change(&mut changed);
            let error = Capacity::read(&changed.to_bytes()).unwrap_err().to_string();
            assert!(error.contains(property), "{error}");
        };
        check(|one| one.name.clear(), "name");
        check(|one| one.call.push('\u{7}'), "call");
        check(|one| one.windows[0].until = one.windows[0].from, "windows");
        check(|one| one.windows.push(one.windows[0]), "windows");
        check(|one| one.windows = vec![one.windows[0]; limits::CAPACITY_WINDOWS + 1], "windows");
        check(|one| one.team_size = Quantity::try_from(5).ok(), "team_size");
        check(|one| one.duration_hours = Some(0), "duration_hours");
        check(|one| one.languages.push("x".to_owned()), "languages");
        check(|one| one.skills = vec!["x".to_owned(); limits::CAPACITY_WORDS + 1], "skills");
        check(|one| one.rate = Some(RateCard { day_cents: limits::DAY_CENTS + 1, once_cents: 0 }), "rate");
        check(|one| one.provider.as_mut().unwrap().not_for_nations.push("France".to_owned()), "not_for_nations");
        check(|one| one.provider.as_mut().unwrap().contract.clear(), "contract");
    }

    #[test]
    fn a_card_says_bands_and_nothing_that_names_or_counts() {
        let common = Common::new(
            Card::KIND,
            [8; 16],
            &"entraide/EE/REAL/0123456789abcdef".parse().unwrap(),
            Timestamp::from_seconds(1_790_000_000),
        )
        .unwrap();
        let card = capacity().card(common, false);
        assert_eq!(card.words(), "forensics, medium, 6 h");
        assert_eq!(Card::read(&card.to_bytes()).unwrap(), card);
        let written = String::from_utf8(card.to_bytes()).unwrap();
        for secret in
            ["night", "Kaitse", "2026-17", "+372", "80000", "memory", "write blockers", "\"et\"", "expert", "secret"]
        {
            assert!(!written.contains(secret), "{secret} is in {written}");
        }
        // Two capacities in one band have one card.
        let mut other = capacity();
        (other.quantity, other.ready_hours) = (Quantity::try_from(3).unwrap(), 5);
        assert_eq!(other.card(card.common.clone(), false), card);
    }

    #[test]
    fn what_is_erased_keeps_what_a_booking_needs() {
        let bare = capacity().without_words("purged");
        assert_eq!(
            (bare.quantity, &bare.windows, bare.kind),
            (capacity().quantity, &capacity().windows, capacity().kind)
        );
        let written = String::from_utf8(bare.to_bytes()).unwrap();
        for word in ["night", "Kaitse", "2026-17", "+372", "memory", "write blockers", "a room"] {
            assert!(!written.contains(word), "{word} is in {written}");
        }
        assert_eq!(Capacity::read(&bare.to_bytes()).unwrap(), bare);
    }
}
