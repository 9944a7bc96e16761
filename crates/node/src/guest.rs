//! Guests: people without an account who read one RED thread, by a link and a one-time code.
//!
//! The link goes by mail or message and opens nothing by itself; the code is told over the telephone, opens once, and
//! begins a reading of some minutes. Link, code and cookie are kept as hashes. Codes are hashed as passwords are, outside
//! the writer: see [`GuestChecked`].

use model::{Index, ThreadId};
use policy::{GuestId, Purpose, Released, Viewer};
use sha2::{Digest, Sha256};
use store::{Face, GuestCode, GuestRow, LedgerRow, StatementId, StoreError};
use subtle::ConstantTimeEq;

use crate::account::{self, AccountError, SALT_BYTES};
use crate::actor::Actor;
use crate::limits;
use crate::ports::{Random, random_bytes};
use crate::query::objects::{self, ObjectDetail};
use crate::red::{self, RedError};
use crate::work::{View, Work};

/// Why an invitation was refused.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// Not theirs to invite to, or the database.
    #[error(transparent)]
    Red(#[from] RedError),
    /// Not a name or a contact for people.
    #[error("a guest's {what} has 1 to 200 bytes without control characters: write it anew")]
    Text {
        /// Which of the two.
        what: &'static str,
    },
    /// A time outside of what invitations may have.
    #[error("an invitation lasts 1 to 720 hours, not {0}: choose within that")]
    Hours(u32),
    /// Too many.
    #[error(
        "a RED statement has at most 16 guests at once: revoke one first, or say it at another label to an audience"
    )]
    TooMany,
}

impl From<StoreError> for GuestError {
    fn from(error: StoreError) -> Self {
        Self::Red(error.into())
    }
}

/// A code drawn by chance, before it is hashed.
pub struct CodeDraw {
    /// Eight digits in two groups, as they are told over the telephone.
    pub code: String,
    /// The salt of its hash.
    pub salt: [u8; SALT_BYTES],
}

impl CodeDraw {
    /// Draws a code and a salt.
    pub fn new(random: &mut dyn Random) -> Self {
        // 2^64 is no multiple of 10^8; what that favours is far below one in 10^11.
        let number = u64::from_be_bytes(random_bytes(random)) % 100_000_000;
        let digits = format!("{number:08}");
        Self { code: format!("{} {}", &digits[..4], &digits[4..]), salt: random_bytes(random) }
    }

    /// The hash of the code. Slow on purpose: run it where blocking is allowed.
    ///
    /// # Errors
    /// Hashing failed.
    pub fn hash(&self) -> Result<String, AccountError> {
        account::phc(digits(&self.code).as_bytes(), &self.salt)
    }
}

/// A code as it is compared: people type it with spaces or hyphens, or without.
pub(crate) fn digits(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).take(limits::GUEST_CODE_LETTERS).collect()
}

/// Who is invited.
#[derive(Debug, Clone)]
pub struct NewGuest {
    /// The guest's name.
    pub name: String,
    /// How the guest is reached.
    pub contact: String,
    /// For how long.
    pub hours: u32,
    /// See [`CodeDraw::hash`].
    pub code_hash: String,
}

/// An invitation, its link's token shown once.
pub struct Invited {
    /// The guest, as kept.
    pub row: GuestRow,
    /// What the link ends in.
    pub link: [u8; 16],
}

/// Invites a guest to read the RED thread at a place.
///
/// # Errors
/// Not theirs to invite to; a name, contact or time that cannot be; too many guests.
pub fn invite(work: &mut Work<'_, '_>, index: Index, new: &NewGuest, by: &Actor) -> Result<Invited, GuestError> {
    let statement = red::managed(work.tx, work.me, index, by)?;
    for (what, text) in [("name", &new.name), ("contact", &new.contact)] {
        if text.is_empty() || text.len() > model::limits::NAME_BYTES || text.chars().any(char::is_control) {
            return Err(GuestError::Text { what });
        }
    }
    if !(1..=limits::GUEST_HOURS).contains(&new.hours) {
        return Err(GuestError::Hours(new.hours));
    }
    let now = work.now;
    let here = work.tx.guests_of(&statement.thread)?.iter().filter(|guest| is_open(guest, now)).count();
    if here >= limits::GUESTS {
        return Err(GuestError::TooMany);
    }
    let link: [u8; 16] = random_bytes(work.random);
    let expires = now.plus_seconds(i64::from(new.hours) * 3_600);
    let row = GuestRow {
        id: random_bytes(work.random),
        thread: statement.thread,
        link: digest(&link),
        name: new.name.clone(),
        contact: new.contact.clone(),
        invited_by: by.login.clone(),
        made: now,
        expires,
        revoked: None,
        code: Some(code(work, &new.code_hash)),
        tries_left: limits::GUEST_TRIES,
        session: None,
    };
    work.tx.put_guest(&row)?;
    Ok(Invited { row, link })
}

fn code(work: &Work<'_, '_>, hash: &str) -> GuestCode {
    GuestCode { hash: hash.to_owned(), expires: work.now.plus_seconds(limits::GUEST_CODE_SECONDS) }
}

/// Gives a guest the next code: the last was used, forgotten, or tried too often. A reading that goes on ends.
///
/// # Errors
/// Not theirs, not there, or over.
pub fn new_code(
    work: &mut Work<'_, '_>,
    index: Index,
    id: GuestId,
    code_hash: &str,
    by: &Actor,
) -> Result<GuestRow, GuestError> {
    let mut row = of(work, index, id, by)?;
    if !is_open(&row, work.now) {
        return Err(RedError::NotFound.into());
    }
    row.code = Some(code(work, code_hash));
    row.tries_left = limits::GUEST_TRIES;
    row.session = None;
    work.tx.put_guest(&row)?;
    Ok(row)
}

/// Takes an invitation back: a reading that goes on ends at once.
///
/// # Errors
/// Not theirs, or not there.
pub fn revoke(work: &mut Work<'_, '_>, index: Index, id: GuestId, by: &Actor) -> Result<GuestRow, GuestError> {
    let mut row = of(work, index, id, by)?;
    row.revoked = row.revoked.or(Some(work.now));
    row.code = None;
    row.session = None;
    work.tx.put_guest(&row)?;
    Ok(row)
}

fn of(work: &Work<'_, '_>, index: Index, id: GuestId, by: &Actor) -> Result<GuestRow, GuestError> {
    let statement = red::managed(work.tx, work.me, index, by)?;
    let row = work.tx.guest(id.as_bytes())?.filter(|guest| guest.thread == statement.thread);
    Ok(row.ok_or(RedError::NotFound)?)
}

/// May the guest still read?
#[must_use]
pub fn is_open(row: &GuestRow, now: model::Timestamp) -> bool {
    row.revoked.is_none() && row.expires > now
}

/// Somebody at a link with a code: found, not yet compared.
#[derive(Clone)]
pub struct GuestCandidate {
    id: Option<[u8; 16]>,
    hash: String,
}

/// The same once the code was compared.
#[derive(Clone)]
pub struct GuestChecked {
    id: Option<[u8; 16]>,
    hash: String,
    matches: bool,
}

/// Finds who stands at a link. A link that is unknown or over gives a candidate too: it takes as long and fails alike.
///
/// # Errors
/// The database.
pub fn candidate(view: &View<'_, '_>, link: &[u8; 16]) -> Result<GuestCandidate, StoreError> {
    let row = view.db.guest_by_link(&digest(link))?.filter(|row| is_open(row, view.now));
    Ok(match row.and_then(|row| row.code.map(|code| (row.id, code.hash))) {
        Some((id, hash)) => GuestCandidate { id: Some(id), hash },
        None => GuestCandidate { id: None, hash: String::new() },
    })
}

impl GuestCandidate {
    /// Compares the code. Slow on purpose: run it where blocking is allowed.
    #[must_use]
    pub fn check(self, code: &str) -> GuestChecked {
        let known = self.id.is_some();
        let against = if known { self.hash.as_str() } else { account::nobodys_hash() };
        let matches = account::password_matches(digits(code).as_bytes(), against) && known;
        GuestChecked { id: self.id, hash: self.hash, matches }
    }
}

/// Begins a reading and uses the code up, or `None`: one answer whatever was wrong. After [`limits::GUEST_TRIES`] wrong
/// codes the code opens no more. The token is for a cookie, and shown once.
///
/// # Errors
/// The database.
pub fn begin(work: &mut Work<'_, '_>, checked: &GuestChecked) -> Result<Option<[u8; 32]>, StoreError> {
    let row = match &checked.id {
        Some(id) => work.tx.guest(id)?,
        None => None,
    };
    let now = work.now;
    // Another request may have used the code, or its tries, since it was compared.
    let fresh = |row: &GuestRow| {
        row.code.as_ref().is_some_and(|code| code.hash == checked.hash && code.expires > now) && row.tries_left > 0
    };
    let Some(mut row) = row.filter(|row| is_open(row, now) && fresh(row)) else {
        // A row is written as for a wrong code: the time of the answer must not tell whether the link is still open.
        work.tx.set_setting("guest-refused", &now.to_string())?;
        return Ok(None);
    };
    if !checked.matches {
        row.tries_left -= 1;
        work.tx.put_guest(&row)?;
        return Ok(None);
    }
    let token: [u8; 32] = random_bytes(work.random);
    row.code = None;
    row.session = Some((digest(&token), now.plus_seconds(limits::GUEST_READING_SECONDS)));
    work.tx.put_guest(&row)?;
    Ok(Some(token))
}

fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn reads(row: &GuestRow, token: &[u8; 32], now: model::Timestamp) -> bool {
    let running = row.session.filter(|(_, until)| *until > now);
    is_open(row, now) && running.is_some_and(|(hash, _)| hash.ct_eq(&digest(token)).into())
}

/// What a guest reads: who it is, and the newest version of the one thread.
pub struct Reading {
    /// The guest.
    pub guest: GuestRow,
    /// The name for people of whoever invited.
    pub invited_by: String,
    /// The statement, released to this guest.
    pub statement: Released<ObjectDetail>,
}

/// The statement for whoever holds the cookie of a running reading. [`note`] comes before the answer.
///
/// # Errors
/// No such reading, or it is over.
pub fn read(view: &View<'_, '_>, link: &[u8; 16], token: &[u8; 32]) -> Result<Reading, RedError> {
    let guest = view.db.guest_by_link(&digest(link))?.filter(|row| reads(row, token, view.now));
    let guest = guest.ok_or(RedError::NotFound)?;
    let row = red::newest(view.db, view.me, &guest.thread)?.ok_or(RedError::NotFound)?;
    let viewer = viewer(&guest.id, guest.thread);
    let statement = objects::detail(view, &viewer, row.statement, Purpose::Read)?;
    let host = view.db.person_by_login(&guest.invited_by)?;
    let invited_by = host.map_or_else(|| view.me.name.clone(), |person| person.name);
    Ok(Reading { guest, invited_by, statement })
}

fn viewer(id: &[u8; 16], named_for: ThreadId) -> Viewer {
    Viewer::Guest { id: GuestId::new(*id), named_for }
}

/// Notes that a guest is about to read. Without this row nothing is given.
///
/// # Errors
/// The reading was ended or the statement taken back meanwhile, or the database.
pub fn note(
    work: &mut Work<'_, '_>,
    link: &[u8; 16],
    token: &[u8; 32],
    statement: StatementId,
) -> Result<(), RedError> {
    let now = work.now;
    let guest = work.tx.guest_by_link(&digest(link))?.filter(|row| reads(row, token, now)).ok_or(RedError::NotFound)?;
    let newest = red::newest(work.tx, work.me, &guest.thread)?;
    if newest.is_none_or(|row| row.statement != statement) {
        return Err(RedError::NotFound);
    }
    // Two guests may have one name; no login holds a colon.
    let who = format!("guest:{} {}", &model::bytes::hex(&guest.id)[..8], guest.name);
    work.tx.put_ledger(&LedgerRow { statement, at: now, who, face: Face::Guest, recallable: false })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);
    impl Random for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self.0.wrapping_add(37);
                *byte = self.0;
            }
        }
    }

    #[test]
    fn a_code_is_eight_digits_however_it_is_typed() {
        let draw = CodeDraw::new(&mut Counting(1));
        assert_eq!((draw.code.len(), digits(&draw.code).len()), (9, 8), "{}", draw.code);
        for typed in ["1234 5678", "12345678", " 1234-5678 "] {
            assert_eq!(digits(typed), "12345678");
        }
        assert!(digits(&"7".repeat(100_000)).len() <= limits::GUEST_CODE_LETTERS);
        let hash = draw.hash().unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains(&digits(&draw.code)));
        let known = |id| GuestCandidate { id, hash: hash.clone() };
        assert!(known(Some([1; 16])).check(&draw.code).matches);
        assert!(!known(Some([1; 16])).check("0000 0000").matches);
        assert!(!known(None).check(&draw.code).matches, "nobody never matches");
    }
}
