//! Opening the node of a directory: its signer (and with it the lock), then the database. And letting go of it again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http_room::client::transport::PinnedTransport;
use http_room::server::sealed_files::SealedFiles;
use http_room::tls::NodeKey;
use intake::Classification;
use node::Node;
use node::depot::DepotError;
use node::engine::Deps;
use node::passkey::ceremony::HostName;
use node::ports::{Clock, Signer};

use crate::configuration::{self, ConfigurationError};
use crate::depot::FileDepot;
use crate::keys::{Keys, KeysError, Layout};
use crate::limits;
use crate::machine::{MachineRandom, NoRandomness};
use crate::purge_list::FilePurgeList;
use crate::realm::clock::ExerciseClock;
use crate::realm::{self, RecordError};
use crate::remote::Remote;
use crate::rotate::Desk;
use crate::signer::{self, FileSigner, Identified};
use crate::vault::KeyStore;

/// Why a node did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The keys, the lock or the mark.
    #[error(transparent)]
    Signer(#[from] signer::OpenError),
    /// The database, or what it says of the mark.
    #[error(transparent)]
    Node(#[from] node::engine::OpenError),
    /// The depot of sealed files.
    #[error(transparent)]
    Depot(#[from] DepotError),
    /// Randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The clock of an exercise.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What the configuration says of the node.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
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
        matches!(self, Self::Signer(signer::OpenError::Locked(_) | signer::OpenError::Leased))
    }
}

/// An open node, with what it takes to serve it.
pub struct Opened {
    /// The node.
    pub node: Node,
    /// Its TLS key.
    pub tls: NodeKey,
    /// The highest marking that it may hold.
    pub ceiling: Classification,
    /// The sealed files of its evidence.
    pub files: Arc<SealedFiles>,
    /// Where its keys are replaced.
    pub desk: Arc<Desk>,
    /// Its clock: in reality the machine's.
    pub clock: Arc<ExerciseClock>,
    /// The host name by which people reach it, as the configuration of the process says.
    pub host: Option<HostName>,
    /// Where the seats of a demonstration are chosen, if it belongs to one.
    pub seats: Option<String>,
    signer: Weak<dyn KeyStore>,
}

/// Opens the node of a directory. `clock` is the machine's; an exercise goes by its own.
///
/// # Errors
/// There is none, another process has it, or keys, mark and database do not belong together.
pub fn open(layout: &Layout, clock: Arc<dyn Clock>) -> Result<Opened, OpenError> {
    // Whoever opens it reads the ceiling: a command that opens the node itself refuses what the served node refuses.
    let ceiling = configuration::read(layout)?.ceiling;
    let (signer, known) = signer_of(layout)?;
    let random = Box::new(MachineRandom::new()?);
    let watched = Arc::downgrade(&signer);
    let purges = Arc::new(FilePurgeList::open(&configuration::purge_list(layout)?)?);
    let speaks: Arc<dyn Signer> = Arc::clone(&signer) as Arc<dyn Signer>;
    let clock = realm::clock_of(layout, known.identity.origin.realm(), clock)?;
    let told = Arc::clone(&clock) as Arc<dyn Clock>;
    let deps = Deps { clock: told, random, signer: speaks, identity: known.signed, purges };
    let node = Node::open(layout.dir(), deps)?;
    let desk = Arc::new(Desk::open(layout, node.clone(), signer, known.tls.clone(), known.next_tls)?);
    let transport = Arc::new(PinnedTransport::new(known.tls.clone()));
    let files = Arc::new(SealedFiles::new(Arc::new(FileDepot::open(&layout.depot())?), transport));
    Ok(Opened { node, tls: known.tls, ceiling, files, desk, clock, host: None, seats: None, signer: watched })
}

/// The signer in this process, or the one that is a process of its own, as the configuration says.
fn signer_of(layout: &Layout) -> Result<(Arc<dyn KeyStore>, Identified), OpenError> {
    let Some(socket) = signer::signer_socket(layout)? else {
        let (signer, known) = FileSigner::open(layout)?;
        return Ok((Arc::new(signer), known));
    };
    let known = Identified::from(Keys::read(layout)?);
    let signer: Arc<dyn KeyStore> = Arc::new(Remote::open(&socket, &known.identity.origin)?);
    let publics = signer.publics().map_err(|error| signer::OpenError::Remote(error.to_string()))?;
    let named = publics.log.contains(&known.identity.log_key) && publics.witness.contains(&known.identity.witness_key);
    if !named {
        let path = socket.display().to_string();
        return Err(KeysError::Mismatch { kind: "log or witness", path }.into());
    }
    Ok((signer, known))
}

impl Opened {
    /// Lets go of the node, and waits until its writer has ended and the lock is free.
    ///
    /// Returns whether that came about within [`limits::STOP`]: it doesn't while somebody else still holds the node.
    pub async fn close(self) -> bool {
        let Self { node, tls: _, ceiling: _, files: _, desk, clock: _, host: _, seats: _, signer } = self;
        drop((node, desk));
        let freed = async {
            while signer.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(limits::STOP, freed).await.is_ok()
    }
}
