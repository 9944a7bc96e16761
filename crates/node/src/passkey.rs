//! Passkeys of accounts (WebAuthn): registered by whoever is logged in, and then enough to log in.
//!
//! A passkey is something that one has and a PIN or finger in one, and its signature names the host that asked: a page
//! that looks like ours gets nothing that it could pass on. What is read and checked stands in [`ceremony`].

pub mod ceremony;

use model::bytes::{hex, unhex};
use sha2::{Digest, Sha256};
use store::{Db, PasskeyRow, PersonId, PersonState, StoreError};

use self::ceremony::{CHALLENGE_BYTES, Expected, Fault, HostName, PublicKey, Purpose};
use crate::account::{self, AccountError, Session};
use crate::limits;
use crate::me::Me;
use crate::ports::random_bytes;
use crate::work::{View, Work};

/// Why a passkey was refused.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The account, or the database.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Logged in too long ago.
    #[error("a passkey is added within 15 minutes of logging in: log out, log in again, and add it then")]
    Stale,
    /// Too many.
    #[error("an account has at most 16 passkeys: remove one first")]
    TooMany,
    /// The credential id is known.
    #[error("this passkey is registered already: choose another device or key")]
    Known,
    /// What the authenticator said.
    #[error("the passkey was not added: {0}; try again")]
    Register(Fault),
    /// Nobody's, or not for the caller.
    #[error("there is no such passkey: list them with `entraide user passkeys LOGIN`")]
    Unknown,
    /// A login failed; why is for the node's own records.
    #[error("{0}")]
    LogIn(Refused),
}

impl From<StoreError> for PasskeyError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

/// Why a passkey did not log in: told to the node's records alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What was said.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// Nobody has this passkey, or not the account that it names.
    #[error("nobody here has this passkey")]
    Nobody,
    /// The account is locked.
    #[error("the account `{0}` is locked")]
    Locked(String),
    /// The challenge was answered before.
    #[error("the challenge was answered already")]
    Replayed,
    /// Too many logins for people.
    #[error("more logins in five minutes than people make")]
    Flooded,
    /// Its counter went back: somebody else has the key too.
    #[error("the counter of passkey {id} of `{login}` went back from {kept} to {said}: it may have been copied")]
    CountedBack {
        /// Whose.
        login: String,
        /// Which, as lists show it.
        id: String,
        /// Before.
        kept: u32,
        /// Now.
        said: u32,
    },
    /// A passkey that could not be copied now can be, or the other way.
    #[error("the passkey of `{0}` changed whether it can be copied")]
    Changed(String),
}

/// The setting that holds the key of challenges.
const KEY_SETTING: &str = "passkey-challenge-key";

fn stored_key(db: &Db<'_>) -> Result<Option<[u8; 32]>, StoreError> {
    Ok(db.setting(KEY_SETTING)?.and_then(|text| unhex::<32>(&text)))
}

/// Makes a challenge for a purpose. Nothing is kept of it until it is answered.
///
/// # Errors
/// The database.
pub fn challenge(work: &mut Work<'_, '_>, purpose: Purpose<'_>) -> Result<[u8; CHALLENGE_BYTES], StoreError> {
    let key = match stored_key(work.tx)? {
        Some(key) => key,
        None => {
            let key: [u8; 32] = random_bytes(work.random);
            work.tx.set_setting(KEY_SETTING, &hex(&key))?;
            key
        }
    };
    let until = work.wall.plus_seconds(limits::PASSKEY_SECONDS);
    Ok(ceremony::challenge(&key, purpose, until, &random_bytes(work.random)))
}

/// What a person needs to register a passkey.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// See [`challenge`].
    pub challenge: [u8; CHALLENGE_BYTES],
    /// The account as authenticators know it: a number that says nothing about the person.
    pub handle: [u8; 32],
    /// The account's name for people.
    pub name: String,
    /// The credentials that it has: the same authenticator is not registered twice.
    pub known: Vec<Vec<u8>>,
}

/// The account as authenticators know it (WebAuthn Level 3 §14.6.1: nothing about the person).
fn handle(me: &Me, person: PersonId) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"entraide passkey handle\0");
    digest.update(me.origin.to_string());
    digest.update(person.0.to_be_bytes());
    digest.finalize().into()
}

/// Begins a registration within a session.
///
/// # Errors
/// The session is too old or over, or the account has enough passkeys.
pub fn begin(work: &mut Work<'_, '_>, session: &[u8; 32]) -> Result<Invitation, PasskeyError> {
    let person = fresh(work, session)?;
    let known = work.tx.passkeys_of(person)?;
    if known.len() >= limits::PASSKEYS {
        return Err(PasskeyError::TooMany);
    }
    let name = work.tx.person(person)?.map(|row| row.name).ok_or(PasskeyError::Stale)?;
    let challenge = challenge(work, Purpose::Register(session))?;
    let known = known.into_iter().map(|row| row.id).collect();
    Ok(Invitation { challenge, handle: handle(work.me, person), name, known })
}

/// Whose session it is, if it began a short time ago.
fn fresh(work: &Work<'_, '_>, session: &[u8; 32]) -> Result<PersonId, PasskeyError> {
    let row = work.tx.session_by_hash(&account::digest(session))?.ok_or(PasskeyError::Stale)?;
    let oldest = work.wall.plus_seconds(-limits::PASSKEY_FRESH_SECONDS);
    if row.created < oldest { Err(PasskeyError::Stale) } else { Ok(row.person) }
}

/// A new passkey, as the page sends it.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    /// What its person calls it.
    pub name: String,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `getAuthenticatorData()`.
    pub authenticator_data: Vec<u8>,
    /// `getPublicKey()`.
    pub public_key: Vec<u8>,
    /// `getPublicKeyAlgorithm()`.
    pub algorithm: i64,
}

/// Registers a passkey for the account of a session.
///
/// # Errors
/// The session is too old; a name or key that cannot be; what the authenticator said does not fit; it is known.
pub fn register(
    work: &mut Work<'_, '_>,
    session: &[u8; 32],
    host: &HostName,
    new: &NewPasskey,
) -> Result<PasskeyRow, PasskeyError> {
    let person = fresh(work, session)?;
    account::check_name(&new.name)?;
    if work.tx.passkeys_of(person)?.len() >= limits::PASSKEYS {
        return Err(PasskeyError::TooMany);
    }
    let key = stored_key(work.tx)?.ok_or(PasskeyError::Register(Fault::Challenge))?;
    let expected = Expected { host, purpose: Purpose::Register(session), key: &key, now: work.wall };
    let checked = ceremony::check(&expected, &new.client_data, &new.authenticator_data);
    let (opened, data) = checked.map_err(PasskeyError::Register)?;
    let public = PublicKey::read(new.algorithm, &new.public_key).map_err(PasskeyError::Register)?;
    let id = data.credential.ok_or(PasskeyError::Register(Fault::AuthenticatorData))?;
    if !answered(work, opened)? {
        return Err(PasskeyError::Register(Fault::Challenge));
    }
    let row = PasskeyRow {
        id,
        person,
        host: host.as_str().to_owned(),
        name: new.name.clone(),
        algorithm: public.algorithm(),
        key: public.bytes().to_vec(),
        count: data.count,
        backup_eligible: data.backup_eligible,
        backed_up: data.backed_up,
        created: work.wall,
        last_used: None,
    };
    if work.tx.add_passkey(&row)? { Ok(row) } else { Err(PasskeyError::Known) }
}

/// Notes that a challenge was answered; `false` if it was before.
fn answered(work: &Work<'_, '_>, opened: ceremony::Opened) -> Result<bool, StoreError> {
    work.tx.answer_challenge(&opened.nonce, opened.until, work.sure.min(work.wall))
}

/// A login by passkey, as the page sends it.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// The credential id.
    pub id: Vec<u8>,
    /// The account that the authenticator names.
    pub handle: Vec<u8>,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// The authenticator data.
    pub authenticator_data: Vec<u8>,
    /// The signature over both.
    pub signature: Vec<u8>,
}

/// Begins a session by a passkey. An account that waits after wrong passwords is let in: a passkey can't be guessed, and
/// whoever guesses passwords must not keep its person out.
///
/// # Errors
/// [`PasskeyError::LogIn`] with what was wrong, or the database.
pub fn log_in(work: &mut Work<'_, '_>, host: &HostName, said: &Assertion) -> Result<Session, PasskeyError> {
    let refused = |why: Refused| PasskeyError::LogIn(why);
    let key = stored_key(work.tx)?.ok_or(refused(Fault::Challenge.into()))?;
    let expected = Expected { host, purpose: Purpose::LogIn, key: &key, now: work.wall };
    let checked = ceremony::check(&expected, &said.client_data, &said.authenticator_data);
    let (opened, data) = checked.map_err(|fault| refused(fault.into()))?;
    let Some(row) = work.tx.passkey(&said.id)?.filter(|row| row.host == host.as_str()) else {
        return Err(refused(Refused::Nobody));
    };
    let public = PublicKey::stored(row.algorithm, &row.key).map_err(|fault| refused(fault.into()))?;
    ceremony::check_signature(&public, &said.client_data, &said.authenticator_data, &said.signature)
        .map_err(|fault| refused(fault.into()))?;
    let person = work.tx.person(row.person)?.filter(|_| said.handle == handle(work.me, row.person));
    let person = person.ok_or(refused(Refused::Nobody))?;
    if person.state != PersonState::Active {
        return Err(refused(Refused::Locked(person.login)));
    }
    if data.backup_eligible != row.backup_eligible {
        return Err(refused(Refused::Changed(person.login)));
    }
    // Authenticators that don't count always say 0 (WebAuthn Level 3 §6.1.1).
    if (data.count, row.count) != (0, 0) && data.count <= row.count {
        let (id, kept, said) = (short_id(&row.id), row.count, data.count);
        return Err(refused(Refused::CountedBack { login: person.login, id, kept, said }));
    }
    if !answered(work, opened)? {
        return Err(refused(Refused::Replayed));
    }
    if work.tx.answered_challenges()? > limits::PASSKEY_ANSWERED {
        return Err(refused(Refused::Flooded));
    }
    work.tx.passkey_used(&row.id, data.count, data.backed_up, work.wall)?;
    Ok(account::begin(work, person)?)
}

/// The short name of a passkey in lists and addresses: 8 bytes of the digest of its credential id.
#[must_use]
pub fn short_id(credential: &[u8]) -> String {
    hex(&Sha256::digest(credential)[..8])
}

/// The passkeys of an account.
///
/// # Errors
/// The database.
pub fn of(view: &View<'_, '_>, person: PersonId) -> Result<Vec<PasskeyRow>, StoreError> {
    view.db.passkeys_of(person)
}

/// The passkeys of the account of a login.
///
/// # Errors
/// No such account.
pub fn of_login(view: &View<'_, '_>, login: &str) -> Result<Vec<PasskeyRow>, PasskeyError> {
    let person = account::user(view.db, login)?;
    Ok(view.db.passkeys_of(person.id)?)
}

/// Removes an own passkey, and ends every other session of the account: one of them may be the lost device's.
///
/// # Errors
/// Not theirs, or not there.
pub fn remove(work: &mut Work<'_, '_>, person: PersonId, id: &str, session: &[u8; 32]) -> Result<(), PasskeyError> {
    delete(work, person, id)?;
    let kept = account::digest(session);
    for other in work.tx.sessions_of(person)?.iter().filter(|row| row.hash != kept) {
        work.tx.delete_session(&other.hash)?;
    }
    Ok(())
}

/// Revokes a passkey of an account, and ends the account's sessions.
///
/// # Errors
/// No such account, or no such passkey of it.
pub fn revoke(work: &mut Work<'_, '_>, login: &str, id: &str) -> Result<(), PasskeyError> {
    let person = account::user(work.tx, login)?.id;
    delete(work, person, id)?;
    Ok(work.tx.delete_sessions_of(person)?)
}

fn delete(work: &Work<'_, '_>, person: PersonId, id: &str) -> Result<(), PasskeyError> {
    let rows = work.tx.passkeys_of(person)?;
    let row = rows.iter().find(|row| short_id(&row.id) == id).ok_or(PasskeyError::Unknown)?;
    work.tx.delete_passkey(&row.id)?;
    Ok(())
}
