//! Opening the node of a directory: its signer (and with it the lock), then the database. And letting go of it again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http_room::tls::NodeKey;
use node::Node;
use node::engine::Deps;
use node::ports::Clock;

use crate::configuration::{self, ConfigurationError};
use crate::keys::{KeysError, Layout};
use crate::limits;
use crate::machine::{MachineRandom, NoRandomness};
use crate::purge_list::FilePurgeList;
use crate::signer::{self, FileSigner};

/// Why a node did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The keys, the lock or the mark.
    #[error(transparent)]
    Signer(#[from] signer::OpenError),
    /// The database, or what it says of the mark.
    #[error(transparent)]
    Node(#[from] node::engine::OpenError),
    /// The configuration, which says where the purge list is.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

impl From<KeysError> for OpenError {
    fn from(error: KeysError) -> Self {
        Self::Signer(error.into())
    }
}

impl OpenError {
    /// Does another process have it open, so that waiting may help?
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Signer(signer::OpenError::Locked(_)))
    }
}

/// An open node, with what it takes to serve it.
pub struct Opened {
    /// The node.
    pub node: Node,
    /// Its TLS key.
    pub tls: NodeKey,
    signer: Weak<FileSigner>,
}

/// Opens the node of a directory.
///
/// # Errors
/// There is none, another process has it, or keys, mark and database do not belong together.
pub fn open(layout: &Layout, clock: Arc<dyn Clock>) -> Result<Opened, OpenError> {
    let (signer, known) = FileSigner::open(layout)?;
    let signer = Arc::new(signer);
    let random = Box::new(MachineRandom::new()?);
    let watched = Arc::downgrade(&signer);
    let purges = Arc::new(FilePurgeList::open(&configuration::purge_list(layout)?)?);
    let node = Node::open(layout.dir(), Deps { clock, random, signer, identity: known.signed, purges })?;
    Ok(Opened { node, tls: known.tls, signer: watched })
}

impl Opened {
    /// Lets go of the node, and waits until its writer has ended and the lock is free.
    ///
    /// Returns whether that came about within [`limits::STOP`]: it doesn't while somebody else still holds the node.
    pub async fn close(self) -> bool {
        let Self { node, tls: _, signer } = self;
        drop(node);
        let freed = async {
            while signer.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(limits::STOP, freed).await.is_ok()
    }
}
