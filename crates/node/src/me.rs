//! Who this node is. It changes while it runs when its root key has signed another identity.

use std::sync::{Arc, PoisonError, RwLock};

use journal::identity::{Identity, SignedIdentity};
use model::{Origin, Realm};
use store::LogId;

/// This node's own name, log and signed identity.
#[derive(Debug, Clone)]
pub struct Me {
    /// The name of the own log.
    pub origin: Origin,
    /// The own log in the database.
    pub log: LogId,
    /// The name for people: `CERT-FR`.
    pub name: String,
    /// The identity that the root key signed.
    pub identity: Identity,
    /// The same, as it is shown to partners.
    pub signed_identity: SignedIdentity,
}

/// Who this node is at the moment: what is begun with one identity ends with it.
#[derive(Debug)]
pub struct Myself(RwLock<Arc<Me>>);

impl Myself {
    /// Begins with an identity.
    #[must_use]
    pub fn new(me: Me) -> Self {
        Self(RwLock::new(Arc::new(me)))
    }
    /// Who it is now.
    #[must_use]
    pub fn now(&self) -> Arc<Me> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
    /// Goes on under another identity of the same log.
    pub(crate) fn turn_into(&self, identity: Identity, signed_identity: SignedIdentity) {
        let mut me = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let (origin, log) = (me.origin.clone(), me.log);
        *me = Arc::new(Me { origin, log, name: identity.name.clone(), identity, signed_identity });
    }
}

impl Me {
    /// The realm in which this node speaks.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        self.origin.realm()
    }
}
