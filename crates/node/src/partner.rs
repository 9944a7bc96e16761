//! Partners: peering by invitation or roster, confirmation by people, hold, resume and cut.
//!
//! A partner starts with nothing: it is in no audience until a person puts it there.

use journal::identity::{self, Identity, SignedIdentity};
use journal::peering::{self, Invitation, PeerAnswer, PeerRequest, PeeringError, Session};
use journal::roster::{self, RosterError};
use journal::verified::Verified;
use model::{Country, Origin, Reach, Timestamp};
use store::{Db, InvitationRow, LogId, PartnerRow, PartnerState, StoreError};

use crate::identities;
use crate::ports::random_bytes;
use crate::work::Work;

/// Why a partner was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the other side sent, or the code that a person typed.
    #[error(transparent)]
    Peering(#[from] PeeringError),
    /// No such invitation, or it has run out: one answer.
    #[error("the invitation is unknown, used or older than 72 hours: ask for a new one")]
    Invitation,
    /// Its tries are used up.
    #[error("the invitation was tried five times with a wrong proof and is void: make a new one, by telephone")]
    Tries,
    /// One's own invitation.
    #[error("this is this node itself: give the invitation to the other nation")]
    Self_,
    /// Another realm.
    #[error("`{0}` is of another realm: exercises and reality never meet")]
    Realm(Origin),
    /// Not a partner.
    #[error("`{0}` is not a partner: list them with `entraide partner list`")]
    Unknown(String),
    /// Two of one country.
    #[error("`{0}` names several partners: write the whole origin")]
    Ambiguous(String),
    /// Not in a state for that.
    #[error("{origin} is {state}: {remedy}")]
    State {
        /// Which partner.
        origin: Origin,
        /// In which state.
        state: &'static str,
        /// What can be done.
        remedy: &'static str,
    },
    /// The roster.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// An identity that is no newer than the known one.
    #[error("the identity of `{0}` is refused: {1}")]
    Identity(Origin, String),
}

/// A new invitation; the code is shown once and given to the other nation over a channel that people trust.
#[derive(Debug)]
pub struct Invited {
    /// One line to copy.
    pub code: String,
    /// When it runs out.
    pub expires: Timestamp,
}

/// Makes an invitation: 72 hours, one use, five tries.
///
/// # Errors
/// The database.
pub fn invite(work: &mut Work<'_, '_>) -> Result<Invited, PartnerError> {
    let me = &work.me.identity;
    let pin = *me.tls_pins.first().ok_or(PeeringError::Pin)?;
    let secret = random_bytes(work.random);
    let invitation = Invitation { address: me.address.clone(), pin, root_hash: me.root_hash(), secret };
    let expires = work.now.plus_seconds(peering::VALID_SECONDS);
    work.tx.end_invitations_before(work.sure)?;
    work.tx.put_invitation(&InvitationRow {
        id: *invitation.id().as_bytes(),
        secret: invitation.secret,
        expires,
        tries_left: peering::TRIES,
    })?;
    Ok(Invited { code: invitation.encode(), expires })
}

/// What the host found in a request to peer. A wrong proof must still be counted, so it is a value, not an error.
#[derive(Debug)]
pub enum Hosted {
    /// The partner waits for a person to confirm it.
    Answer(PeerAnswer),
    /// The request was refused, and the try was counted.
    Refused(PartnerError),
}

/// The host's side of peering: checks the request and keeps the joiner until a person confirms it.
///
/// # Errors
/// The database, or an invitation that does not exist.
pub fn host(work: &mut Work<'_, '_>, request: &PeerRequest, session: &Session) -> Result<Hosted, PartnerError> {
    let id = *request.invitation.as_bytes();
    let row = work.tx.invitation(&id)?.filter(|row| row.expires > work.now).ok_or(PartnerError::Invitation)?;
    if row.tries_left == 0 {
        return Err(PartnerError::Tries);
    }
    let joiner = match peering::accept_request(request, &row.secret, session, &work.me.identity) {
        Ok(joiner) => joiner,
        Err(error) => {
            work.tx.use_invitation_try(&id)?;
            return Ok(Hosted::Refused(error.into()));
        }
    };
    let words = peering::words(&session.exporter, &work.me.signed_identity, &request.identity).join(" ");
    keep(work, joiner, &request.identity, PartnerState::AwaitingConfirmation, Some(words))?;
    work.tx.end_invitation(&id)?;
    let proof = peering::host_proof(&row.secret, session, &request.identity, &work.me.signed_identity);
    Ok(Hosted::Answer(PeerAnswer { identity: work.me.signed_identity.clone(), proof }))
}

/// The joiner's side, after the host has answered: keeps the host until a person confirms it.
///
/// # Errors
/// The answer does not fit the invitation or the connection.
pub fn joined(
    work: &mut Work<'_, '_>,
    invitation: &Invitation,
    answer: &PeerAnswer,
    session: &Session,
) -> Result<PartnerRow, PartnerError> {
    let host = peering::accept_answer(answer, invitation, session, &work.me.signed_identity)?;
    let words = peering::words(&session.exporter, &answer.identity, &work.me.signed_identity).join(" ");
    keep(work, host, &answer.identity, PartnerState::AwaitingConfirmation, Some(words))
}

/// Proposes every node of a signed roster that is not known yet; each is still confirmed by a person.
///
/// # Errors
/// The roster is not signed by that key, or is damaged.
pub fn propose_roster(work: &mut Work<'_, '_>, text: &str, key: &[u8; 32]) -> Result<Vec<Origin>, PartnerError> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| RosterError::Signature)?;
    let roster = roster::verify(text, &key)?;
    let mut proposed = Vec::new();
    for signed in &roster.entries {
        let known = identity::verify(signed).map_err(PeeringError::from)?;
        let origin = known.origin.clone();
        if origin.base() == work.me.origin.base() || origin.realm() != work.me.realm() {
            continue;
        }
        let is_known = match work.tx.log_id(&origin)? {
            Some(log) => work.tx.partner(log)?.is_some(),
            None => false,
        };
        if !is_known {
            keep(work, known, signed, PartnerState::Proposed, None)?;
            proposed.push(origin);
        }
    }
    Ok(proposed)
}

fn known_identity(row: &PartnerRow) -> Result<Identity, PartnerError> {
    let signed = SignedIdentity::from_bytes(&row.identity).map_err(PeeringError::from)?;
    Ok(identity::verify(&signed).map_err(PeeringError::from)?.into_inner())
}

fn keep(
    work: &mut Work<'_, '_>,
    known: Verified<Identity>,
    signed: &SignedIdentity,
    state: PartnerState,
    words: Option<String>,
) -> Result<PartnerRow, PartnerError> {
    let known = known.into_inner();
    if known.origin.base() == work.me.origin.base() {
        return Err(PartnerError::Self_);
    }
    if known.origin.realm() != work.me.realm() {
        return Err(PartnerError::Realm(known.origin));
    }
    let log = work.tx.ensure_log(&known.origin)?;
    let before = work.tx.partner(log)?;
    if let Some(before) = &before {
        let old = known_identity(before)?;
        if old.version > known.version || (old.version == known.version && before.identity != signed.to_bytes()) {
            let why = format!("version {} is known already", old.version);
            return Err(PartnerError::Identity(known.origin, why));
        }
        if before.state == PartnerState::Cut && state == PartnerState::Proposed {
            return Ok(before.clone());
        }
    }
    let newest = known.clone();
    let row = PartnerRow {
        log,
        origin: known.origin,
        name: known.name,
        class: known.class,
        reach: Reach::Node,
        // Peering anew with an active partner changes its keys, never its standing.
        state: before.as_ref().filter(|row| row.state == PartnerState::Active).map_or(state, |row| row.state),
        identity: signed.to_bytes(),
        identity_version: known.version,
        pins: known.tls_pins.iter().map(|pin| *pin.as_bytes()).collect(),
        log_key: known.log_key,
        address: known.address,
        words,
        since: before.as_ref().map_or(work.now, |row| row.since),
        held_reason: before.as_ref().and_then(|row| row.held_reason.clone()),
        workflow_cursor: before.as_ref().and_then(|row| row.workflow_cursor.clone()),
        intelligence_cursor: before.as_ref().and_then(|row| row.intelligence_cursor.clone()),
        heard: before.and_then(|row| row.heard),
    };
    work.tx.put_partner(&row)?;
    identities::keep_first(work, log, &newest, signed)?;
    Ok(row)
}

/// Has another log taken the place of a partner's?
pub(crate) fn is_succeeded(row: &PartnerRow, all: &[PartnerRow]) -> bool {
    let of = |row: &PartnerRow| (row.origin.base(), row.origin.epoch());
    let (base, epoch) = of(row);
    all.iter().map(of).any(|(other, later)| other == base && later > epoch)
}

/// Is it the partner of that country, origin or, if it has no node, the name that we gave it?
pub(crate) fn is_meant(row: &PartnerRow, name: &str, country: Option<Country>) -> bool {
    Some(row.origin.country()) == country
        || row.origin.to_string() == name
        || (row.reach != Reach::Node && row.name == name)
}

/// A partner by its country or whole origin; one without a node by its name too.
///
/// # Errors
/// None, or several.
pub fn find(db: &Db<'_>, name: &str) -> Result<PartnerRow, PartnerError> {
    let country = name.parse::<Country>().ok();
    let mut found: Vec<PartnerRow> =
        db.partners_of_any_reach()?.into_iter().filter(|row| is_meant(row, name, country)).collect();
    // Two letters mean the nation's node where it has one.
    if country.is_some() && found.iter().any(|row| row.reach == Reach::Node) {
        found.retain(|row| row.reach == Reach::Node);
    }
    // A log that was succeeded is meant by its whole name alone.
    if country.is_some() {
        let all = found.clone();
        found.retain(|row| !is_succeeded(row, &all));
    }
    match found.len() {
        0 => Err(PartnerError::Unknown(name.chars().take(100).collect())),
        1 => Ok(found.swap_remove(0)),
        _ => Err(PartnerError::Ambiguous(name.to_owned())),
    }
}

/// A person has compared the six words over the telephone (or believes the roster): the partner is active.
///
/// # Errors
/// Unknown, or cut.
pub fn confirm(work: &mut Work<'_, '_>, name: &str) -> Result<PartnerRow, PartnerError> {
    change(work, name, PartnerState::Active, None, |state| match state {
        PartnerState::Proposed | PartnerState::AwaitingConfirmation | PartnerState::Active => Ok(()),
        PartnerState::Held => Err("resume it instead, after looking at the evidence"),
        PartnerState::Cut => Err("peer with it anew"),
    })
}

/// A person holds a partner: nothing of it is taken until it is resumed.
///
/// # Errors
/// Unknown, or not active.
pub fn hold(work: &mut Work<'_, '_>, name: &str, reason: &str) -> Result<PartnerRow, PartnerError> {
    change(work, name, PartnerState::Held, Some(reason), |state| match state {
        PartnerState::Active | PartnerState::Held => Ok(()),
        PartnerState::Proposed | PartnerState::AwaitingConfirmation => Err("it is not confirmed yet"),
        PartnerState::Cut => Err("it is cut already"),
    })
}

/// A person resumes a partner that was held.
///
/// # Errors
/// Unknown, or not held.
pub fn resume(work: &mut Work<'_, '_>, name: &str) -> Result<PartnerRow, PartnerError> {
    change(work, name, PartnerState::Active, None, |state| match state {
        PartnerState::Held | PartnerState::Active => Ok(()),
        PartnerState::Proposed | PartnerState::AwaitingConfirmation => Err("confirm it instead"),
        PartnerState::Cut => Err("peer with it anew"),
    })
}

/// A person cuts a partner: it gets nothing more and nothing of it is taken; what it said stays, as its word.
///
/// # Errors
/// Unknown.
pub fn cut(work: &mut Work<'_, '_>, name: &str, reason: &str) -> Result<PartnerRow, PartnerError> {
    change(work, name, PartnerState::Cut, Some(reason), |_| Ok(()))
}

fn change(
    work: &mut Work<'_, '_>,
    name: &str,
    to: PartnerState,
    reason: Option<&str>,
    may: impl Fn(PartnerState) -> Result<(), &'static str>,
) -> Result<PartnerRow, PartnerError> {
    let row = find(work.tx, name)?;
    if let Err(remedy) = may(row.state) {
        return Err(PartnerError::State { origin: row.origin, state: row.state.word(), remedy });
    }
    work.tx.partner_state(row.log, to, reason)?;
    reload(work.tx, row.log, name)
}

fn reload(db: &Db<'_>, log: LogId, name: &str) -> Result<PartnerRow, PartnerError> {
    db.partner(log)?.ok_or_else(|| PartnerError::Unknown(name.to_owned()))
}
