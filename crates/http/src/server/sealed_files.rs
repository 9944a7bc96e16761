//! The sealed files of evidence as the listeners reach them: the depot, off the threads that answer, some pieces at once;
//! and the way to the partner whose file it is.

use std::sync::Arc;

use model::Origin;
use model::extension::assistance::Sha256Digest;
use node::Node;
use node::assist::AssistError;
use node::assist::sealed::SealedFile;
use node::depot::{self, Depot, DepotError};
use node::ports::{PartnerAddress, Transport, TransportError};
use store::{PartnerState, StoreError};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits;

/// Where the sealed files of a node are, and how it asks partners for theirs.
pub struct SealedFiles {
    depot: Arc<dyn Depot>,
    transport: Arc<dyn Transport>,
    turns: Semaphore,
}

/// Why a piece of a sealed file is not given.
#[derive(Debug, thiserror::Error)]
pub enum PieceError {
    /// The depot.
    #[error(transparent)]
    Depot(#[from] DepotError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its bytes are not here, and are nobody else's to give.
    #[error("its sealed bytes are not there any more: ask its owner to put them in again")]
    Gone,
    /// The owner's node did not give it.
    #[error("the owner's node did not give it ({0}): run the same command again, it goes on where it was")]
    Partner(#[from] TransportError),
}

impl SealedFiles {
    /// The files of a depot; partners are asked through `transport`.
    #[must_use]
    pub fn new(depot: Arc<dyn Depot>, transport: Arc<dyn Transport>) -> Self {
        Self { depot, transport, turns: Semaphore::new(limits::PIECES_AT_ONCE) }
    }

    /// The depot itself, for commands.
    #[must_use]
    pub fn depot(&self) -> Arc<dyn Depot> {
        Arc::clone(&self.depot)
    }

    /// Waits for one's turn to hold a piece in memory.
    ///
    /// # Errors
    /// The node goes down.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, DepotError> {
        self.turns.acquire().await.map_err(|_| DepotError::Disk("the node goes down".to_owned()))
    }

    /// Does something with the depot, off the threads that answer.
    ///
    /// # Errors
    /// What the depot says.
    pub async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&dyn Depot) -> Result<T, DepotError> + Send + 'static,
    ) -> Result<T, DepotError> {
        let depot = Arc::clone(&self.depot);
        let done = tokio::task::spawn_blocking(move || act(depot.as_ref())).await;
        done.unwrap_or_else(|error| Err(DepotError::Disk(error.to_string())))
    }

    /// Makes ready to take a file out: of a partner's, what its pieces are is fetched, and checked against its statement.
    ///
    /// # Errors
    /// The bytes are gone, the owner's node does not give them, or there is no room for them.
    pub async fn ready(&self, node: &Node, file: &SealedFile) -> Result<(), PieceError> {
        let name = file.name;
        if self.with(move |depot| depot.kept(name)).await?.is_some() {
            return Ok(());
        }
        let (to, index, size) = (owner(node, file).await?, file.known.place.index, file.size);
        let digests = self.transport.evidence(&to, index, None).await?;
        // What partners send is checked against what stands in their log.
        self.with(move |depot| depot::begin(depot, name, size, &digests, None)).await?;
        Ok(())
    }

    /// A piece of a file: from the depot, or from the owner's node, and then kept.
    ///
    /// # Errors
    /// It is gone, the owner's node does not give it, or the disk.
    pub async fn piece(&self, node: &Node, file: &SealedFile, piece: u64) -> Result<Vec<u8>, PieceError> {
        let name = file.name;
        if let Some(bytes) = self.with(move |depot| depot.read(name, piece)).await? {
            return Ok(bytes);
        }
        self.ready(node, file).await?;
        let to = owner(node, file).await?;
        let bytes = self.transport.evidence(&to, file.known.place.index, Some(piece)).await?;
        let put = move |depot: &dyn Depot| depot::put(depot, name, piece, &bytes).map(|()| bytes);
        Ok(self.with(put).await?)
    }

    /// A piece of an own file, or the digests of all, for a partner.
    ///
    /// # Errors
    /// The disk.
    pub async fn give(&self, name: Sha256Digest, piece: Option<u64>) -> Result<Option<Vec<u8>>, DepotError> {
        self.with(move |depot| match piece {
            Some(piece) => depot.read(name, piece),
            // Half a file is no file: whoever puts it in may still be at it.
            None if depot.kept(name)?.is_some_and(|kept| kept.is_whole()) => depot.digests(name),
            None => Ok(None),
        })
        .await
    }
}

/// Where the owner of a file is asked; nobody is asked for an own one.
async fn owner(node: &Node, file: &SealedFile) -> Result<PartnerAddress, PieceError> {
    let origin = file.known.place.origin.clone();
    let found = node.read(move |view| address(view.db, &view.me.origin, &origin)).await?;
    found.ok_or(PieceError::Gone)
}

fn address(db: &store::Db<'_>, me: &Origin, owner: &Origin) -> Result<Option<PartnerAddress>, StoreError> {
    let is_it =
        |row: &store::PartnerRow| row.origin == *owner && row.state == PartnerState::Active && row.origin != *me;
    let row = db.partners()?.into_iter().find(is_it);
    Ok(row.map(|row| PartnerAddress { address: row.address, pins: row.pins }))
}

impl From<PieceError> for AssistError {
    fn from(error: PieceError) -> Self {
        match error {
            PieceError::Depot(error) => error.into(),
            PieceError::Store(error) => error.into(),
            PieceError::Gone => Self::Gone,
            PieceError::Partner(_) => Self::Elsewhere(error.to_string()),
        }
    }
}
