//! Who may see what, and for what purpose. One pure function answers ([`decide()`]), and content leaves only as
//! [`Released`], which nothing outside this room can make.
//!
//! Floor 1: pure, imports `model` only. `viewer` says who asks, `facts` what is asked for, `decide` holds the rules,
//! `release` the gate, `sees` the question "who will see this?", `assertion` what may be asserted at all, and `oracle`
//! a second, naive reading of the same rules that the property tests compare with `decide`.

pub mod assertion;
pub mod decide;
pub mod facts;
pub mod limits;
pub mod oracle;
pub mod release;
pub mod sees;
pub mod verdict;
pub mod viewer;
#[cfg(any(test, feature = "worlds"))]
pub mod worlds;

pub use assertion::{LabelRefused, WiderThanTarget, ceiling, dependents};
pub use decide::{PolicyVersion, decide};
pub use facts::{Article, ArticleError, Facts, Kind, Reader, WallException};
pub use release::{Denied, Governed, Released, derive, give_back, release, release_all};
pub use sees::{PartnerFacts, Sees, who_sees};
pub use verdict::{Because, Verdict};
pub use viewer::{EntityId, GuestId, Purpose, ReaderId, Roles, Viewer};
