//! `x-entraide-receipt`: a receiver says to the owner alone that a withdrawal was obeyed, and what that covers.

use serde::{Deserialize, Serialize};

use super::{Common, Extension};
use crate::ids::Citation;

/// An answer to a withdrawal. Nothing answers a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The withdrawn statement.
    pub target: Citation,
    /// Is it gone from every view of the store?
    pub store: bool,
    /// Is the sealed body erased too?
    pub erased: bool,
    /// How many exports had carried it out of the node; absent where the receiver keeps no ledger of exports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exports: Option<u32>,
    /// Of those, the ones that cannot be recalled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exports_not_recalled: Option<u32>,
}

impl Extension for Receipt {
    const KIND: &'static str = "x-entraide-receipt";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        if self.exports_not_recalled > self.exports {
            return Err("`exports_not_recalled` exceeds `exports`".to_owned());
        }
        Ok(())
    }
}
