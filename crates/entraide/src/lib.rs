//! The binary's parts: keys and the signer (`keys`, `vault`, `signer`, `open`), also as a process of its own (`signing`,
//! `remote`) or in a token (`token`), how keys are replaced (`rotate`), a new node (`init`), a running one (`serve`),
//! exercises beside it (`realm`), backups (`backup`, `restore`, `sealed_archive`, `purge_list`), the gateway of an entity
//! (`gate`), the command line (`command`), which speaks to a node through the same API as everybody (`client`), and the
//! demonstration (`demo`).
//! exercises beside it (`realm`), what its files have to be (`checked`, `files`), backups (`backup`, `restore`,
//! `sealed_archive`, `purge_list`), the command line (`command`), which speaks to a node through the same API as everybody
//! (`client`), and the demonstration (`demo`).
//!
//! Floor 5: imports every room. The machine's clock and randomness are read in `machine` alone; secrets stay here.

pub mod alerting;
pub mod backup;
pub mod cipher;
pub mod client;
pub mod command;
pub mod configuration;
pub mod demo;
pub mod depot;
pub mod gate;
pub mod init;
pub mod keys;
pub mod limits;
pub mod machine;
pub mod maildir;
pub mod open;
pub mod purge_list;
pub mod realm;
pub mod remote;
pub mod restore;
pub mod rotate;
pub mod sealed_archive;
pub mod sealing;
pub mod serve;
pub mod signer;
pub mod signing;
pub mod successor;
pub mod token;
pub mod vault;

mod checked;
mod files;
