//! Markings: TLP 2.0 says who may see, PAP says what may be done with it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A TLP 2.0 label, from the most open to the strictest (FIRST, TLP 2.0). The order is the strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tlp {
    /// May be shared with everyone whom the owner's communities admit.
    Clear,
    /// The communities that the owner ticked, and their constituents.
    Green,
    /// The authorities in the audience, and those constituents whom they admit.
    Amber,
    /// The authorities in the audience only.
    AmberStrict,
    /// Named persons, on the owner's node.
    Red,
}

/// Why a label was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a label: write clear, green, amber, amber+strict or red")]
pub struct LabelError(String);

impl Tlp {
    /// All five, from open to strict.
    pub const ALL: [Self; 5] = [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The word of the standard without its prefix: `AMBER+STRICT`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::AmberStrict => "AMBER+STRICT",
            Self::Red => "RED",
        }
    }

    /// The marking-definition id of TLP 2.0 (OASIS, STIX 2.1 extension for TLP 2.0).
    #[must_use]
    pub const fn marking_id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// The label that a marking-definition id means: TLP 2.0, or TLP 1 (STIX 2.1 §7.2.1.4) mapped to it.
    #[must_use]
    pub fn of_marking(id: &str) -> Option<Self> {
        match id {
            "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9" => Some(Self::Clear),
            "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da" => Some(Self::Green),
            "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82" => Some(Self::Amber),
            "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed" => Some(Self::Red),
            _ => Self::ALL.into_iter().find(|label| label.marking_id() == id),
        }
    }

    /// The label that a MISP tag means (taxonomy `tlp`), if it is one. `tlp:unclear` and unknown ones read as RED.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let name = tag.trim().to_ascii_lowercase();
        let value = name.strip_prefix("tlp:")?;
        Some(match value.trim_matches('"') {
            "white" | "clear" => Self::Clear,
            "green" => Self::Green,
            "amber" => Self::Amber,
            "amber+strict" => Self::AmberStrict,
            _ => Self::Red,
        })
    }

    /// One byte in an envelope.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clear => 0,
            Self::Green => 1,
            Self::Amber => 2,
            Self::AmberStrict => 3,
            Self::Red => 4,
        }
    }

    /// The label of an envelope's byte.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLP:{}", self.word())
    }
}

impl FromStr for Tlp {
    type Err = LabelError;
    fn from_str(text: &str) -> Result<Self, LabelError> {
        let lower = text.to_ascii_lowercase();
        match lower.strip_prefix("tlp:").unwrap_or(&lower) {
            "clear" => Ok(Self::Clear),
            "green" => Ok(Self::Green),
            "amber" => Ok(Self::Amber),
            "amber+strict" | "amber-strict" => Ok(Self::AmberStrict),
            "red" => Ok(Self::Red),
            _ => Err(LabelError(text.chars().take(40).collect())),
        }
    }
}

/// The Permissible Actions Protocol: what a receiver may do with the information. The order is the strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pap {
    /// Everything.
    Clear,
    /// Active actions that the adversary may notice only slightly: detection, blocking.
    Green,
    /// Passive checks only: detection on stored or passing data.
    Amber,
    /// Nothing that leaves the analyst's desk.
    Red,
}

impl Pap {
    /// All four, from open to strict.
    pub const ALL: [Self; 4] = [Self::Clear, Self::Green, Self::Amber, Self::Red];

    /// The word without its prefix.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::Red => "RED",
        }
    }

    /// The permission that a MISP tag means (taxonomy `PAP`), if it is one; unknown ones read as RED.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let name = tag.trim().to_ascii_lowercase();
        Some(match name.strip_prefix("pap:")? {
            "clear" | "white" => Self::Clear,
            "green" => Self::Green,
            "amber" => Self::Amber,
            _ => Self::Red,
        })
    }

    /// One byte in an envelope; 0 means that none was given.
    #[must_use]
    pub const fn code(pap: Option<Self>) -> u8 {
        match pap {
            None => 0,
            Some(Self::Clear) => 1,
            Some(Self::Green) => 2,
            Some(Self::Amber) => 3,
            Some(Self::Red) => 4,
        }
    }

    /// The permission of an envelope's byte: outer `None` for a byte that means nothing.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Option<Self>> {
        match code {
            0 => Some(None),
            n => Self::ALL.get(usize::from(n) - 1).copied().map(Some),
        }
    }
}

impl FromStr for Pap {
    type Err = LabelError;
    fn from_str(text: &str) -> Result<Self, LabelError> {
        let lower = text.to_ascii_lowercase();
        let word = lower.strip_prefix("pap:").unwrap_or(&lower);
        Self::ALL
            .into_iter()
            .find(|pap| pap.word().eq_ignore_ascii_case(word))
            .ok_or_else(|| LabelError(text.chars().take(40).collect()))
    }
}

/// What an envelope says of sharing and use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Label {
    /// Who may see it.
    pub tlp: Tlp,
    /// What may be done with it; without one, neither detection nor blocking.
    pub pap: Option<Pap>,
}

impl From<Tlp> for Label {
    fn from(tlp: Tlp) -> Self {
        Self { tlp, pap: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_strictness() {
        assert!(Tlp::Clear < Tlp::Green && Tlp::Amber < Tlp::AmberStrict && Tlp::AmberStrict < Tlp::Red);
        assert!(Pap::Clear < Pap::Red);
    }

    #[test]
    fn old_and_new_markings_are_read() {
        for label in Tlp::ALL {
            assert_eq!(Tlp::of_marking(label.marking_id()), Some(label));
            assert_eq!(Tlp::from_code(label.code()), Some(label));
            assert_eq!(label.to_string().parse(), Ok(label));
        }
        assert_eq!(Tlp::of_marking("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"), Some(Tlp::Amber));
        assert_eq!(Tlp::of_marking("marking-definition--fa42a846-8d90-4e51-bc29-71d5b4802168"), None);
    }

    #[test]
    fn tags_that_say_tlp_badly_are_red() {
        assert_eq!(Tlp::of_tag("tlp:white"), Some(Tlp::Clear));
        assert_eq!(Tlp::of_tag("TLP:AMBER+STRICT"), Some(Tlp::AmberStrict));
        assert_eq!(Tlp::of_tag("tlp:purple"), Some(Tlp::Red));
        assert_eq!(Tlp::of_tag("osint:source-type"), None);
        assert_eq!(Pap::of_tag("PAP:AMBER"), Some(Pap::Amber));
    }
}
