//! Answers about spills, legal holds and how long data is kept.

use serde::Deserialize;

use super::GivenRow;

/// What a spill reached.
#[derive(Debug, Deserialize)]
pub(in super::super) struct SpillReport {
    pub(in super::super) number: Option<i64>,
    pub(in super::super) at: Option<String>,
    pub(in super::super) who: Option<String>,
    pub(in super::super) second: Option<String>,
    pub(in super::super) reason: Option<String>,
    pub(in super::super) statements: Vec<SpilledStatement>,
    pub(in super::super) intake: Vec<SpilledIntake>,
    pub(in super::super) held: Vec<String>,
    pub(in super::super) not_recalled: u64,
    pub(in super::super) open: u64,
}

/// Of a spill's report.
#[derive(Debug, Deserialize)]
pub(in super::super) struct SpilledStatement {
    pub(in super::super) entry: String,
    pub(in super::super) purged: bool,
    pub(in super::super) withdrawal: Option<String>,
    pub(in super::super) kept_by_partners: bool,
    pub(in super::super) given: Vec<GivenRow>,
    pub(in super::super) holders: Vec<Holder>,
    pub(in super::super) call: Option<Called>,
}

/// Of a spill's report.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Holder {
    pub(in super::super) partner: String,
    pub(in super::super) name: Option<String>,
    pub(in super::super) standing: String,
    pub(in super::super) exports: Option<u32>,
    pub(in super::super) not_recalled: Option<u32>,
}

/// Of a spill's report.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Called {
    pub(in super::super) origin: String,
    pub(in super::super) name: Option<String>,
}

/// Of a spill's report.
#[derive(Debug, Deserialize)]
pub(in super::super) struct SpilledIntake {
    pub(in super::super) intake: i64,
    pub(in super::super) taken: String,
    pub(in super::super) who: Option<String>,
}

/// The spills.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Spills {
    pub(in super::super) items: Vec<SpillLine>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(in super::super) struct SpillLine {
    pub(in super::super) number: i64,
    pub(in super::super) at: String,
    pub(in super::super) who: String,
    pub(in super::super) reason: String,
}

/// The legal holds.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Holds {
    pub(in super::super) items: Vec<HoldLine>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(in super::super) struct HoldLine {
    pub(in super::super) number: i64,
    pub(in super::super) on: String,
    pub(in super::super) at: String,
    pub(in super::super) who: String,
    pub(in super::super) reason: String,
    pub(in super::super) until: Option<String>,
    pub(in super::super) due: bool,
    pub(in super::super) released: Option<String>,
    pub(in super::super) released_by: Option<String>,
}

/// A hold that was laid.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Laid {
    pub(in super::super) number: i64,
}

/// A hold that was released.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Released {
    pub(in super::super) number: i64,
    pub(in super::super) erased: u64,
}

/// How long data is kept.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Retention {
    pub(in super::super) rules: Vec<Rule>,
    pub(in super::super) runs: Vec<Run>,
}

/// One rule.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Rule {
    pub(in super::super) rule: String,
    pub(in super::super) days: u32,
}

/// One purge of what was due.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Run {
    pub(in super::super) number: i64,
    pub(in super::super) at: String,
    pub(in super::super) who: String,
    pub(in super::super) planned: u64,
    pub(in super::super) purged: u64,
}

/// What is due.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Plan {
    pub(in super::super) at: String,
    pub(in super::super) digest: String,
    pub(in super::super) rules: Vec<PlannedRule>,
    pub(in super::super) items: Vec<PlannedItem>,
    pub(in super::super) more: bool,
}

/// By one rule.
#[derive(Debug, Deserialize)]
pub(in super::super) struct PlannedRule {
    pub(in super::super) rule: String,
    pub(in super::super) days: u32,
    pub(in super::super) due: u64,
    pub(in super::super) oldest: Option<String>,
}

/// One item.
#[derive(Debug, Deserialize)]
pub(in super::super) struct PlannedItem {
    pub(in super::super) rule: String,
    pub(in super::super) name: String,
    pub(in super::super) since: String,
}

/// What a plan's application did.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Applied {
    pub(in super::super) run: i64,
    pub(in super::super) planned: u64,
    pub(in super::super) purged: u64,
}
