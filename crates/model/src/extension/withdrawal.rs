//! `x-entraide-withdrawal`: an owner takes back what it said. It is truth; the content-free *Withdraw* rows are made from it.

use serde::{Deserialize, Serialize};

use super::{Common, Extension};
use crate::ids::Citation;
use crate::limits;

/// How far a withdrawal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalAction {
    /// Stop showing and using it; the body stays sealed.
    StopSharing,
    /// Erase the body as well.
    Purge,
}

/// One statement taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// What is taken back: an entry of the same log.
    pub target: Citation,
    /// How far.
    pub action: WithdrawalAction,
    /// Why, in one line of English.
    pub reason: String,
}

impl Extension for Withdrawal {
    const KIND: &'static str = "x-entraide-withdrawal";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        if self.reason.len() > limits::TEXT_BYTES {
            return Err(format!("`reason` has at most {} bytes", limits::TEXT_BYTES));
        }
        Ok(())
    }
}
