//! Accounts: people with a password and a one-time code, their sessions, and tokens for machines.
//!
//! Hashing a password takes tens of milliseconds and 19 MiB, so it is done outside the writer: [`Candidate::check`] and
//! [`hash_password`] are pure functions that the caller runs where blocking is allowed.

use std::sync::OnceLock;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE};
use hmac::{Hmac, KeyInit, Mac};
use model::{Desk, Role, Timestamp};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use store::{Db, NewPerson, PersonId, PersonRow, PersonState, SessionRow, StoreError, TokenRow};
use subtle::ConstantTimeEq;

use crate::actor::Actor;
use crate::limits;
use crate::ports::{Random, random_bytes};
use crate::work::{View, Work};

/// Why an account, session or token was refused.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not a login.
    #[error("`{0}` is not a login: write 2 to 64 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter")]
    Login(String),
    /// The login is taken.
    #[error("there is an account `{0}` already: choose another login, or reset that one")]
    Taken(String),
    /// No such account.
    #[error("there is no account `{0}`: list them with `entraide user list`")]
    Unknown(String),
    /// Not a name for people.
    #[error("a name has 1 to 200 bytes without control characters: shorten `{0}`")]
    Name(String),
    /// Too short, or absurdly long.
    #[error("a password has 12 letters to 1,024 bytes: choose a longer one, or let the node make it")]
    Password,
    /// An account that may do nothing.
    #[error(
        "an account needs a role: give it one of viewer, analyst, duty-officer, liaison, crisis-officer, \
             administrator, auditor"
    )]
    NoRoles,
    /// Hashing failed: parameters or memory.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    /// Not a name of a token.
    #[error("`{0}` is not a name for a token: write 1 to 64 of a-z, 0-9, dot, hyphen and underscore")]
    TokenName(String),
    /// A token of that name exists.
    #[error("there is a token `{0}` already: revoke it first, or choose another name")]
    TokenTaken(String),
    /// No such token.
    #[error("there is no token `{0}`: list them with `entraide token list`")]
    TokenUnknown(String),
    /// A life outside of what tokens may have.
    #[error("a token lives 1 to 366 days, not {0}: choose within that")]
    Days(u32),
}

/// What an account is made with by chance: drawn before its password is hashed.
pub struct Draw {
    /// Twenty letters of base32: 100 bits.
    pub password: String,
    /// The salt of the password's hash.
    pub salt: [u8; SALT_BYTES],
}

/// Bytes of a password's salt (RFC 9106 §3.1 recommends 16).
pub const SALT_BYTES: usize = 16;
/// Bytes of a TOTP secret: as long as HMAC-SHA1's output (RFC 4226 §4, R6).
pub const TOTP_SECRET_BYTES: usize = 20;
/// What a token begins with, so that scanners for leaked secrets find it.
pub const TOKEN_PREFIX: &str = "entraide_";

impl Draw {
    /// Draws a password and a salt.
    pub fn new(random: &mut dyn Random) -> Self {
        // 20 letters of 5 bits each come from 12.5 bytes.
        let mut password = BASE32_NOPAD.encode(&random_bytes::<13>(random)).to_ascii_lowercase();
        password.truncate(20);
        Self { password, salt: random_bytes(random) }
    }
}

/// The hash of a password as a PHC string: Argon2id, 19 MiB, two passes, one lane (OWASP's minimum of 2024).
///
/// # Errors
/// Too short or too long a password.
pub fn hash_password(password: &[u8], salt: &[u8; SALT_BYTES]) -> Result<String, AccountError> {
    let letters = std::str::from_utf8(password).map_or(0, |text| text.chars().count());
    if letters < PASSWORD_LETTERS || password.len() > PASSWORD_BYTES {
        return Err(AccountError::Password);
    }
    phc(password, salt)
}

/// Does the password have this hash? Takes as long as hashing.
#[must_use]
pub fn password_matches(password: &[u8], hash: &str) -> bool {
    // A megabyte of password would be hashed before it is refused.
    if password.len() > PASSWORD_BYTES {
        return false;
    }
    PasswordHash::new(hash).is_ok_and(|known| Argon2::default().verify_password(password, &known).is_ok())
}

/// With a second factor, 8 would do (NIST SP 800-63B §3.1.1.2); 12 keeps a stolen database worthless longer.
const PASSWORD_LETTERS: usize = 12;
const PASSWORD_BYTES: usize = 1_024;

/// The hash of a secret as a PHC string, whatever its length.
pub(crate) fn phc(password: &[u8], salt: &[u8]) -> Result<String, AccountError> {
    let failed = |error: &dyn std::fmt::Display| AccountError::Hash(error.to_string());
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| failed(&error))?;
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password, salt)
        .map_err(|error| failed(&error))?;
    Ok(hash.to_string())
}

/// What an unknown login is compared with, so that the answer takes as long as for a known one.
pub(crate) fn nobodys_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| phc(b"nobody has this password", &[0x5a; SALT_BYTES]).unwrap_or_default())
}

/// The step of a moment in TOTP (RFC 6238 §4.1): 30 s from 1970.
fn totp_step(now: Timestamp) -> u64 {
    u64::try_from(now.micros() / 30_000_000).unwrap_or(0)
}

/// The six digits of a step (RFC 4226 §5.3 with HMAC-SHA1).
#[must_use]
pub fn totp_code(secret: &[u8], step: u64) -> String {
    format!("{:06}", truncated(secret, step) % 1_000_000)
}

fn truncated(secret: &[u8], step: u64) -> u32 {
    // HMAC takes keys of every length (RFC 2104 §2), so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return 0 };
    mac.update(&step.to_be_bytes());
    let digest: [u8; 20] = mac.finalize().into_bytes().into();
    let at = usize::from(digest[19] & 0x0f);
    u32::from_be_bytes([digest[at] & 0x7f, digest[at + 1], digest[at + 2], digest[at + 3]])
}

/// The step whose code this is, one step of clock skew either way (RFC 6238 §5.2); never one that was used already.
fn totp_accept(secret: &[u8], code: &str, now: Timestamp, last: u64) -> Option<u64> {
    let step = totp_step(now);
    (step.saturating_sub(1)..=step + 1)
        .filter(|step| *step > last)
        .find(|step| totp_code(secret, *step).as_bytes().ct_eq(code.as_bytes()).into())
}

/// A new account, its password hashed already.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// By which it logs in.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// At which desk.
    pub desk: Desk,
    /// With which roles.
    pub roles: Vec<Role>,
    /// See [`hash_password`].
    pub password_hash: String,
}

/// The second factor of an account, shown once.
#[derive(Clone)]
pub struct Enrolment {
    /// The TOTP secret in base32, to be typed.
    pub secret: String,
    /// The same as an `otpauth:` address, to be shown as a code.
    pub uri: String,
}

/// Makes an account with a new second factor.
///
/// # Errors
/// The login is taken or none; a name or roles that cannot be.
pub fn create_user(work: &mut Work<'_, '_>, new: &NewUser) -> Result<Enrolment, AccountError> {
    check_login(&new.login)?;
    check_name(&new.name)?;
    if new.roles.is_empty() {
        return Err(AccountError::NoRoles);
    }
    let secret: [u8; TOTP_SECRET_BYTES] = random_bytes(work.random);
    let made = work.tx.add_person(&NewPerson {
        login: &new.login,
        name: &new.name,
        password_hash: &new.password_hash,
        totp_secret: Some(&secret),
        desk: new.desk,
        roles: &new.roles,
        created: work.wall,
    })?;
    if made.is_none() {
        return Err(AccountError::Taken(new.login.clone()));
    }
    Ok(enrolment(work, &new.login, &secret))
}

fn enrolment(work: &Work<'_, '_>, login: &str, secret: &[u8]) -> Enrolment {
    let secret = BASE32_NOPAD.encode(secret);
    let issuer = format!("Entraide%20{}%20{}", work.me.origin.country(), work.me.realm());
    let uri =
        format!("otpauth://totp/{issuer}:{login}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30");
    Enrolment { secret, uri }
}

fn check_login(login: &str) -> Result<(), AccountError> {
    // `machine` stands for the local socket in ledgers.
    let good = login.len() >= 2 && login.as_bytes()[0].is_ascii_lowercase() && is_word(login) && login != "machine";
    if good { Ok(()) } else { Err(AccountError::Login(login.chars().take(80).collect())) }
}

fn is_word(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(letter)
}

pub(crate) fn check_name(name: &str) -> Result<(), AccountError> {
    let good = !name.is_empty() && name.len() <= model::limits::NAME_BYTES && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(AccountError::Name(name.chars().filter(|c| !c.is_control()).take(60).collect())) }
}

/// A change of an account; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// May it log in?
    pub state: Option<PersonState>,
    /// Its roles.
    pub roles: Option<Vec<Role>>,
    /// Its desk.
    pub desk: Option<Desk>,
}

/// Changes an account. Locking it ends its sessions at once; its tokens wait until it is unlocked.
///
/// # Errors
/// No such account, or no role left.
pub fn change_user(work: &mut Work<'_, '_>, login: &str, change: &Change) -> Result<PersonRow, AccountError> {
    let mut row = user(work.tx, login)?;
    if let Some(roles) = &change.roles {
        if roles.is_empty() {
            return Err(AccountError::NoRoles);
        }
        row.roles.clone_from(roles);
    }
    row.desk = change.desk.unwrap_or(row.desk);
    if let Some(state) = change.state {
        row.state = state;
        row.failed = 0;
        row.locked_until = None;
        if state == PersonState::Locked {
            work.tx.delete_sessions_of(row.id)?;
        }
    }
    work.tx.put_person(&row)?;
    Ok(row)
}

/// Gives an account a new password and a new second factor, takes its passkeys away, and ends its sessions.
///
/// # Errors
/// No such account.
pub fn reset(work: &mut Work<'_, '_>, login: &str, password_hash: &str) -> Result<Enrolment, AccountError> {
    let mut row = user(work.tx, login)?;
    let secret: [u8; TOTP_SECRET_BYTES] = random_bytes(work.random);
    password_hash.clone_into(&mut row.password_hash);
    row.totp_secret = Some(secret.to_vec());
    row.totp_last_step = 0;
    row.failed = 0;
    row.locked_until = None;
    work.tx.put_person(&row)?;
    work.tx.delete_passkeys_of(row.id)?;
    work.tx.delete_sessions_of(row.id)?;
    Ok(enrolment(work, login, &secret))
}

pub(crate) fn user(db: &Db<'_>, login: &str) -> Result<PersonRow, AccountError> {
    db.person_by_login(login)?.ok_or_else(|| AccountError::Unknown(login.chars().take(80).collect()))
}

/// Somebody who wants to log in: found by login, not yet compared.
#[derive(Clone)]
pub struct Candidate {
    person: Option<PersonId>,
    hash: String,
}

/// A candidate whose password was compared.
#[derive(Clone)]
pub struct Checked {
    person: Option<PersonId>,
    hash: String,
    matches: bool,
}

/// Finds who wants to log in. An unknown login gives a candidate too: it takes as long and fails alike.
///
/// # Errors
/// The database.
pub fn candidate(view: &View<'_, '_>, login: &str) -> Result<Candidate, StoreError> {
    let row = view.db.person_by_login(login)?;
    Ok(match row {
        Some(row) => Candidate { person: Some(row.id), hash: row.password_hash },
        None => Candidate { person: None, hash: String::new() },
    })
}

impl Candidate {
    /// Compares the password. Slow on purpose: run it where blocking is allowed.
    #[must_use]
    pub fn check(self, password: &[u8]) -> Checked {
        let against = if self.person.is_some() { self.hash.as_str() } else { nobodys_hash() };
        let matches = password_matches(password, against) && self.person.is_some();
        Checked { matches, person: self.person, hash: self.hash }
    }
}

/// A session that has just begun. The token is shown once and kept as a hash.
pub struct Session {
    /// For the cookie.
    pub token: [u8; 32],
    /// What unsafe requests must repeat in a header.
    pub csrf: [u8; 32],
    /// When it ends.
    pub expires: Timestamp,
    /// Whose it is.
    pub person: PersonRow,
}

/// Begins a session, or `None`: one answer whatever was wrong. Failures are counted, and after
/// [`limits::LOGIN_TRIES`] the account waits.
///
/// # Errors
/// The database.
pub fn log_in(work: &mut Work<'_, '_>, checked: &Checked, code: &str) -> Result<Option<Session>, StoreError> {
    let found = match checked.person {
        Some(id) => work.tx.person(id)?,
        None => None,
    };
    let may =
        |row: &PersonRow| row.state == PersonState::Active && row.locked_until.is_none_or(|until| until <= work.wall);
    let Some(mut row) = found.filter(may) else {
        // A row is written as for a wrong password: whoever measures the sync must not learn who has an account.
        work.tx.set_setting("login-refused", &work.wall.to_string())?;
        return Ok(None);
    };
    // The password may have been reset since it was compared.
    let password = checked.matches && checked.hash == row.password_hash;
    let step = row.totp_secret.as_deref().and_then(|secret| totp_accept(secret, code, work.watch, row.totp_last_step));
    let Some(step) = step.filter(|_| password) else {
        row.failed += 1;
        if row.failed >= limits::LOGIN_TRIES {
            row.failed = 0;
            row.locked_until = Some(work.wall.plus_seconds(limits::LOGIN_PAUSE_SECONDS));
        }
        work.tx.put_person(&row)?;
        return Ok(None);
    };
    row.failed = 0;
    row.locked_until = None;
    row.totp_last_step = step;
    work.tx.put_person(&row)?;
    Ok(Some(begin(work, row)?))
}

/// Begins a session of somebody who has proved who they are.
pub(crate) fn begin(work: &mut Work<'_, '_>, row: PersonRow) -> Result<Session, StoreError> {
    work.tx.purge_expired(work.sure.min(work.wall))?;
    let session = Session {
        token: random_bytes(work.random),
        csrf: random_bytes(work.random),
        expires: work.wall.plus_seconds(limits::SESSION_SECONDS),
        person: row,
    };
    work.tx.put_session(&SessionRow {
        hash: digest(&session.token),
        person: session.person.id,
        created: work.wall,
        expires: session.expires,
        csrf: session.csrf,
    })?;
    Ok(session)
}

/// Ends a session; one that is not there has ended already.
///
/// # Errors
/// The database.
pub fn log_out(work: &mut Work<'_, '_>, token: &[u8; 32]) -> Result<(), StoreError> {
    work.tx.delete_session(&digest(token))?;
    Ok(())
}

pub(crate) fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Who a request comes from, as a session knows it.
#[derive(Debug, Clone)]
pub struct SessionFound {
    /// Who acts.
    pub actor: Actor,
    /// The name for people.
    pub name: String,
    /// What unsafe requests must repeat.
    pub csrf: [u8; 32],
}

/// The person behind a session's token; `None` if it has ended, or if the account is locked.
///
/// # Errors
/// The database.
pub fn by_session(view: &View<'_, '_>, token: &[u8; 32]) -> Result<Option<SessionFound>, StoreError> {
    let Some(session) = view.db.session_by_hash(&digest(token))?.filter(|row| row.expires > view.wall) else {
        return Ok(None);
    };
    let person = view.db.person(session.person)?.filter(|row| row.state == PersonState::Active);
    Ok(person.map(|row| SessionFound { name: row.name.clone(), actor: actor_of(row), csrf: session.csrf }))
}

fn actor_of(row: PersonRow) -> Actor {
    Actor { person: Some(row.id), login: row.login, desk: row.desk, roles: row.roles }
}

/// A token that was found, and whether its last use should be written down anew.
#[derive(Debug, Clone)]
pub struct TokenFound {
    /// Who acts.
    pub actor: Actor,
    /// By what its row is found again.
    pub hash: [u8; 32],
    /// Its last use is noted by the hour: a write for every request would cost a sync each.
    pub is_stale: bool,
}

/// The account behind a token; `None` if it is unknown, has run out, or if the account is locked.
///
/// # Errors
/// The database.
pub fn by_token(view: &View<'_, '_>, token: &str) -> Result<Option<TokenFound>, StoreError> {
    let Some(secret) = token_secret(token) else { return Ok(None) };
    let row = view.db.token_by_hash(&digest(&secret))?;
    let Some(row) = row.filter(|row| row.expires.is_none_or(|until| until > view.wall)) else { return Ok(None) };
    let hour_ago = view.wall.plus_seconds(-3_600);
    let is_stale = row.last_used.is_none_or(|last| last < hour_ago);
    let person = view.db.person(row.person)?.filter(|row| row.state == PersonState::Active);
    Ok(person.map(|person| TokenFound { actor: actor_of(person), hash: row.hash, is_stale }))
}

fn token_secret(token: &str) -> Option<[u8; 32]> {
    let text = token.strip_prefix(TOKEN_PREFIX)?;
    BASE32_NOPAD_NOCASE.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// Notes that a token was used.
///
/// # Errors
/// The database.
pub fn touch_token(work: &mut Work<'_, '_>, hash: &[u8; 32]) -> Result<(), StoreError> {
    work.tx.token_used(hash, work.wall)
}

/// Makes a token that acts as an account. It is shown once and kept as a hash.
///
/// # Errors
/// The name is taken or none; no such account; a life outside 1 to 366 days.
pub fn create_token(work: &mut Work<'_, '_>, name: &str, login: &str, days: u32) -> Result<String, AccountError> {
    if !is_word(name) {
        return Err(AccountError::TokenName(name.chars().take(80).collect()));
    }
    if !(1..=TOKEN_DAYS).contains(&days) {
        return Err(AccountError::Days(days));
    }
    let person = user(work.tx, login)?;
    let secret: [u8; 32] = random_bytes(work.random);
    let kept = work.tx.put_token(&TokenRow {
        hash: digest(&secret),
        name: name.to_owned(),
        person: person.id,
        expires: Some(work.wall.plus_seconds(i64::from(days) * 86_400)),
        created: work.wall,
        last_used: None,
    })?;
    if !kept {
        return Err(AccountError::TokenTaken(name.to_owned()));
    }
    Ok(format!("{TOKEN_PREFIX}{}", BASE32_NOPAD.encode(&secret).to_ascii_lowercase()))
}

/// A leaked token that nobody remembers must end by itself; a year fits yearly maintenance.
const TOKEN_DAYS: u32 = 366;

/// Revokes a token by its name; with `owner`, only if it is that account's.
///
/// # Errors
/// No such token.
pub fn revoke_token(work: &mut Work<'_, '_>, name: &str, owner: Option<PersonId>) -> Result<(), AccountError> {
    let found = work.tx.token_by_name(name)?.filter(|row| owner.is_none_or(|id| id == row.person));
    if found.is_none() {
        return Err(AccountError::TokenUnknown(name.chars().take(80).collect()));
    }
    work.tx.delete_token(name)?;
    Ok(())
}

/// Every account, by login.
///
/// # Errors
/// The database.
pub fn users(view: &View<'_, '_>) -> Result<Vec<PersonRow>, StoreError> {
    let mut rows = view.db.persons()?;
    rows.sort_by(|a, b| a.login.cmp(&b.login));
    Ok(rows)
}

/// Every token with the login that it acts as, by name.
///
/// # Errors
/// The database.
pub fn tokens(view: &View<'_, '_>) -> Result<Vec<(TokenRow, String)>, StoreError> {
    let mut all = Vec::new();
    for row in view.db.tokens()? {
        let login = view.db.person(row.person)?.map_or_else(String::new, |person| person.login);
        all.push((row, login));
    }
    all.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    Ok(all)
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
    fn totp_gives_the_codes_of_the_standard() {
        // RFC 6238 appendix B, SHA-1, eight digits.
        let check = |seconds: i64, expect: u32| {
            let step = totp_step(Timestamp::from_seconds(seconds));
            assert_eq!(truncated(b"12345678901234567890", step) % 100_000_000, expect, "{seconds}");
            assert_eq!(totp_code(b"12345678901234567890", step), format!("{:06}", expect % 1_000_000));
        };
        check(59, 94_287_082);
        check(1_111_111_109, 7_081_804);
        check(1_111_111_111, 14_050_471);
        check(1_234_567_890, 89_005_924);
        check(2_000_000_000, 69_279_037);
        check(20_000_000_000, 65_353_130);
    }

    #[test]
    fn a_code_counts_one_step_either_way_and_once() {
        let secret = b"12345678901234567890";
        let now = Timestamp::from_seconds(1_234_567_890);
        let step = totp_step(now);
        let check = |of: u64, last: u64, expect: Option<u64>| {
            assert_eq!(totp_accept(secret, &totp_code(secret, of), now, last), expect, "{of} after {last}");
        };
        check(step, 0, Some(step));
        check(step - 1, 0, Some(step - 1));
        check(step + 1, 0, Some(step + 1));
        check(step - 2, 0, None);
        check(step + 2, 0, None);
        check(step, step, None);
        check(step - 1, step, None);
        check(step + 1, step, Some(step + 1));
        assert_eq!(totp_accept(secret, "", now, 0), None);
    }

    #[test]
    fn passwords_match_their_own_hash_only() {
        let draw = Draw::new(&mut Counting(1));
        assert_eq!(draw.password.len(), 20);
        let hash = hash_password(draw.password.as_bytes(), &draw.salt).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(password_matches(draw.password.as_bytes(), &hash));
        assert!(!password_matches(b"another password", &hash));
        assert!(!password_matches(draw.password.as_bytes(), "rubbish"));
        assert!(matches!(hash_password(b"elevenchars", &draw.salt), Err(AccountError::Password)));
        assert!(matches!(hash_password(&[b'x'; 1_025], &draw.salt), Err(AccountError::Password)));
    }

    #[test]
    fn nobody_never_matches() {
        let nobody = Candidate { person: None, hash: String::new() };
        assert!(!nobody.check(b"nobody has this password").matches);
    }

    #[test]
    fn logins_and_names_are_checked() {
        for good in ["ab", "anna.schmidt", "a-1_b"] {
            check_login(good).unwrap();
        }
        for bad in ["", "a", "1a", "Anna", "a b", "machine", "à1", &"a".repeat(65)] {
            assert!(check_login(bad).is_err(), "{bad}");
        }
        assert!(check_name("Anna Schmidt").is_ok());
        assert!(check_name("a\nb").is_err());
    }

    #[test]
    fn tokens_are_read_back() {
        let secret = [7; 32];
        let token = format!("{TOKEN_PREFIX}{}", BASE32_NOPAD.encode(&secret).to_ascii_lowercase());
        assert_eq!(token_secret(&token), Some(secret));
        assert_eq!(token_secret("entraide_short"), None);
        assert_eq!(token_secret(&token.replace("entraide_", "")), None);
    }
}
