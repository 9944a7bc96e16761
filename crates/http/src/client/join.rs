//! The joiner's side of peering: an invitation code in, a partner that waits for the six words out.

use journal::peering::{self, Invitation, PeerAnswer, PeerRequest, Session};
use model::Origin;
use node::partner::{self, PartnerError};
use node::{Node, WriteError};

use super::{ClientError, FederationClient};
use crate::tls::NodeKey;

/// Why joining did not come about.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The code, the answer, or the partner's standing.
    #[error(transparent)]
    Partner(#[from] WriteError<PartnerError>),
    /// The other node.
    #[error("the other node was not reached: {0}")]
    Client(#[from] ClientError),
}

/// A partner that waits for a person to compare the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Which partner.
    pub origin: Origin,
    /// Its name.
    pub name: String,
    /// The six words that the other side's screen shows too.
    pub words: Vec<String>,
}

/// Takes up an invitation: proves knowledge of its secret on a connection pinned to the promised key.
///
/// # Errors
/// The code is mistyped, the node is not reached or is another one, or the invitation is void.
pub async fn join(node: &Node, key: &NodeKey, code: &str) -> Result<Joined, JoinError> {
    let refused = |error: peering::PeeringError| JoinError::Partner(WriteError::Refused(error.into()));
    let invitation = Invitation::decode(code.trim()).map_err(refused)?;
    let me = node.me().signed_identity.clone();
    let session =
        |exporter: [u8; 32]| Session { exporter, joiner: journal::identity::Pin::new(key.pin()), host: invitation.pin };
    let pin = *invitation.pin.as_bytes();
    let asked = FederationClient::peer(&invitation.address, pin, key, |exporter| {
        let session = session(*exporter);
        let proof = peering::join_proof(&invitation.secret, &session, &me, &invitation.root_hash);
        PeerRequest { invitation: invitation.id(), identity: me.clone(), proof }.to_json()
    });
    let (answer, exporter) = asked.await?;
    let answer = PeerAnswer::from_json(&answer).map_err(refused)?;
    let session = session(exporter);
    let row = node.write(move |work| partner::joined(work, &invitation, &answer, &session)).await?;
    let words = row.words.unwrap_or_default().split(' ').map(str::to_owned).collect();
    Ok(Joined { origin: row.origin, name: row.name, words })
}
