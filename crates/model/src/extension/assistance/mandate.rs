//! `x-entraide-mandate`: what a partner's helpers may touch at an entity, said by the affected nation to the provider alone;
//! the entity's consent is part of it. `x-entraide-mandate-helpers`: who the provider sends, with their SSH public keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::words::{AccessKind, MandateAction, MandatePhase};
use crate::extension::{Common, Extension};
use crate::ids::Citation;
use crate::limits;
use crate::time::Timestamp;

/// The name of a system in a mandate, as its entity and the gate map it: 1 to 48 of a-z, 0-9, dot and hyphen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SystemName(String);

impl SystemName {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SystemName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || ".-".contains(letter);
        // It is a word of a principal and of a command line: nothing in it means anything to a shell.
        let good = (1..=48).contains(&text.len()) && text.chars().all(letter) && !text.starts_with(['-', '.']);
        good.then(|| Self(text.to_owned())).ok_or_else(|| {
            let shown: String = text.chars().filter(|letter| !letter.is_control()).take(60).collect();
            format!("`{shown}` is not a name of a system: write 1 to 48 of a-z, 0-9, dot and hyphen")
        })
    }
}
impl TryFrom<String> for SystemName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
impl From<SystemName> for String {
    fn from(name: SystemName) -> Self {
        name.0
    }
}
impl fmt::Display for SystemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The hours of each day (UTC) in which helpers may be in: `07:00-19:00`; it may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    from: u16,
    until: u16,
}

impl Hours {
    /// Is this moment within them?
    #[must_use]
    pub fn contain(self, at: Timestamp) -> bool {
        let minute = u16::try_from((at.micros().div_euclid(60_000_000)).rem_euclid(1_440)).unwrap_or(0);
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

impl FromStr for Hours {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            if hour.len() != 2 || minute.len() != 2 || !(hour.to_owned() + minute).bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        text.split_once('-')
            .and_then(|(from, until)| Some(Self { from: minute(from)?, until: minute(until)? }))
            .filter(|hours| hours.from != hours.until)
            .ok_or_else(|| "hours are written 07:00-19:00, in UTC".to_owned())
    }
}
impl TryFrom<String> for Hours {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
    }
}

/// An SSH public key of a helper as `ssh-keygen` writes it, without its comment: Ed25519 alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HelperKey(String);

/// The base64 of the name and the length with which an Ed25519 key begins (RFC 8709 §4); 43 letters of the key follow.
const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI";

impl HelperKey {
    /// As it is written: `ssh-ed25519 AAAA…`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HelperKey {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let key = format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        let good = key.strip_prefix(ED25519).is_some_and(|rest| rest.len() == 43 && rest.bytes().all(letter));
        good.then_some(Self(key))
            .ok_or_else(|| "a helper's key is the line of an `id_ed25519.pub`: ssh-keygen -t ed25519".to_owned())
    }
}
impl TryFrom<String> for HelperKey {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
impl From<HelperKey> for String {
    fn from(key: HelperKey) -> Self {
        key.0
    }
}

/// One helper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    /// By role: `forensics 1`; a name is never needed.
    pub role: String,
    /// The key with which the helper comes.
    pub key: HelperKey,
}

/// How the entity's consent is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum ConsentProof {
    /// Signed with the entity's own key: a note over the terms (`journal::mandate`).
    Signed {
        /// The entity's key, as notes name it.
        key: String,
        /// The note.
        note: String,
    },
    /// Said, and written down by somebody at the affected nation.
    Recorded {
        /// Who wrote it down, and how it was said.
        by: String,
    },
}

/// The entity's consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who consented: name and function.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// How that is known.
    pub proof: ConsentProof,
}

/// One version of a mandate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The acceptance under which it stands.
    pub agreement: Citation,
    /// Where it stands.
    pub phase: MandatePhase,
    /// Whose systems: as the provider is to know the entity.
    pub entity: String,
    /// By which way.
    pub access: AccessKind,
    /// Which systems.
    pub systems: Vec<SystemName>,
    /// What may be done on them.
    pub actions: Vec<MandateAction>,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Within which hours of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// What of the data may be taken, and where it may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_limits: Option<String>,
    /// Who may take it back: names and numbers. The nation's log and the entity's own switch always can.
    pub revokers: String,
    /// Who comes, by role: `two forensic analysts`.
    pub team: String,
    /// The entity's consent, from *consented* on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Who may come, as the provider has named them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<Helper>,
    /// When the entity opened the way, where that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Timestamp>,
    /// When it closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// SHA-256 of the token of the entity's gate, hexadecimal: with it the gate asks whether the mandate still stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// Why it was suspended or taken back, if it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Mandate {
    /// SHA-256 over everything to which the entity consents, hexadecimal. A version with other terms needs another consent.
    #[must_use]
    pub fn terms(&self) -> String {
        let terms = serde_json::json!([
            "entraide/mandate-terms/v1",
            self.common.id,
            self.agreement,
            self.entity,
            self.access,
            self.systems,
            self.actions,
            self.from,
            self.until,
            self.hours,
            self.data_limits,
            self.revokers,
            self.team,
        ]);
        crate::bytes::hex(&Sha256::digest(terms.to_string().as_bytes()))
    }

    /// The word of its thread in principals and files: the UUID of its id.
    #[must_use]
    pub fn word(&self) -> &str {
        self.common.id.as_str().rsplit_once("--").map_or("", |(_, uuid)| uuid)
    }

    /// Is the moment within its time and hours?
    #[must_use]
    pub fn is_time(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until && self.hours.is_none_or(|hours| hours.contain(now))
    }
}

impl Extension for Mandate {
    const KIND: &'static str = "x-entraide-mandate";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        super::text("entity", &self.entity, limits::NAME_BYTES)?;
        super::text("revokers", &self.revokers, limits::NAME_BYTES)?;
        super::text("team", &self.team, limits::NAME_BYTES)?;
        super::optional("data_limits", self.data_limits.as_ref())?;
        super::optional("reason", self.reason.as_ref())?;
        listed("systems", &self.systems, limits::MANDATE_SYSTEMS)?;
        listed("actions", &self.actions, MandateAction::ALL.len())?;
        if self.until <= self.from || self.until > self.from.plus_seconds(limits::MANDATE_SECONDS) {
            return Err("`until` comes after `from`, at most 31 days".to_owned());
        }
        if self.gate.as_ref().is_some_and(|gate| crate::bytes::unhex::<32>(gate).is_none()) {
            return Err("`gate` is a SHA-256 in hexadecimal".to_owned());
        }
        helpers(&self.helpers)?;
        if self.to_bytes().len() > limits::MANDATE_BYTES {
            return Err(format!(
                "a mandate has at most {} bytes: name fewer systems or helpers",
                limits::MANDATE_BYTES
            ));
        }
        if let (Some(opened), Some(closed)) = (self.opened, self.closed)
            && closed < opened
        {
            return Err("`closed` does not come before `opened`".to_owned());
        }
        match (&self.consent, self.phase) {
            (None, MandatePhase::Consented | MandatePhase::Active | MandatePhase::Suspended) => {
                Err("without the entity's `consent` a mandate is a draft".to_owned())
            }
            (Some(consent), _) => consent.validate(),
            (None, MandatePhase::Drafted | MandatePhase::Ended | MandatePhase::Revoked) => Ok(()),
        }
    }
}

impl Consent {
    fn validate(&self) -> Result<(), String> {
        super::text("consent.by", &self.by, limits::NAME_BYTES)?;
        match &self.proof {
            ConsentProof::Recorded { by } => super::text("consent.proof.by", by, limits::NAME_BYTES),
            ConsentProof::Signed { key, note } => {
                super::text("consent.proof.key", key, limits::NAME_BYTES)?;
                super::text("consent.proof.note", note, limits::CONSENT_BYTES)
            }
        }
    }
}

/// The provider says whom it sends: for the affected nation alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MandateHelpers {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The mandate for which they come.
    pub mandate: Citation,
    /// All of them; whoever is not in the newest version does not come any more.
    pub helpers: Vec<Helper>,
}

impl Extension for MandateHelpers {
    const KIND: &'static str = "x-entraide-mandate-helpers";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        helpers(&self.helpers)
    }
}

fn listed<T: Ord>(property: &str, items: &[T], most: usize) -> Result<(), String> {
    if items.is_empty() || items.len() > most {
        return Err(format!("`{property}` has 1 to {most} of them"));
    }
    let once: std::collections::BTreeSet<&T> = items.iter().collect();
    if once.len() == items.len() { Ok(()) } else { Err(format!("one of `{property}` stands twice")) }
}

fn helpers(helpers: &[Helper]) -> Result<(), String> {
    if helpers.len() > limits::MANDATE_HELPERS {
        return Err(format!("`helpers` has at most {} of them", limits::MANDATE_HELPERS));
    }
    let mut keys = std::collections::BTreeSet::new();
    for helper in helpers {
        super::text("role", &helper.role, limits::NAME_BYTES)?;
        if !keys.insert(&helper.key) {
            return Err("a key of `helpers` stands twice: each helper has an own one".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_systems_mean_nothing_to_a_shell() {
        let check = |text: &str, good: bool| assert_eq!(text.parse::<SystemName>().is_ok(), good, "{text}");
        check("mail-1.hospital", true);
        check("", false);
        check("-rf", false);
        check("Mail", false);
        check("a:b", false);
        check("a b", false);
        check("a;b", false);
        check(&"a".repeat(49), false);
    }

    #[test]
    fn hours_end_where_they_are_said_to_end_also_over_midnight() {
        let at = |minute: i64| Timestamp::from_seconds(1_790_000_000 / 86_400 * 86_400 + minute * 60);
        let check = |hours: &str, minute: i64, expect: bool| {
            assert_eq!(hours.parse::<Hours>().unwrap().contain(at(minute)), expect, "{hours} {minute}");
        };
        check("07:00-19:00", 419, false);
        check("07:00-19:00", 420, true);
        check("07:00-19:00", 1139, true);
        check("07:00-19:00", 1140, false);
        check("22:00-06:00", 1320, true);
        check("22:00-06:00", 0, true);
        check("22:00-06:00", 360, false);
        for wrong in ["7-19", "07:00-24:00", "07:00-07:00", "07:60-08:00", "+7:00-19:00", ""] {
            assert!(wrong.parse::<Hours>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_those_of_ssh_keygen() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
        assert_eq!(format!("{key} me@here").parse::<HelperKey>().unwrap().as_str(), key);
        for wrong in ["", "ssh-ed25519", "ssh-rsa AAAAB3NzaC1yc2E", &key[..60], &format!("restrict {key}")] {
            assert!(wrong.parse::<HelperKey>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = (text.parse::<SystemName>(), text.parse::<HelperKey>());
            if let Ok(hours) = text.parse::<Hours>() {
                prop_assert_eq!(hours.to_string(), text);
            }
        }
    }
}
