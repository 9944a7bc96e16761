//! Which acts commit the nation, and within which bounds one person may do them alone (workflows §0, "Who may commit the
//! nation").

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::extension::assistance::HelpKind;
use crate::extension::assistance::words::{WordError, words};
use crate::time::Timestamp;

words! {
    /// What commits the nation, and may need a second person.
    Act {
        /// A call for help goes out.
        Ask = "ask",
        /// A call for help changes, is closed or withdrawn.
        Amend = "amend",
        /// We offer help. A *maybe*, a *no* and taking back need nobody else.
        Offer = "offer",
        /// We accept an offer.
        Accept = "accept",
        /// We sign what was accepted of our offer: it is in force.
        Countersign = "countersign",
        /// We end what is agreed: retract, acknowledge, end.
        End = "end",
        /// Our people are sent, and what they cost is said.
        Mission = "mission",
        /// Fewer acts need a second person.
        Rules = "rules",
    }
}

impl Act {
    /// May a rule name it? That fewer acts need two persons is always for two.
    #[must_use]
    pub const fn is_ruled(self) -> bool {
        !matches!(self, Self::Rules)
    }
    /// Does paper follow within 30 days when one person signs it in an emergency (practice of EMAC)?
    #[must_use]
    pub const fn has_paper(self) -> bool {
        matches!(self, Self::Accept | Self::Countersign)
    }
}

/// What an act commits to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extent {
    /// Kinds of help.
    pub kinds: BTreeSet<HelpKind>,
    /// People or pieces, of all lines together.
    pub quantity: u32,
    /// What it says that it has cost, cents; nothing for acts that say no cost.
    pub cost_cents: u64,
}

/// Within what one person may act alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Which acts.
    pub acts: BTreeSet<Act>,
    /// Which kinds of help; none of them is any.
    pub kinds: BTreeSet<HelpKind>,
    /// People or pieces of all acts under it together.
    pub quantity: u32,
    /// Cents of all missions under it together; `None` is no bound.
    pub cost_cents: Option<u64>,
    /// Until then.
    pub until: Timestamp,
}
