//! Everything that knows HTTP and TLS: who is at the other end (`tls`), the listeners and the federation's routes
//! (`server`), the federation's client (`client`), and how a refusal is told (`problem`).
//!
//! Floor 4: the only room that opens sockets. What it limits is in `limits`.

pub mod client;
pub mod limits;
pub mod problem;
pub mod server;
pub mod tls;
