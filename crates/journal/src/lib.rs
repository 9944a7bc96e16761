//! A nation's word is its log: how statements are committed to (`envelope`, `commitment`), how the log is a tree
//! (`tree`) with signed checkpoints (`note`, `checkpoint`), how a proof stands alone (`proof`), and an accusation
//! (`evidence_file`), how bodies are sealed (`seal`); and the federation's pure part: who a node is (`identity`,
//! `log_keys`, `rotation`, `roster`), how two meet (`peering`, `words`), what travels (`wire`, `cursor`), how a receiver
//! checks it (`sync`), what a witness cosigns (`witness`), how a log takes the place of another (`successor`), and how a
//! node speaks to a signer of its own (`signer_wire`).
//!
//! Floor 1: pure, imports `model` alone. The only maker of [`verified::Verified`].

pub mod age;
pub mod checkpoint;
pub mod commitment;
pub mod cursor;
pub mod envelope;
pub mod evidence_file;
pub mod heads;
pub mod identity;
pub mod limits;
pub mod log_keys;
pub mod mandate;
pub mod manifest;
pub mod note;
pub mod peering;
pub mod pieces;
pub mod proof;
pub mod purge;
pub mod roster;
pub mod rotation;
pub mod seal;
pub mod signer_wire;
pub mod stamp;
pub mod successor;
pub mod sync;
pub mod tree;
pub mod verified;
pub mod wire;
pub mod witness;
pub mod words;
