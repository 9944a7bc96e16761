//! `node::Transport` over pinned TLS: one HTTP/2 connection a partner, kept while it lasts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Index;
use node::ports::{Boxed, PartnerAddress, Transport, TransportError, WitnessAnswer};

use super::{ClientError, FederationClient};
use crate::tls::{NodeKey, PinBytes};

/// Asks partners over connections that are pinned to their keys.
pub struct PinnedTransport {
    key: NodeKey,
    open: Mutex<HashMap<PartnerAddress, Kept>>,
}

/// A connection, and the key with which we showed ourselves on it.
type Kept = (PinBytes, Arc<FederationClient>);

impl PinnedTransport {
    /// A transport that shows our key.
    #[must_use]
    pub fn new(key: NodeKey) -> Self {
        Self { key, open: Mutex::new(HashMap::new()) }
    }

    fn kept(&self, to: &PartnerAddress) -> Option<Arc<FederationClient>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Once our key is replaced, partners will no longer know the one with which an open connection was made.
        let shown = self.key.pin();
        open.retain(|_, (pin, client)| *pin == shown && !client.is_closed());
        open.get(to).map(|(_, client)| Arc::clone(client))
    }

    fn forget(&self, to: &PartnerAddress) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(to);
    }

    async fn client(&self, to: &PartnerAddress) -> Result<Arc<FederationClient>, ClientError> {
        if let Some(client) = self.kept(to) {
            return Ok(client);
        }
        let shown = self.key.pin();
        let client = Arc::new(self.connect(to).await?);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(to.clone(), (shown, Arc::clone(&client)));
        Ok(client)
    }

    /// Tries each pin of the identity: while a partner rotates its key, either may be in use.
    async fn connect(&self, to: &PartnerAddress) -> Result<FederationClient, ClientError> {
        let mut last = ClientError::WrongKey;
        for pin in &to.pins {
            match FederationClient::connect(&to.address, *pin, &self.key).await {
                Err(error @ ClientError::WrongKey) => last = error,
                other => return other,
            }
        }
        Err(last)
    }
}

impl Transport for PinnedTransport {
    fn add_checkpoint(&self, to: &PartnerAddress, request: String) -> Boxed<'_, Result<WitnessAnswer, TransportError>> {
        let to = to.clone();
        Box::pin(async move {
            let told = |error: &ClientError| TransportError { reason: error.to_string() };
            let client = self.client(&to).await.map_err(|error| told(&error))?;
            match client.add_checkpoint(request).await {
                Ok(answer) => Ok(answer),
                // A refusal is an answer: the connection is as good as before.
                Err(error @ ClientError::Refused { .. }) => Err(told(&error)),
                Err(error) => {
                    self.forget(&to);
                    Err(told(&error))
                }
            }
        })
    }

    fn identity(&self, to: &PartnerAddress) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        let to = to.clone();
        Box::pin(async move {
            let told = |error: ClientError| TransportError { reason: error.to_string() };
            let client = self.client(&to).await.map_err(told)?;
            client.identity().await.map(Vec::from).map_err(told)
        })
    }

    fn announce(&self, to: &PartnerAddress, identity: Vec<u8>) -> Boxed<'_, Result<u64, TransportError>> {
        let to = to.clone();
        Box::pin(async move {
            let told = |error: ClientError| TransportError { reason: error.to_string() };
            // A connection of its own: one that a partner took for a stranger's is cut after a minute.
            let client = self.connect(&to).await.map_err(told)?;
            client.announce(identity).await.map_err(told)
        })
    }

    fn yours(&self, to: &PartnerAddress, query: String) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        let to = to.clone();
        Box::pin(async move {
            let told = |error: &ClientError| TransportError { reason: error.to_string() };
            let client = self.client(&to).await.map_err(|error| told(&error))?;
            match client.yours(&query).await {
                Ok(bytes) => Ok(bytes.into()),
                // A partner of an earlier version has no such route: the connection is as good as before.
                Err(error @ ClientError::Refused { .. }) => Err(told(&error)),
                Err(error) => {
                    self.forget(&to);
                    Err(told(&error))
                }
            }
        })
    }

    fn evidence(
        &self,
        to: &PartnerAddress,
        index: Index,
        piece: Option<u64>,
    ) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        let to = to.clone();
        Box::pin(async move {
            let told = |error: &ClientError| TransportError { reason: error.to_string() };
            let client = self.client(&to).await.map_err(|error| told(&error))?;
            match client.evidence(index.0, piece).await {
                Ok(bytes) => Ok(bytes.into()),
                // A refusal is an answer: the connection is as good as before.
                Err(error @ ClientError::Refused { .. }) => Err(told(&error)),
                Err(error) => {
                    self.forget(&to);
                    Err(told(&error))
                }
            }
        })
    }

    fn releases(&self, to: &PartnerAddress, query: String) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        let to = to.clone();
        Box::pin(async move {
            let told = |error: &ClientError| TransportError { reason: error.to_string() };
            let client = self.client(&to).await.map_err(|error| told(&error))?;
            let wait = Duration::from_secs(u64::from(node::limits::POLL_SECONDS));
            match client.releases(&query, wait).await {
                Ok(bytes) => Ok(bytes.into()),
                Err(error) => {
                    self.forget(&to);
                    Err(told(&error))
                }
            }
        })
    }
}
