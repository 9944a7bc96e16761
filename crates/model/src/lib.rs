//! The words of the field as types: who speaks (`origin`), what is said (`statement`, `envelope`), to whom (`members`),
//! under which marking (`label`), about which object (`stix`, `misp`, `extension`), and when (`time`).
//!
//! Floor 0: pure, imports no other room. Every value that could be wrong is parsed once, here, and is right afterwards.

pub mod age;
pub mod alert;
pub mod bytes;
pub mod commit;
pub mod duty;
pub mod envelope;
pub mod exercise;
pub mod extension;
pub mod ids;
pub mod json;
pub mod label;
pub mod limits;
pub mod members;
pub mod misp;
pub mod object;
pub mod origin;
pub mod party;
pub mod statement;
pub mod stix;
pub mod time;

pub use age::AgeRecipient;
pub use envelope::{AudienceAt, Envelope, Lane, MediaType, Slot, ThreadVersion};
pub use ids::{AudienceId, Citation, Commitment, EntryRef, Index, StixId, ThreadId};
pub use label::{Label, Pap, Tlp};
pub use members::{MemberSet, MemberSetDigest};
pub use object::{Head, StixVersion};
pub use origin::{Country, Origin, Realm, RootId};
pub use party::{Desk, PartnerClass, Reach, Role, Walled};
pub use statement::{BodyCommitment, OpenBody, Opening};
pub use time::Timestamp;
