//! Announcing: every partner is told who we are until it says that it knows. So the keys of a node change without a gap:
//! the old ones are let go of once everybody has the new ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use journal::identity::SignedIdentity;
use store::{LogId, PartnerRow, PartnerState, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::limits;
use crate::ports::{PartnerAddress, Transport};
use crate::work::View;
use crate::writer::Node;

/// How far partners have heard of our identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Those that hold the newest version.
    pub know: Vec<model::Origin>,
    /// Active ones that do not.
    pub waiting: Vec<model::Origin>,
}

/// Which active partners hold our newest identity.
///
/// # Errors
/// The database.
pub fn heard(view: &View<'_, '_>) -> Result<Heard, StoreError> {
    let mut heard = Heard::default();
    for partner in view.db.partners()?.into_iter().filter(|row| row.state == PartnerState::Active) {
        if knows(view, &partner)? { heard.know.push(partner.origin) } else { heard.waiting.push(partner.origin) }
    }
    Ok(heard)
}

fn knows(view: &View<'_, '_>, partner: &PartnerRow) -> Result<bool, StoreError> {
    // The first identity of a node is the one that it shows when it meets a partner.
    let version = view.me.identity.version;
    Ok(version == 1 || view.db.announced(partner.log)?.is_some_and(|held| held >= version))
}

/// Whom to tell, and what.
struct News {
    identity: SignedIdentity,
    version: u64,
    to: Vec<(LogId, PartnerAddress)>,
}

/// Which version each partner was told in this run. A partner that was set back to a backup knows less than it said once,
/// so everybody is told again after a start.
type Told = HashMap<LogId, u64>;

fn news(view: &View<'_, '_>, told: &Told) -> Result<News, StoreError> {
    let version = view.me.identity.version;
    let mut to = Vec::new();
    for partner in view.db.partners()? {
        // Whoever holds us with evidence must hear of a new key too: a thief may have brought that evidence about.
        let listens = matches!(partner.state, PartnerState::Active | PartnerState::Held);
        if listens && version > 1 && told.get(&partner.log) != Some(&version) {
            to.push((partner.log, PartnerAddress { address: partner.address, pins: partner.pins }));
        }
    }
    Ok(News { identity: view.me.signed_identity.clone(), version, to })
}

/// Tells partners who we are whenever that has changed, until `stop` says so.
pub async fn run(node: Node, transport: Arc<dyn Transport>, mut stop: watch::Receiver<bool>) {
    let mut told = Told::new();
    loop {
        let changed = node.partners_changed();
        let left = tell(&node, &transport, &mut told).await;
        let pause = async {
            if left == 0 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_secs(limits::ANNOUNCE_PAUSE_SECONDS)).await;
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = changed => {}
            () = pause => {}
        }
    }
}

/// Tells everybody who does not know yet, all at once. Returns how many still don't.
async fn tell(node: &Node, transport: &Arc<dyn Transport>, told: &mut Told) -> usize {
    let known = told.clone();
    let News { identity, version, to } = match node.read(move |view| news(view, &known)).await {
        Ok(news) => news,
        Err(error) => {
            tracing::error!(%error, "partners could not be read");
            return 1;
        }
    };
    let mut asked = JoinSet::new();
    for (log, address) in to {
        let (transport, bytes) = (Arc::clone(transport), identity.to_bytes());
        asked.spawn(async move { (log, transport.announce(&address, bytes).await) });
    }
    let mut left = 0;
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok((log, Ok(held))) if held >= version => {
                told.insert(log, version);
                note(node, log, held).await;
            }
            Ok((log, Ok(held))) => {
                left += 1;
                tracing::debug!(%log, held, "a partner holds an older identity of ours");
            }
            Ok((log, Err(error))) => {
                left += 1;
                tracing::debug!(%log, %error, "a partner was not told who we are now");
            }
            Err(error) => tracing::error!(%error, "telling a partner ended early"),
        }
    }
    left
}

async fn note(node: &Node, log: LogId, version: u64) {
    let kept = node.write_quietly(move |work| work.tx.set_announced(log, version, work.now)).await;
    if let Err(error) = kept {
        tracing::warn!(%error, "it was not noted that a partner knows our identity");
    }
}
