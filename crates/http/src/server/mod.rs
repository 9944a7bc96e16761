//! The listeners (`accept`) and what is served on them: the federation's routes (`federation`) and what they do on a
//! node (`federating`), the REST API (`api`) with its sessions, the plain pages (`pages`), and several realms beside each
//! other (`realms`), the console (`console`), and the seats of a demonstration (`seats`).

pub mod accept;
pub mod api;
pub mod console;
pub mod federating;
pub mod federation;
pub mod metrics;
pub mod pages;
pub mod realms;
pub mod sealed_files;
pub mod seats;
pub mod session;
pub mod sse;

use tokio::sync::watch;

/// Makes the two ends of a shutdown: the one who says so, and what everybody who waits listens to.
#[must_use]
pub fn shutdown() -> (Close, Closing) {
    let (sender, receiver) = watch::channel(false);
    (Close(sender), Closing(receiver))
}

/// Says that the listeners shall stop. Dropping it says so too: a node without a conductor must not serve on.
#[derive(Debug)]
pub struct Close(watch::Sender<bool>);

impl Close {
    /// Stop: no new connections, long-polls end at once, other requests have [`crate::limits::DRAIN`].
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

/// Hears that the node is going down. Every request carries one as an extension, so that whatever waits for news (a
/// long-poll, a stream of events) can end at once.
#[derive(Debug, Clone)]
pub struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Waits until the node is going down.
    pub async fn wait(&self) {
        // An error means that the other end is gone, which is the same news.
        let _ = self.0.clone().wait_for(|closing| *closing).await;
    }
}
