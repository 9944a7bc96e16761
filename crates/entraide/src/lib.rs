//! The binary's parts: keys and the signer (`keys`, `signer`, `open`), a new node (`init`), a running one (`serve`),
//! backups (`backup`, `restore`, `vault`, `purge_list`), the command line (`command`), which speaks to a node through the
//! same API as everybody (`client`), and the demonstration (`demo`).
//!
//! Floor 5: imports every room. The machine's clock and randomness are read in `machine` alone; secrets stay here.

pub mod backup;
pub mod client;
pub mod command;
pub mod configuration;
pub mod demo;
pub mod init;
pub mod keys;
pub mod limits;
pub mod machine;
pub mod open;
pub mod purge_list;
pub mod restore;
pub mod serve;
pub mod signer;
pub mod vault;
