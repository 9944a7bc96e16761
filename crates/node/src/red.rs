//! RED: who is named to read it, and each reading. It is opened to no node; named persons read it here, one at a time.
//!
//! Names belong to a thread, so that who may read a statement may read its next version. A RED thread is RED alone: what
//! is said of the same object at another label stands in a thread of its own, and shows nothing of this one.

use model::{Index, Lane, ThreadId, Tlp};
use policy::{PolicyVersion, Purpose, ReaderId, Released, Roles, Viewer};
use store::{
    Db, Face, GuestRow, LedgerRow, ObjectRow, ObjectState, PersonId, PersonRow, PersonState, ReaderRow, StatementId,
    StoreError,
};

use crate::actor::{Actor, Permission};
use crate::limits;
use crate::me::Me;
use crate::ports::random_bytes;
use crate::query::objects::{self, Object, ObjectDetail, ObjectError};
use crate::work::{View, Work};

/// Why naming or reading was refused.
#[derive(Debug, thiserror::Error)]
pub enum RedError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not there, not RED, or not for the one who asks: one answer.
    #[error("not found")]
    NotFound,
    /// No such account, or one that is locked.
    #[error("there is no active account `{0}`: list them with `entraide user list`")]
    Unknown(String),
    /// A name would open nothing to it.
    #[error("no role of `{0}` reads content: name another person, or give it a role such as viewer first")]
    ReadsNothing(String),
    /// Not named.
    #[error("`{0}` is not named for it: list who is with `entraide red readers ID list`")]
    NotNamed(String),
    /// Too many.
    #[error("a RED statement has at most 64 named readers: for more, say it at another label to an audience")]
    TooMany,
}

/// May whoever acts know that this statement exists? Everything but RED, and RED to its named readers and to the
/// machine itself, whose operator can open the database anyway.
///
/// # Errors
/// The database.
pub fn knows(db: &Db<'_>, row: &ObjectRow, by: &Actor) -> Result<bool, StoreError> {
    if row.tlp != Tlp::Red {
        return Ok(true);
    }
    let Some(person) = by.person else { return Ok(true) };
    is_named(db, &row.thread, person)
}

fn is_named(db: &Db<'_>, thread: &ThreadId, person: PersonId) -> Result<bool, StoreError> {
    Ok(db.red_readers(thread)?.iter().any(|reader| reader.person == person))
}

/// The own RED statement at a place, if whoever acts may name its readers: a named reader who speaks for the nation, or
/// the machine itself.
///
/// # Errors
/// There is none that is theirs.
pub fn managed(db: &Db<'_>, me: &Me, index: Index, by: &Actor) -> Result<ObjectRow, RedError> {
    let statement = db.statement_at(me.log, index)?.ok_or(RedError::NotFound)?;
    let row = db.object(statement.id)?.filter(|row| row.tlp == Tlp::Red && row.lane == Lane::Intelligence);
    let row = row.ok_or(RedError::NotFound)?;
    if by.require(Permission::Speak).is_err() || !knows(db, &row, by)? {
        return Err(RedError::NotFound);
    }
    Ok(row)
}

/// The accounts of some logins, each able to read content.
///
/// # Errors
/// One is not there, is locked, or has no role that reads.
pub fn persons(db: &Db<'_>, logins: &[String]) -> Result<Vec<PersonRow>, RedError> {
    let mut found = Vec::with_capacity(logins.len());
    for login in logins {
        let person = db.person_by_login(login)?.filter(|row| row.state == PersonState::Active);
        let person = person.ok_or_else(|| RedError::Unknown(login.chars().take(80).collect()))?;
        if !Roles::new(person.roles.iter().copied()).read_content() {
            return Err(RedError::ReadsNothing(person.login));
        }
        found.push(person);
    }
    Ok(found)
}

/// Names readers of a thread. Who is named already stays so.
///
/// # Errors
/// Too many.
pub fn name(work: &mut Work<'_, '_>, thread: &ThreadId, readers: &[PersonId], by: &Actor) -> Result<(), RedError> {
    let address = random_bytes(work.random);
    work.tx.put_red_address(thread, &address)?;
    for person in readers {
        let row = ReaderRow { person: *person, named_by: by.login.clone(), at: work.now };
        work.tx.put_red_reader(thread, &row)?;
    }
    if work.tx.red_readers(thread)?.len() > limits::RED_READERS {
        return Err(RedError::TooMany);
    }
    Ok(())
}

/// Names one more reader of the RED statement at a place.
///
/// # Errors
/// Not theirs to name for, or nobody who can be named.
pub fn add_reader(work: &mut Work<'_, '_>, index: Index, login: &str, by: &Actor) -> Result<(), RedError> {
    let row = managed(work.tx, work.me, index, by)?;
    let persons = persons(work.tx, &[login.to_owned()])?;
    let ids: Vec<PersonId> = persons.iter().map(|person| person.id).collect();
    name(work, &row.thread, &ids, by)
}

/// Takes a reader's name away: from now on the statement is not there for that person.
///
/// # Errors
/// Not theirs to name for, or not named.
pub fn remove_reader(work: &mut Work<'_, '_>, index: Index, login: &str, by: &Actor) -> Result<(), RedError> {
    let row = managed(work.tx, work.me, index, by)?;
    let not_named = || RedError::NotNamed(login.chars().take(80).collect());
    let person = work.tx.person_by_login(login)?.ok_or_else(not_named)?;
    if work.tx.delete_red_reader(&row.thread, person.id)? { Ok(()) } else { Err(not_named()) }
}

/// A named reader, as those see who may name.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The login.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// By whom and when.
    pub row: ReaderRow,
}

/// Who may read a RED statement, and who has.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The statement.
    pub row: ObjectRow,
    /// Its address on this node; `None` before somebody was named.
    pub address: Option<[u8; 16]>,
    /// Own people.
    pub readers: Vec<Reader>,
    /// Guests, also those whose time is over.
    pub guests: Vec<GuestRow>,
    /// Who opened which version, newest first.
    pub openings: Vec<LedgerRow>,
}

/// Who may read the RED statement at a place, and who has.
///
/// # Errors
/// Not theirs to know.
pub fn standing(view: &View<'_, '_>, index: Index, by: &Actor) -> Result<Standing, RedError> {
    let row = managed(view.db, view.me, index, by)?;
    let mut readers = Vec::new();
    for reader in view.db.red_readers(&row.thread)? {
        if let Some(person) = view.db.person(reader.person)? {
            readers.push(Reader { login: person.login, name: person.name, row: reader });
        }
    }
    let mut openings = Vec::new();
    for statement in view.db.red_statements(view.me.log, &row.thread)? {
        openings.extend(view.db.ledger(statement, limits::PAGE_ROWS_MAX)?);
    }
    openings.sort_by_key(|opening| std::cmp::Reverse(opening.at));
    let (address, guests) = (view.db.red_address(&row.thread)?, view.db.guests_of(&row.thread)?);
    Ok(Standing { row, address, readers, guests, openings })
}

/// Whoever asks, in the person's own name: the only way in which staff reads RED.
fn in_own_name(view: &View<'_, '_>, by: &Actor) -> Option<Viewer> {
    let reader = ReaderId(by.person?.0);
    let roles = Roles::new(by.roles.iter().copied());
    Some(Viewer::NamedPerson { reader, authority: view.me.origin.clone(), desk: by.desk, roles })
}

/// The newest version of a RED thread that is still said.
///
/// # Errors
/// The database.
pub fn newest(db: &Db<'_>, me: &Me, thread: &ThreadId) -> Result<Option<ObjectRow>, StoreError> {
    for statement in db.red_statements(me.log, thread)? {
        if let Some(row) = db.object(statement)?.filter(|row| row.state == ObjectState::Live) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// Where the RED statements are that a person may read, the newest naming first. Nobody else is told a number.
///
/// # Errors
/// The database.
pub fn addresses(view: &View<'_, '_>, by: &Actor) -> Result<Vec<[u8; 16]>, StoreError> {
    let (Some(person), Some(viewer)) = (by.person, in_own_name(view, by)) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for thread in view.db.red_threads_of(person)? {
        let Some(row) = newest(view.db, view.me, &thread)? else { continue };
        let object = objects::object_of(view, row)?;
        if policy::release(object, &viewer, Purpose::Read, &PolicyVersion::CURRENT).is_ok() {
            all.extend(view.db.red_address(&thread)?);
        }
    }
    Ok(all)
}

/// What stands at an address, without its content: for the page that asks whether to open it.
///
/// # Errors
/// Not there, or not for whoever asks.
pub fn cover(view: &View<'_, '_>, address: &[u8; 16], by: &Actor) -> Result<Released<Object>, RedError> {
    let (row, viewer) = at(view, address, by)?;
    let object = objects::object_of(view, row)?;
    policy::release(object, &viewer, Purpose::Read, &PolicyVersion::CURRENT).map_err(|_| RedError::NotFound)
}

/// The statement at an address whole, for a named person. [`note`] comes before the answer.
///
/// # Errors
/// Not there, or not for whoever asks.
pub fn read(view: &View<'_, '_>, address: &[u8; 16], by: &Actor) -> Result<Released<ObjectDetail>, RedError> {
    let (row, viewer) = at(view, address, by)?;
    Ok(objects::detail(view, &viewer, row.statement, Purpose::Read)?)
}

fn at(view: &View<'_, '_>, address: &[u8; 16], by: &Actor) -> Result<(ObjectRow, Viewer), RedError> {
    let thread = view.db.red_thread_at(address)?.ok_or(RedError::NotFound)?;
    let row = newest(view.db, view.me, &thread)?.ok_or(RedError::NotFound)?;
    Ok((row, in_own_name(view, by).ok_or(RedError::NotFound)?))
}

/// Notes that a named person is about to read a RED statement. Without this row nothing is given.
///
/// # Errors
/// The name was taken away or the statement taken back meanwhile, or the database.
pub fn note(work: &mut Work<'_, '_>, statement: StatementId, by: &Actor) -> Result<(), RedError> {
    let row = work.tx.object(statement)?.filter(|row| row.state == ObjectState::Live).ok_or(RedError::NotFound)?;
    let person = by.person.ok_or(RedError::NotFound)?;
    if !is_named(work.tx, &row.thread, person)? {
        return Err(RedError::NotFound);
    }
    let who = by.login.clone();
    work.tx.put_ledger(&LedgerRow { statement, at: work.now, who, face: Face::Page, recallable: false })?;
    Ok(())
}

impl From<ObjectError> for RedError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Store(error) => Self::Store(error),
            ObjectError::NotFound => Self::NotFound,
        }
    }
}
