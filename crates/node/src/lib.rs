//! The conductor: one function a use case, one transaction each, and the workers around them.
//!
//! Floor 3. Use cases are sync functions over a [`Work`] (a write) or a [`View`] (a read). [`Engine`] runs them on one
//! thread, as the simulator does for 27 nations; [`Node`] runs an engine on a writer thread, with a pool of readers.
//! What the node needs from the machine it takes through the small traits of [`ports`].
//!
//! A statement's way: `assert` → `append` → `store` → COMMIT → sign (`engine`, driven by `writer`) → `feed` → a
//! partner's `pull` → `receive` → `fold`.

pub mod account;
pub mod actor;
pub mod alert;
pub mod announce;
pub mod append;
pub mod assert;
pub mod assist;
pub mod audience;
pub mod body;
pub mod commit;
pub mod cosign;
pub mod depot;
pub mod disclose;
pub mod duty;
pub mod engine;
pub mod export_list;
pub mod feed;
pub mod fold;
pub mod gossip;
pub mod guest;
pub mod handover;
pub mod heads;
pub mod hold;
pub mod identities;
pub mod intake_desk;
pub mod ledger;
pub mod limits;
pub mod me;
pub mod partner;
pub mod passkey;
pub mod pointer;
pub mod ports;
pub mod pull;
pub mod purge;
pub mod purged;
pub mod query;
pub mod ratchet;
pub mod reach;
pub mod rebuild;
pub mod receive;
pub mod recovery;
pub mod red;
pub mod restore;
pub mod retention;
pub mod rewrap;
pub mod spill;
pub mod stamp;
pub mod standing;
pub mod subject;
pub mod successor;
pub mod verify;
pub mod withdraw;
pub mod witness;
pub mod work;
pub mod writer;
pub mod yours;

pub use actor::{Actor, Permission};
pub use engine::Engine;
pub use me::Me;
pub use standing::Standing;
pub use work::{View, Work};
pub use writer::{Node, Stopped, WriteError};
