//! The way out: `federation`, the client that follows one partner; `transport`, the node's way to all of them; `join`,
//! the joiner's side of peering; `stamp`, the way to a time authority; `mail` and `webhook`, the ways to people.

mod federation;
pub mod join;
pub mod mail;
mod reason;
pub mod stamp;
pub mod transport;
pub mod webhook;

pub use federation::{FederationClient, backoff};
pub use reason::ClientError;
