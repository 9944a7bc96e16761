//! Making the successor log of a node that does not run: another log key, the root key's word, another mark.
//!
//! The identity is replaced last. A process that ends before leaves a node of the old log that does not open, and the
//! same command goes on.

use std::path::Path;

use ed25519_dalek::SigningKey;
use journal::identity;
use journal::signer_wire::KeyKind;
use journal::successor::{self, Succeeds};
use model::Origin;
use node::ports::{Clock, SignerError};
use store::StoreError;

use crate::keys::{Keys, KeysError, Kind, Layout, note_key, read_key, read_small, remove, replace_private};
use crate::signer::{self, FileSigner};
use crate::vault::Vault;

/// Why there is no successor log; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum SuccessorError {
    /// The files of the node.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The lock or the mark.
    #[error(transparent)]
    Open(#[from] signer::OpenError),
    /// The signer.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signer of its own.
    #[error(
        "the signer is a process of its own: stop it, take the line `signer` out of entraide.toml and bring its keys \
         and mark into this directory first"
    )]
    Apart,
    /// Nothing says that it is needed.
    #[error(
        "the log still speaks, and a successor costs every partner a telephone call: if its history is lost all the \
         same, say --although-it-speaks"
    )]
    Speaks,
    /// Another nation's root key.
    #[error("this root key is not the one of `{0}`: take the file that belongs to it")]
    Root(Origin),
    /// What the root key would sign is refused by partners.
    #[error("partners would refuse the identity: {0}")]
    Identity(String),
}

/// What is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The root key's file.
    pub root_key: &'a Path,
    /// How many entries of the old log the nation stands by; all that are here without it.
    pub at: Option<u64>,
    /// Although the log can be extended.
    pub although_it_speaks: bool,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The log that has ended.
    pub old: Origin,
    /// The log that takes its place.
    pub new: Origin,
    /// How many entries of the old one the nation stands by.
    pub vouched: u64,
    /// The six words for the telephone.
    pub words: String,
}

/// Ends the log of a node that does not run, and makes the one that takes its place.
///
/// # Errors
/// See [`SuccessorError`].
pub fn make(layout: &Layout, wanted: &Wanted<'_>, clock: &dyn Clock) -> Result<Made, SuccessorError> {
    if signer::signer_socket(layout)?.is_some() {
        return Err(SuccessorError::Apart);
    }
    let Keys { identity: known, .. } = Keys::read(layout)?;
    let root = SigningKey::from_bytes(&*read_key(wanted.root_key, Kind::Root)?);
    if root.verifying_key().to_bytes() != known.root_key {
        return Err(SuccessorError::Root(known.origin));
    }
    let vault = Vault::open(layout, None)?;
    vault.check(&known)?;
    let signer = FileSigner::lock(layout, vault, None)?;
    let refused = |why: &dyn std::fmt::Display| SuccessorError::Identity(why.to_string());
    let new = successor::successor_of(&known.origin).ok_or_else(|| refused(&"there are no more epochs"))?;
    let goes_on = signer.origin() == new;
    if !goes_on && signer.origin() != known.origin {
        return Err(SuccessorError::Root(signer.origin()));
    }
    let ending = node::successor::ending(layout.dir(), &signer, &known.origin, wanted.at)?;
    if ending.speaks && !goes_on && !wanted.although_it_speaks {
        return Err(SuccessorError::Speaks);
    }
    // The key of the old log signs its last checkpoint, before there is another.
    signer.vault().keep_only(KeyKind::Log, &known.log_key)?;
    let last = signer.vault().sign(&ending.last)?;
    let succeeds = Succeeds { origin: known.origin.clone(), last: last.text().to_owned() };
    let log_key = signer.vault().prepare(KeyKind::Log)?;
    let next =
        successor::identity(&known, succeeds, log_key, clock.now()).ok_or_else(|| refused(&"no epoch is left"))?;
    let signed = identity::sign(&next, &root);
    identity::verify(&signed).map_err(|error| refused(&error))?;
    replace_private(&layout.successor(), &signed.to_bytes())?;
    let public = String::from_utf8_lossy(&read_small(&layout.log_public_key())?).into_owned();
    if !goes_on {
        remove(&layout.signer())?;
        signer::create(layout, &new)?;
    }
    replace_private(&layout.identity(), &signed.to_bytes())?;
    signer.vault().keep_only(KeyKind::Log, &log_key)?;
    if let Some(key) = note_key(&next) {
        // Proofs of the old log are checked with its key, so both stay in the file.
        replace_private(&layout.log_public_key(), format!("{key}\n{public}").as_bytes())?;
    }
    let (vouched, words) = (ending.last.size, successor::six_words(&signed));
    Ok(Made { old: known.origin, new, vouched, words })
}
