//! The one hostile act of the story: a node whose federation answers carry a statement that its log does not commit to.
//!
//! It wraps the honest service and changes one byte of one body on its way out, over the real wire.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_room::server::accept::Caller;
use http_room::server::federating::Federating;
use http_room::server::federation::{Answer, Cosigning, FederationService, ServiceError};
use http_room::tls::PinBytes;
use journal::wire;

/// An honest service that forges while it is told to, for one caller.
pub(super) struct Forger {
    honest: Arc<Federating>,
    victim: Mutex<Option<PinBytes>>,
    forged: AtomicBool,
}

impl Forger {
    pub(super) fn new(honest: Arc<Federating>) -> Arc<Self> {
        Arc::new(Self { honest, victim: Mutex::new(None), forged: AtomicBool::new(false) })
    }

    /// From now on, statements to the node with this key are forged.
    pub(super) fn forge_to(&self, victim: PinBytes) {
        *self.victim.lock().unwrap_or_else(PoisonError::into_inner) = Some(victim);
    }

    /// Has a forged page been sent?
    pub(super) fn has_forged(&self) -> bool {
        self.forged.load(Ordering::Relaxed)
    }

    fn forges_to(&self, caller: &Caller) -> bool {
        *self.victim.lock().unwrap_or_else(PoisonError::into_inner) == Some(caller.pin)
    }

    fn forge(&self, honest: &Bytes) -> Result<Bytes, ServiceError> {
        let failed = |error: wire::WireError| ServiceError::Unavailable(error.to_string());
        let mut page = wire::decompress(honest, wire::MAX_PAGE_BYTES).and_then(|b| wire::decode(&b)).map_err(failed)?;
        let bodies = page.items.iter_mut().filter_map(|item| item.opening.as_mut()?.body.as_mut());
        for body in bodies.take(1) {
            if let Some(last) = body.bytes.last_mut() {
                *last ^= 1;
                self.forged.store(true, Ordering::Relaxed);
            }
        }
        wire::compress(wire::encode(&page)).map(Bytes::from).map_err(failed)
    }
}

impl FederationService for Forger {
    fn identity(&self, caller: Caller) -> Answer<'_> {
        self.honest.identity(caller)
    }
    fn checkpoint(&self, caller: Caller) -> Answer<'_> {
        self.honest.checkpoint(caller)
    }
    fn tile(&self, caller: Caller, path: String) -> Answer<'_> {
        self.honest.tile(caller, path)
    }
    fn releases(&self, caller: Caller, query: String) -> Answer<'_> {
        Box::pin(async move {
            let honest = self.honest.releases(caller, query).await?;
            if self.forges_to(&caller) { self.forge(&honest) } else { Ok(honest) }
        })
    }
    fn yours(&self, caller: Caller, query: String) -> Answer<'_> {
        self.honest.yours(caller, query)
    }
    fn add_checkpoint(&self, caller: Caller, body: Bytes) -> Cosigning<'_> {
        self.honest.add_checkpoint(caller, body)
    }
    fn peer(&self, caller: Caller, body: Bytes) -> Answer<'_> {
        self.honest.peer(caller, body)
    }
    fn known(&self, pin: &PinBytes) -> bool {
        self.honest.known(pin)
    }
}
