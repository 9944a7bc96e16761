//! The way out: `federation`, the client that follows one partner; `transport`, the node's way to all of them; `join`,
//! the joiner's side of peering; `stamp`, the way to a time authority.

mod federation;
pub mod join;
mod reason;
pub mod stamp;
pub mod transport;

pub use federation::{FederationClient, backoff};
pub use reason::ClientError;
