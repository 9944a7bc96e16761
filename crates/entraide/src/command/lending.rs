//! What the API answers about capacities and matching, as far as it is printed.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct MatchesOf {
    pub(super) number: String,
    pub(super) looked_at: usize,
    pub(super) fills: u32,
    pub(super) missing: u32,
    pub(super) pairings: Vec<PairingRow>,
    pub(super) gaps: Vec<GapRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PairingRow {
    pub(super) line: u16,
    pub(super) capacity: String,
    pub(super) name: String,
    pub(super) quantity: u32,
    pub(super) mode: String,
    pub(super) arrives: String,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct GapRow {
    pub(super) line: u16,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct KeptAt {
    pub(super) entry: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CardSaid {
    pub(super) entry: String,
    pub(super) words: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CapacityRow {
    pub(super) entry: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) mode: String,
    pub(super) state: String,
    pub(super) quantity: u32,
    pub(super) free: u32,
    pub(super) ready_hours: u16,
    pub(super) published: Vec<CardRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CapacityWhole {
    #[serde(flatten)]
    pub(super) row: CapacityRow,
    pub(super) call: String,
    pub(super) provider: Option<String>,
    pub(super) contract: Option<String>,
    pub(super) windows: Vec<LendWindow>,
    pub(super) holds: Vec<HoldRow>,
    pub(super) card: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct LendWindow {
    pub(super) from: String,
    pub(super) until: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct HoldRow {
    pub(super) number: String,
    pub(super) request: String,
    pub(super) line: u16,
    pub(super) quantity: u32,
    pub(super) phase: String,
    pub(super) from: String,
    pub(super) until: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CardRow {
    pub(super) entry: String,
    pub(super) owner: String,
    pub(super) words: String,
    pub(super) audience: Option<String>,
}
