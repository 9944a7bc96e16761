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
    /// The body was to be erased, and the law of the receiver's place holds it: it stays sealed and out of every view until
    /// the hold is released, and another receipt then says so. Absent where nothing is held; an older reader passes over
    /// it, and reads that the body is not erased.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
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
        if self.held && self.erased {
            return Err("what is `held` is not `erased`".to_owned());
        }
        Ok(())
    }
}
