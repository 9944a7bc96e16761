//! The gate: what an entity runs at its own gateway, behind a stock sshd, so that a mandate by `ssh` is enforced there. It
//! needs no node and no database; what it knows of a mandate it asks of the nation's node by a lease.
//!
//! A local account stands for one system and action of one mandate (`config`). sshd asks who may come in (`door`), by
//! commands that read the files of the daemon; a session runs under `session` and is written down by the daemon
//! (`daemon`), which also ends every process of an account whose mandate does not stand (`end`). The kill switch is a file
//! (`door::kill`), and needs neither node nor daemon.

pub mod authority;
pub mod config;
pub mod daemon;
pub mod door;
pub mod end;
pub mod lease;
pub mod recording;
pub mod session;

use crate::client::ClientError;
use crate::keys::KeysError;

/// Why the gate did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The file that says what the gate guards.
    #[error("`{path}`: {reason}")]
    Config {
        /// Which file.
        path: String,
        /// What is wrong, and what to write.
        reason: String,
    },
    /// A file or a directory.
    #[error(transparent)]
    File(#[from] KeysError),
    /// The node.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// The mandate lets nobody in now.
    #[error(transparent)]
    Shut(#[from] lease::Shut),
    /// A program of the system.
    #[error("`{program}` did not do its work: {reason}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        reason: String,
    },
    /// Named here, and not in the gate's file.
    #[error("`{0}` is not a mandate of this gate: name one that its file names")]
    Mandate(String),
    /// The daemon.
    #[error("the gate's daemon is not reached: start `entraide gate run`")]
    Daemon,
    /// The daemon said no.
    #[error("{0}")]
    Refused(String),
}
