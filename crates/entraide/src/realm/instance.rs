//! One exercise that runs in a real node's process: its own listeners for partners and for the command line, and a path
//! of the listener that all realms share.

use std::path::Path;
use std::sync::Arc;

use http_room::server::realms::Beside;
use http_room::tls::NodeKey;
use model::{Realm, Timestamp};
use node::Node;
use node::ports::Clock;

use super::clock::ExerciseClock;
use super::host::Serving;
use crate::alerting;
use crate::configuration::{self, federation_default};
use crate::keys::Layout;
use crate::open::{Opened, open};
use crate::serve::{self, Asking, Faces, ServeError};

/// A running exercise.
pub(super) struct Instance {
    realm: Realm,
    opened: Opened,
    layout: Layout,
    faces: Vec<Faces>,
    asking: Asking,
    beside: Beside,
}

impl Instance {
    /// Opens the exercise in `dir`, and serves it.
    pub(super) async fn start(dir: &Path, machine: Arc<dyn Clock>, serving: &Serving) -> Result<Self, ServeError> {
        let layout = Layout::new(dir);
        let told = configuration::read(&layout)?;
        let mut opened = open(&layout, machine)?;
        opened.host.clone_from(&serving.host);
        opened.seats.clone_from(&serving.seats);
        let beside = serving.beside.clone();
        let known = &opened.node.me().identity;
        let federation = told.federation.unwrap_or_else(|| federation_default(&known.address));
        let realm = opened.node.me().realm().clone();
        let listener = serve::listen(federation).await?;
        let faces = vec![serve::local_socket(&opened, &layout, None)?, serve::federate(&opened, listener).await?];
        let asking = serve::ask(&opened, None, alerting::none());
        beside.put(&realm, serve::router(&opened, serving.plain_http));
        tracing::info!(%realm, %federation, "an exercise is open");
        Ok(Self { realm, opened, layout, faces, asking, beside })
    }

    /// Its node and its TLS key.
    pub(super) fn node(&self) -> (Node, NodeKey) {
        (self.opened.node.clone(), self.opened.tls.clone())
    }

    /// What its clock shows.
    pub(super) fn now(&self) -> Timestamp {
        self.opened.node.now()
    }

    /// Its clock.
    pub(super) fn clock(&self) -> &ExerciseClock {
        &self.opened.clock
    }

    /// Does it take commands? A fault stops the writer of the one realm that it happened in.
    pub(super) fn is_writing(&self) -> bool {
        self.opened.node.is_writing()
    }

    /// Ends it; reality goes on. Returns whether all of it ended in time.
    pub(super) async fn stop(self) -> bool {
        let Self { realm, opened, layout, faces, asking, beside } = self;
        beside.take(&realm);
        asking.stop().await;
        for face in &faces {
            face.close();
        }
        for face in faces {
            face.stop().await;
        }
        // A socket that can't be removed is stale and harmless.
        let _ = std::fs::remove_file(layout.socket());
        opened.close().await
    }
}
