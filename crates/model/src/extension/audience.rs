//! `x-entraide-audience`: who is in an audience, said by its owner to its members. Each change is a new version.

use serde::{Deserialize, Serialize};

use super::{Common, Extension};
use crate::ids::AudienceId;
use crate::limits;
use crate::members::MemberSet;

/// What an audience is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudienceKind {
    /// Made by hand for a matter.
    Named,
    /// A standing circle of partners (EU states, a sector): CLEAR and GREEN go to the ticked ones.
    Community,
    /// The union of the ticked communities, made by the node.
    Union,
    /// One partner: receipts and answers for it alone.
    Bilateral,
}

/// One version of an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The audience, as envelopes name it.
    pub audience: AudienceId,
    /// From 1.
    pub version: u32,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub kind: AudienceKind,
    /// Who is in it, the owner not counted.
    pub members: MemberSet,
}

impl Extension for Audience {
    const KIND: &'static str = "x-entraide-audience";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        if self.version == 0 {
            return Err("`version` starts at 1".to_owned());
        }
        if self.name.is_empty() || self.name.len() > limits::NAME_BYTES {
            return Err(format!("`name` has 1 to {} bytes", limits::NAME_BYTES));
        }
        Ok(())
    }
}
