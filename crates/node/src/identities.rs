//! Identities that change: another one of a partner, or of our own, signed by the root key that people know.
//!
//! Whoever brings it does not count, since the root key has signed it: a nation whose node was robbed of all other keys
//! speaks again through it, and the thief does not.

use std::collections::HashMap;

use journal::checkpoint::CheckpointError;
use journal::identity::{self, Identity, SignedIdentity};
use journal::log_keys::{self, LogKeys};
use journal::note::NoteVerifier;
use journal::peering::PeeringError;
use model::Origin;
use store::{Db, IdentityRow, PartnerRow, PartnerState, StoreError, Writer};

use crate::me::Me;
use crate::partner::PartnerError;
use crate::successor;
use crate::work::{View, Work};

/// Takes another identity of a partner, if it is higher than the one that we hold. Returns the version that we hold
/// afterwards: the sender's when it is no news.
///
/// # Errors
/// It is of nobody that we know, not signed by the root key that we know, or names a key that another partner has.
pub fn take(work: &mut Work<'_, '_>, signed: &SignedIdentity) -> Result<u64, PartnerError> {
    let known = identity::verify(signed).map_err(PeeringError::from)?.into_inner();
    let unknown = || PartnerError::Unknown(known.origin.to_string());
    let before = match work.tx.log_id(&known.origin)? {
        Some(log) => work.tx.partner(log)?,
        None => None,
    };
    let Some(before) = before else { return successor::take(work, &known, signed) };
    let before = Some(before).filter(|row| may_change(row.state)).ok_or_else(unknown)?;
    let old = identity_of(&before.identity, &before)?;
    if known.version <= old.version {
        return Ok(old.version);
    }
    let refused = |why: String| PartnerError::Identity(known.origin.clone(), why);
    identity::supersedes(&old, &known).map_err(|error| refused(error.to_string()))?;
    let pins: Vec<[u8; 32]> = known.tls_pins.iter().map(|pin| *pin.as_bytes()).collect();
    refuse_foreign_pins(work, before.log, &known)?;
    let version = known.version;
    keep(work, &before, &known, signed)?;
    tracing::info!(partner = %known.origin, version, "it has another identity");
    let row = PartnerRow {
        name: known.name,
        identity: signed.to_bytes(),
        identity_version: version,
        pins,
        log_key: known.log_key,
        address: known.address,
        ..before
    };
    work.tx.put_partner(&row)?;
    Ok(version)
}

/// A partner may not name the TLS key of another: it would take its place on our listener.
pub(crate) fn refuse_foreign_pins(
    work: &Work<'_, '_>,
    log: store::LogId,
    known: &Identity,
) -> Result<(), PartnerError> {
    for pin in known.tls_pins.iter().map(journal::identity::Pin::as_bytes) {
        let taken = work.tx.partner_by_pin(pin)?.is_some_and(|row| row.log != log && may_change(row.state));
        if taken || work.me.identity.tls_pins.iter().any(|own| own.as_bytes() == pin) {
            let why = "it names the TLS key of another node".to_owned();
            return Err(PartnerError::Identity(known.origin.clone(), why));
        }
    }
    Ok(())
}

/// Is an identity that somebody brings worth a transaction?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// We hold this version already, which is as high.
    Already(u64),
    /// It is higher, and signed.
    News,
}

/// Looks whether an identity is news, without changing anything.
///
/// # Errors
/// It is of nobody that we know, or not signed by the root key that it names.
pub fn held(view: &View<'_, '_>, signed: &SignedIdentity) -> Result<Held, PartnerError> {
    let known = identity::verify(signed).map_err(PeeringError::from)?.into_inner();
    let unknown = || PartnerError::Unknown(known.origin.to_string());
    let row = match view.db.log_id(&known.origin)? {
        Some(log) => view.db.partner(log)?,
        None => None,
    };
    let version = match row {
        Some(row) => Some(row).filter(|row| may_change(row.state)).map(|row| row.identity_version),
        None => successor::held(view.db, &known)?,
    };
    let version = version.ok_or_else(unknown)?;
    if known.version > version { Ok(Held::News) } else { Ok(Held::Already(version)) }
}

/// What a partner may change of itself while people here have said neither that it is none yet nor that it is none any
/// more.
fn may_change(state: PartnerState) -> bool {
    match state {
        PartnerState::Active | PartnerState::Held => true,
        PartnerState::Proposed | PartnerState::AwaitingConfirmation | PartnerState::Cut => false,
    }
}

fn keep(
    work: &Work<'_, '_>,
    partner: &PartnerRow,
    known: &Identity,
    signed: &SignedIdentity,
) -> Result<(), StoreError> {
    work.tx.put_identity(partner.log, &row_of(known, signed, work.now), spans(known))
}

/// Keeps the identity of a partner that was just met, as the first of its history.
///
/// # Errors
/// The database.
pub(crate) fn keep_first(
    work: &Work<'_, '_>,
    log: store::LogId,
    known: &Identity,
    signed: &SignedIdentity,
) -> Result<(), StoreError> {
    work.tx.put_identity(log, &row_of(known, signed, work.now), spans(known))
}

fn row_of(known: &Identity, signed: &SignedIdentity, at: model::Timestamp) -> IdentityRow {
    IdentityRow { version: known.version, identity: signed.to_bytes(), at }
}

fn spans(known: &Identity) -> impl Iterator<Item = (u64, u64)> + '_ {
    known.past.repudiated.iter().map(|span| (span.from, span.to))
}

/// Takes another identity of our own. It changes who we are once this is committed (`Node::adopt`).
///
/// # Errors
/// It is not signed by our root key, or is not higher than the one of now.
pub(crate) fn adopt(
    work: &mut Work<'_, '_>,
    signed: SignedIdentity,
) -> Result<(Identity, SignedIdentity), PartnerError> {
    let known = identity::verify(&signed).map_err(PeeringError::from)?.into_inner();
    let refused = |why: String| PartnerError::Identity(known.origin.clone(), why);
    identity::supersedes(&work.me.identity, &known).map_err(|error| refused(error.to_string()))?;
    if known.origin != work.me.origin {
        return Err(refused("it is of another log".to_owned()));
    }
    work.tx.put_identity(work.me.log, &row_of(&known, &signed, work.now), spans(&known))?;
    work.note_keys_changed();
    Ok((known, signed))
}

/// Notes the identity with which a node starts, if the database has not heard of it: a process may end between the file
/// and the database.
///
/// # Errors
/// The database.
pub(crate) fn note_own_at_start(writer: &mut Writer, me: &Me, now: model::Timestamp) -> Result<(), StoreError> {
    let mut batch = writer.begin()?;
    batch.savepoint(|tx| {
        let newest = tx.identities(me.log)?.first().map_or(0, |row| row.version);
        if newest < me.identity.version {
            tx.put_identity(me.log, &row_of(&me.identity, &me.signed_identity, now), spans(&me.identity))?;
        }
        Ok::<_, StoreError>(())
    })?;
    batch.commit()
}

/// The keys of a partner's log: what its newest identity says of them, and what those before said.
///
/// # Errors
/// An identity in the database does not verify.
pub fn log_keys(db: &Db<'_>, partner: &PartnerRow) -> Result<LogKeys, StoreError> {
    let newest = identity_of(&partner.identity, partner)?;
    let mut before = Vec::new();
    for row in db.identities(partner.log)?.iter().filter(|row| row.version < partner.identity_version) {
        before.push(identity_of(&row.identity, partner)?);
    }
    LogKeys::of(&newest, &before).map_err(|error| broken(partner, &error))
}

/// The keys of every log of which something is here, the own one by `own`: what a whole database is checked with.
///
/// # Errors
/// The database, or the identity of a partner in it.
pub fn all_log_keys(db: &Db<'_>, own: &Identity) -> Result<HashMap<Origin, LogKeys>, StoreError> {
    let mut keys = HashMap::new();
    for partner in db.partners()? {
        let of = log_keys(db, &partner)?;
        keys.insert(partner.origin, of);
    }
    if let Ok(of) = LogKeys::of(own, []) {
        keys.insert(own.origin.clone(), of);
    }
    for (log, origin) in db.logs()? {
        if let Some(of) = former_log_keys(db, own, log)? {
            keys.insert(origin, of);
        }
    }
    Ok(keys)
}

/// The keys of our own log.
///
/// # Errors
/// A key of the identity is none.
pub fn own_log_keys(me: &Me) -> Result<LogKeys, StoreError> {
    let broken = |error: CheckpointError| StoreError::Corrupt { what: format!("own log key: {error}") };
    LogKeys::of(&me.identity, []).map_err(broken)
}

/// The keys of a log of ours that has ended: what its identities said of them. `None` for a log that was never ours.
///
/// # Errors
/// An identity in the database does not verify.
pub fn former_log_keys(db: &Db<'_>, me: &Identity, log: store::LogId) -> Result<Option<LogKeys>, StoreError> {
    let origin = db.origin(log)?;
    if origin == me.origin || origin.base() != me.origin.base() {
        return Ok(None);
    }
    let broken = |error: &dyn std::fmt::Display| StoreError::Corrupt { what: format!("identity of {origin}: {error}") };
    let mut all = Vec::new();
    for row in db.identities(log)? {
        let signed = SignedIdentity::from_bytes(&row.identity).map_err(|error| broken(&error))?;
        all.push(identity::verify(&signed).map_err(|error| broken(&error))?.into_inner());
    }
    let Some((newest, before)) = all.split_first() else { return Ok(None) };
    LogKeys::of(newest, before).map(Some).map_err(|error| broken(&error))
}

/// The keys with which a partner cosigns and has cosigned, the newest first.
///
/// # Errors
/// The identity in the database does not verify.
pub fn witness_keys(partner: &PartnerRow) -> Result<Vec<NoteVerifier>, StoreError> {
    let newest = identity_of(&partner.identity, partner)?;
    log_keys::witness_keys(&newest).map_err(|error| broken(partner, &error))
}

/// The identity of a partner, as it was kept.
///
/// # Errors
/// It does not verify.
pub fn identity_of(bytes: &[u8], partner: &PartnerRow) -> Result<Identity, StoreError> {
    let signed = SignedIdentity::from_bytes(bytes).map_err(|error| broken(partner, &error))?;
    Ok(identity::verify(&signed).map_err(|error| broken(partner, &error))?.into_inner())
}

fn broken(partner: &PartnerRow, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what: format!("identity of {}: {why}", partner.origin) }
}
