//! `x-entraide-assistance-agreement`: one step towards an agreement, or out of it. The requester accepts an offer; the
//! provider's countersignature puts it in force. The provider's log decides (workflows §0).
//!
//! `x-entraide-mission`: what the provider's people do under it.

use serde::{Deserialize, Serialize};

use super::words::{Line, Quantity};
use crate::extension::{Common, Extension};
use crate::ids::Citation;
use crate::limits;

/// What is taken of one line of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreedLine {
    /// The line of the request, and of the offer.
    pub line: Line,
    /// How many of those that are offered.
    pub quantity: Quantity,
}

/// One step. Who may take it: see each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum AgreementStep {
    /// The requester takes these lines of the cited version of an offer.
    Accept {
        /// Which lines, and how much of them.
        lines: Vec<AgreedLine>,
        /// What was settled beyond the offer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<String>,
        /// Paper follows within 30 days (practice of EMAC).
        emergency: bool,
    },
    /// The provider signs the cited acceptance: from here on it is in force.
    Countersign,
    /// The provider does not sign the cited acceptance: what was offered is no longer there.
    Decline {
        /// Why, if it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The requester takes its cited acceptance back. It takes effect when the provider's log acknowledges it; if the
    /// countersignature stands there first, it is notice of termination.
    Retract {
        /// Why, if it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The provider has read the cited retraction: it takes effect here.
    Acknowledge,
    /// The provider ends what is in force (the cited acceptance): fulfilled, or called home.
    End {
        /// Was everything done that was agreed?
        fulfilled: bool,
        /// Why, if it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// One statement about an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// What it answers: an offer, an acceptance, or a retraction, as the step says.
    pub answers: Citation,
    /// Which step.
    #[serde(flatten)]
    pub step: AgreementStep,
}

impl Extension for Agreement {
    const KIND: &'static str = "x-entraide-assistance-agreement";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        match &self.step {
            AgreementStep::Accept { lines, terms, emergency: _ } => {
                super::optional("terms", terms.as_ref())?;
                super::lines(lines.iter().map(|line| line.line))
            }
            AgreementStep::Decline { reason }
            | AgreementStep::Retract { reason }
            | AgreementStep::End { reason, fulfilled: _ } => super::optional("reason", reason.as_ref()),
            AgreementStep::Countersign | AgreementStep::Acknowledge => Ok(()),
        }
    }
}

/// Where a mission stands (workflows §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissionPhase {
    /// The order is given.
    Ordered,
    /// People and tools are made ready.
    Mobilising,
    /// They travel, or connect.
    Travelling,
    /// Somebody is on the case.
    OnTask,
    /// What was found and done is handed over.
    Handover,
    /// They go home.
    Demobilising,
    /// The report is written.
    Reporting,
    /// Done, with hours, costs and a summary.
    Closed,
    /// Broken off, with a reason.
    Aborted,
}

/// One version of a mission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mission {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The acceptance under which it works.
    pub agreement: Citation,
    /// Where it stands.
    pub phase: MissionPhase,
    /// Who leads it: name and number.
    pub leader: String,
    /// What was done since the last version, or the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Hours worked so far.
    pub hours: u32,
    /// What it has cost so far, in cents of a euro (Reg. (EU) 2025/38 rec. 38: travel, accommodation, allowances).
    pub cost_cents: u64,
}

impl Extension for Mission {
    const KIND: &'static str = "x-entraide-mission";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        super::text("leader", &self.leader, limits::NAME_BYTES)?;
        super::optional("report", self.report.as_ref())?;
        let ends = matches!(self.phase, MissionPhase::Closed | MissionPhase::Aborted);
        if ends && self.report.is_none() {
            return Err("a mission ends with a `report`: what was done, or why it was broken off".to_owned());
        }
        if self.cost_cents > limits::COST_CENTS {
            return Err(format!("`cost_cents` is at most {}", limits::COST_CENTS));
        }
        Ok(())
    }
}
