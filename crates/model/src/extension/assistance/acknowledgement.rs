//! `x-entraide-acknowledgement`: a partner says to whoever asks for help, and to nobody else, that somebody is awake for it.
//! It promises nothing: an offer does.

use serde::{Deserialize, Serialize};

use crate::extension::{Common, Extension};
use crate::ids::Citation;
use crate::time::Timestamp;

/// Somebody is awake for a call for help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The version of the request that woke somebody.
    pub answers: Citation,
    /// Since when somebody is awake for it.
    pub at: Timestamp,
}

impl Extension for Acknowledgement {
    const KIND: &'static str = "x-entraide-acknowledgement";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}
