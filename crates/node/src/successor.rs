//! Successor logs: a nation whose log can't be extended goes on with another (architecture §3, "Going back in time").
//!
//! A partner's is taken down and waits for a telephone call: nothing of the new log is taken before a person confirms it.
//! Our own begins when the node starts under an identity that names it.

use std::path::Path;

use journal::checkpoint::Checkpoint;
use journal::identity::{self, Identity, SignedIdentity};
use journal::successor::{self, Succeeds};
use journal::sync::{Evidence, EvidenceKind};
use model::Origin;
use model::extension::AudienceKind;
use store::{Db, IdentityRow, LogId, PartnerRow, PartnerState, ReleaseSeq, Store, StoreError, Tx};

use crate::audience::{self, AudienceError};
use crate::identities;
use crate::me::Me;
use crate::partner::{self, PartnerError};
use crate::ports::Signer;
use crate::receive;
use crate::standing::{self, Recovered, Standing};
use crate::work::{View, Work};

/// The setting that names the successor log that this database has begun.
const BEGUN: &str = "successor-begun";
/// The setting that holds the last release of the log before: what comes after it is of the new log.
const RELEASES: &str = "successor-releases";
/// The setting that names the log whose audiences are still to be said anew.
const AUDIENCES: &str = "successor-audiences";

/// A successor log of a partner that waits for a telephone call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The name of the new log.
    pub origin: Origin,
    /// The six words that both sides read to each other.
    pub words: String,
    /// How many entries of the old log the nation stands by.
    pub vouched: u64,
    /// How many entries of the old log are verified here.
    pub held: u64,
    /// Is what it stands by another history than the one that we hold?
    pub contradicts: bool,
}

/// The partner whose log an identity would take the place of.
fn predecessor(db: &Db<'_>, known: &Identity) -> Result<Option<PartnerRow>, StoreError> {
    let Some(succeeds) = &known.succeeds else { return Ok(None) };
    let Some(log) = db.log_id(&succeeds.origin)? else { return Ok(None) };
    Ok(db.partner(log)?.filter(|row| matches!(row.state, PartnerState::Active | PartnerState::Held)))
}

/// The version of a successor's identity that waits here already; `None` when there is no such partner.
pub(crate) fn held(db: &Db<'_>, known: &Identity) -> Result<Option<u64>, StoreError> {
    let Some(before) = predecessor(db, known)? else { return Ok(None) };
    let waits = db.successor(before.log)?.map_or(0, |row| row.version);
    Ok(Some(waits.max(before.identity_version)))
}

/// Takes down what a partner's root key says of its successor log. Returns the version that is held afterwards.
pub(crate) fn take(work: &mut Work<'_, '_>, known: &Identity, signed: &SignedIdentity) -> Result<u64, PartnerError> {
    let refused = |why: String| PartnerError::Identity(known.origin.clone(), why);
    let before = predecessor(work.tx, known)?.ok_or_else(|| PartnerError::Unknown(known.origin.to_string()))?;
    let waits = work.tx.successor(before.log)?.map_or(0, |row| row.version);
    if known.version <= waits {
        return Ok(waits);
    }
    let old = identities::identity_of(&before.identity, &before)?;
    identity::supersedes(&old, known).map_err(|error| refused(error.to_string()))?;
    let last = vouched(work.tx, &before, known)?;
    identities::refuse_foreign_pins(work, before.log, known)?;
    let row = IdentityRow { version: known.version, identity: signed.to_bytes(), at: work.now };
    work.tx.put_successor(before.log, &row)?;
    tracing::warn!(partner = %before.origin, successor = %known.origin, "it goes on with a successor log: telephone");
    if contradicts(work.tx, before.log, &last)? {
        let text = known.succeeds.as_ref().map(|succeeds| succeeds.last.clone()).unwrap_or_default();
        let summary =
            "its successor log vouches for another history of the log before than the one that it showed to us";
        let evidence = Evidence::new(&before.origin, EvidenceKind::Fork, summary.to_owned()).with_theirs(&text);
        let evidence = match work.tx.tree(before.log)?.checkpoint {
            Some(ours) => evidence.with_ours(&ours),
            None => evidence,
        };
        receive::hold(work, before.log, &evidence)?;
    }
    Ok(known.version)
}

/// The last checkpoint of the old log, signed by a key of that log that we know.
fn vouched(db: &Db<'_>, before: &PartnerRow, known: &Identity) -> Result<Checkpoint, PartnerError> {
    let refused = |why: String| PartnerError::Identity(known.origin.clone(), why);
    let succeeds = known.succeeds.as_ref().ok_or_else(|| refused("it succeeds no log".to_owned()))?;
    let last = identities::log_keys(db, before)?.verify_kept(&succeeds.last, &before.origin);
    Ok(last.map_err(|error| refused(format!("the last checkpoint of the log before: {error}")))?.into_inner())
}

/// Is it another history than the one that we hold? Beyond what we hold nothing can be compared.
fn contradicts(db: &Db<'_>, log: LogId, last: &Checkpoint) -> Result<bool, StoreError> {
    if last.size > db.tree(log)?.size {
        return Ok(false);
    }
    let root = journal::tree::root_at(&db.tiles(log), last.size);
    Ok(root.map_err(|error| StoreError::Corrupt { what: format!("tree of log {log}: {error}") })? != last.root)
}

/// What waits for a telephone call about a partner.
///
/// # Errors
/// The database.
pub fn pending(db: &Db<'_>, partner: &PartnerRow) -> Result<Option<Pending>, StoreError> {
    let Some(row) = db.successor(partner.log)? else { return Ok(None) };
    let signed = SignedIdentity::from_bytes(&row.identity)
        .map_err(|error| StoreError::Corrupt { what: format!("successor of {}: {error}", partner.origin) })?;
    let known = identities::identity_of(&row.identity, partner)?;
    let Some(last) = known.succeeds.as_ref().and_then(Succeeds::vouched) else { return Ok(None) };
    Ok(Some(Pending {
        words: successor::six_words(&signed),
        vouched: last.size,
        held: db.tree(partner.log)?.size,
        contradicts: contradicts(db, partner.log, &last)?,
        origin: known.origin,
    }))
}

/// A person has telephoned and compared the words: from now on the new log is the partner's, from its beginning. The old
/// one stays as it is.
///
/// # Errors
/// No such partner, nothing waits, or it contradicts what we hold.
pub fn confirm(work: &mut Work<'_, '_>, name: &str) -> Result<PartnerRow, PartnerError> {
    let before = partner::find(work.tx, name)?;
    let refused = |remedy| PartnerError::State { origin: before.origin.clone(), state: before.state.word(), remedy };
    if !matches!(before.state, PartnerState::Active | PartnerState::Held) {
        return Err(refused("a successor log is confirmed of a partner that is active or held"));
    }
    let row = work.tx.successor(before.log)?.ok_or_else(|| refused("it has announced no successor log"))?;
    let known = identities::identity_of(&row.identity, &before)?;
    let signed = SignedIdentity::from_bytes(&row.identity).map_err(journal::peering::PeeringError::from)?;
    if contradicts(work.tx, before.log, &vouched(work.tx, &before, &known)?)? {
        return Err(refused("its successor log contradicts the log that it showed to us: cut it, and peer anew"));
    }
    let log = work.tx.ensure_log(&known.origin)?;
    let next = PartnerRow {
        log,
        origin: known.origin.clone(),
        name: known.name.clone(),
        state: PartnerState::Active,
        identity: row.identity,
        identity_version: known.version,
        pins: known.tls_pins.iter().map(|pin| *pin.as_bytes()).collect(),
        log_key: known.log_key,
        address: known.address.clone(),
        words: None,
        since: work.now,
        held_reason: None,
        workflow_cursor: None,
        intelligence_cursor: None,
        heard: None,
        ..before.clone()
    };
    work.tx.put_partner(&next)?;
    identities::keep_first(work, log, &known, &signed)?;
    work.tx.partner_state(before.log, PartnerState::Cut, Some(&format!("succeeded by {}", known.origin)))?;
    work.tx.forget_successor(before.log)?;
    Ok(next)
}

/// How an own log ends, as the database has it.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Does it still speak?
    pub speaks: bool,
    /// What the nation would stand by: all entries that are here, or fewer if a size was given.
    pub last: Checkpoint,
}

/// Looks how the own log of a node that does not run would end.
///
/// # Errors
/// The database, or there are no such entries.
pub fn ending(dir: &Path, signer: &dyn Signer, origin: &Origin, at: Option<u64>) -> Result<Ending, StoreError> {
    let store = Store::open(dir)?;
    store.reader()?.snapshot(|db| {
        let missing = || StoreError::Corrupt { what: "the database has no such entries of the own log".to_owned() };
        let log = db.log_id(origin)?.ok_or_else(missing)?;
        let size = db.tree(log)?.size;
        let root_at = |size| {
            journal::tree::root_at(&db.tiles(log), size)
                .map_err(|error| StoreError::Corrupt { what: format!("own log: {error}") })
        };
        let agrees = match signer.mark() {
            Some(mark) if mark.size > size => false,
            Some(mark) => root_at(mark.size)? == mark.root,
            None => !signer.is_unknown(),
        };
        let wanted = at.unwrap_or(size);
        if wanted == 0 || wanted > size {
            return Err(missing());
        }
        let last = Checkpoint { origin: origin.clone(), size: wanted, root: root_at(wanted)? };
        Ok(Ending { speaks: agrees && standing::kept(db)?.speaks(), last })
    })
}

/// Begins the own successor log, once for each database: what the old one stood at is over.
pub(crate) fn begin(tx: &Tx<'_>, known: &Identity) -> Result<(), StoreError> {
    let Some(succeeds) = &known.succeeds else { return Ok(()) };
    let name = known.origin.to_string();
    if tx.setting(BEGUN)?.as_ref() == Some(&name) {
        return Ok(());
    }
    standing::keep(tx, &Standing::Speaking)?;
    standing::keep_recovered(tx, &Recovered::default())?;
    tx.set_setting(RELEASES, &tx.latest_release()?.0.to_string())?;
    tx.set_setting(AUDIENCES, &succeeds.origin.to_string())?;
    if let Some(old) = tx.log_id(&succeeds.origin)? {
        // So that proofs of the old log reach as far as the nation stands by it.
        tx.set_checkpoint(old, &succeeds.last)?;
    }
    tx.set_setting(BEGUN, &name)
}

/// Says the audiences and communities of the old log into the new one, as the first that stands in it.
pub(crate) fn say_audiences(work: &mut Work<'_, '_>) -> Result<(), AudienceError> {
    let Some(old) = work.tx.setting(AUDIENCES)?.and_then(|name| name.parse::<Origin>().ok()) else { return Ok(()) };
    if let Some(old) = work.tx.log_id(&old)? {
        for row in work.tx.audiences()?.into_iter().filter(|row| row.log == old) {
            let by_hand = matches!(row.kind, AudienceKind::Named | AudienceKind::Community);
            if by_hand && work.tx.audience(work.me.log, &row.audience)?.is_none() {
                let members = work.tx.set_members(row.set)?;
                audience::say(work, row.audience, &row.name, row.kind, members)?;
            }
        }
    }
    work.tx.set_setting(AUDIENCES, "")?;
    Ok(())
}

/// Are audiences still to be said anew?
pub(crate) fn has_audiences_to_say(db: &Db<'_>) -> Result<bool, StoreError> {
    Ok(db.setting(AUDIENCES)?.is_some_and(|name| !name.is_empty()))
}

/// After which release a partner that begins with our log begins: those of the log before are numbered lower.
pub(crate) fn first_release(view: &View<'_, '_>) -> Result<ReleaseSeq, StoreError> {
    if view.me.origin.epoch() == 0 {
        return Ok(ReleaseSeq(0));
    }
    Ok(ReleaseSeq(view.db.setting(RELEASES)?.and_then(|text| text.parse().ok()).unwrap_or(0)))
}

/// Is a log one of ours, of now or of before?
pub(crate) fn is_own(db: &Db<'_>, me: &Me, log: LogId) -> Result<bool, StoreError> {
    Ok(log == me.log || db.origin(log)?.base() == me.origin.base())
}
