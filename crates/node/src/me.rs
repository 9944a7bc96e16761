//! Who this node is: fixed while it runs.

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

impl Me {
    /// The realm in which this node speaks.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        self.origin.realm()
    }
}
