//! The duty roster: who is on duty, and how the roster changes: by hand, or by a file that is looked at before it counts.

use domain::duty::{self, Finding};
use intake::duty::{DutyFile, DutyFileError};
use model::Timestamp;
use model::duty::{Contact, DutyError, Handle, Shift};
use sha2::{Digest, Sha256};
use store::{Db, ShiftId, ShiftRow, StoreError};

use crate::limits;
use crate::work::{View, Work};

/// Why the roster did not change.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A field.
    #[error(transparent)]
    Field(#[from] DutyError),
    /// The file.
    #[error(transparent)]
    File(#[from] DutyFileError),
    /// The file names somebody who is not there.
    #[error("line {line}: `{person}` is not in the roster: add the person first")]
    UnknownAt {
        /// On which line.
        line: usize,
        /// Who.
        person: Handle,
    },
    /// Not there.
    #[error("`{0}` is not in the roster: list it with `entraide roster show`")]
    Unknown(String),
    /// Too many.
    #[error("the roster has at most {0}: take out who has left")]
    TooMany(&'static str),
    /// The roster is another than the one that was looked at.
    #[error("the roster or the file has changed since it was looked at: look again")]
    Changed,
}

/// The roster between two moments.
#[derive(Debug, Clone)]
pub struct Roster {
    /// Everybody, by short name.
    pub contacts: Vec<Contact>,
    /// Shifts of which some part lies in between, by when they begin.
    pub shifts: Vec<ShiftRow>,
    /// Where a post has nobody, or several persons at once.
    pub findings: Vec<Finding>,
}

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// The shift.
    pub shift: Shift,
    /// How the person is reached.
    pub contact: Contact,
}

/// The roster between two moments.
///
/// # Errors
/// The database.
pub fn roster(db: &Db<'_>, from: Timestamp, until: Timestamp) -> Result<Roster, StoreError> {
    let shifts = db.shifts(from, until)?;
    let plain: Vec<Shift> = shifts.iter().map(|row| row.shift.clone()).collect();
    Ok(Roster { contacts: db.contacts()?, findings: duty::all_findings(&plain, from, until), shifts })
}

/// Who is on duty at a moment.
///
/// # Errors
/// The database.
pub fn on_duty(db: &Db<'_>, at: Timestamp) -> Result<Vec<OnDuty>, StoreError> {
    let shifts: Vec<Shift> = db.shifts(at, at.plus_seconds(1))?.into_iter().map(|row| row.shift).collect();
    let mut here = Vec::new();
    for shift in duty::on_duty(&shifts, at) {
        if let Some(contact) = db.contact(&shift.person)? {
            here.push(OnDuty { shift: shift.clone(), contact });
        }
    }
    Ok(here)
}

/// Puts a person into the roster, or changes one.
///
/// # Errors
/// A field is out of its range, or there are too many.
pub fn put_contact(work: &mut Work<'_, '_>, contact: Contact) -> Result<(), RosterError> {
    let contact = contact.checked()?;
    let known = work.tx.contacts()?;
    if known.len() >= limits::CONTACTS && !known.iter().any(|other| other.person == contact.person) {
        return Err(RosterError::TooMany("1,000 persons"));
    }
    Ok(work.tx.put_contact(&contact)?)
}

/// Takes a person out of the roster, with every shift: nothing of them stays.
///
/// # Errors
/// Not there.
pub fn remove_contact(work: &mut Work<'_, '_>, person: &Handle) -> Result<(), RosterError> {
    if work.tx.remove_contact(person)? { Ok(()) } else { Err(RosterError::Unknown(person.to_string())) }
}

/// Puts a shift into the roster.
///
/// # Errors
/// The person is not in it.
pub fn add_shift(work: &mut Work<'_, '_>, shift: &Shift) -> Result<ShiftId, RosterError> {
    if work.tx.contact(&shift.person)?.is_none() {
        return Err(RosterError::Unknown(shift.person.to_string()));
    }
    forget(work)?;
    Ok(work.tx.put_shift(shift)?)
}

/// Takes a shift out of the roster.
///
/// # Errors
/// Not there.
pub fn remove_shift(work: &mut Work<'_, '_>, id: ShiftId) -> Result<(), RosterError> {
    if work.tx.remove_shift(id)? { Ok(()) } else { Err(RosterError::Unknown(format!("shift {id}"))) }
}

/// Who worked when is forgotten after a while, whenever the roster changes.
fn forget(work: &Work<'_, '_>) -> Result<(), StoreError> {
    work.tx.forget_shifts(work.now.plus_seconds(-limits::SHIFTS_SECONDS))?;
    Ok(())
}

/// A file for the roster, and how it is meant.
#[derive(Debug, Clone)]
pub struct Import {
    /// The file.
    pub text: String,
    /// The time zone of times that name none.
    pub zone: Option<String>,
    /// Do shifts of the roster that begin while the file's do give way to it?
    pub replace: bool,
}

/// What a file would do to the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPlan {
    /// Persons who are new.
    pub new: Vec<Contact>,
    /// Persons who change.
    pub changed: Vec<Contact>,
    /// Shifts that are new, or have another end.
    pub added: Vec<Shift>,
    /// Shifts that give way.
    pub removed: Vec<ShiftRow>,
    /// Persons and shifts of the file that stand in the roster as they are.
    pub kept: usize,
    /// Gaps and overlaps of the roster as it would be, over the time of the file.
    pub findings: Vec<Finding>,
    /// Names file and roster: whoever applies it has looked at this one.
    pub digest: [u8; 32],
}

/// What a file would do; nothing changes.
///
/// # Errors
/// The file is not understood, or names somebody who is not there.
pub fn plan(db: &Db<'_>, import: &Import, now: Timestamp) -> Result<ImportPlan, RosterError> {
    let until = now.plus_seconds(limits::ROSTER_AHEAD_SECONDS);
    let file = intake::duty::read(import.text.as_bytes(), import.zone.as_deref(), until)?;
    let known = db.contacts()?;
    let (new, changed, mut kept) = persons(&file, &known);
    if known.len() + new.len() > limits::CONTACTS {
        return Err(RosterError::TooMany("1,000 persons"));
    }
    for (line, shift) in &file.shifts {
        let named = |contact: &Contact| contact.person == shift.person;
        if !known.iter().any(named) && !file.contacts.iter().any(|(_, contact)| named(contact)) {
            return Err(RosterError::UnknownAt { line: *line, person: shift.person.clone() });
        }
    }
    let of_file: Vec<Shift> = file.shifts.into_iter().map(|(_, shift)| shift).collect();
    let span = of_file.iter().map(|shift| shift.from).min().zip(of_file.iter().map(|shift| shift.until).max());
    let mut digest = Sha256::new();
    digest.update(format!("{:?}{}{}", import.zone, import.replace, import.text));
    let (mut added, mut removed, mut after) = (Vec::new(), Vec::new(), Vec::new());
    if let Some((from, until)) = span {
        let here = db.shifts(from, until)?;
        let stands = |shift: &Shift| here.iter().any(|row| row.shift == *shift);
        added = of_file.iter().filter(|shift| !stands(shift)).cloned().collect();
        added.sort();
        added.dedup();
        kept += of_file.len() - added.len();
        let gives_way = |row: &&ShiftRow| import.replace && row.shift.from >= from && !of_file.contains(&row.shift);
        removed = here.iter().filter(gives_way).cloned().collect();
        after = here.iter().filter(|row| !gives_way(row)).map(|row| row.shift.clone()).collect();
        after.retain(|shift| {
            let same = |new: &Shift| (&new.person, new.post, new.from) == (&shift.person, shift.post, shift.from);
            !added.iter().any(same)
        });
        after.extend(added.iter().cloned());
        digest.update(format!("{here:?}"));
    }
    for contact in &known {
        digest.update(serde_json::to_vec(&fields(contact)).unwrap_or_default());
    }
    let findings = span.map_or_else(Vec::new, |(from, until)| duty::all_findings(&after, from, until));
    Ok(ImportPlan { new, changed, added, removed, kept, findings, digest: digest.finalize().into() })
}

type Fields<'a> = (&'a Handle, &'a str, &'a str, Option<&'a str>, &'a [String], Option<&'a str>);

fn fields(contact: &Contact) -> Fields<'_> {
    let Contact { person, name, telephone, mail, languages, login } = contact;
    (person, name, telephone, mail.as_deref(), languages, login.as_deref())
}

fn persons(file: &DutyFile, known: &[Contact]) -> (Vec<Contact>, Vec<Contact>, usize) {
    let (mut new, mut changed, mut kept) = (Vec::new(), Vec::new(), 0);
    for (_, contact) in &file.contacts {
        match known.iter().find(|other| other.person == contact.person) {
            None => new.push(contact.clone()),
            Some(other) if other == contact => kept += 1,
            Some(_) => changed.push(contact.clone()),
        }
    }
    (new, changed, kept)
}

/// Does what was looked at: all of it, or nothing.
///
/// # Errors
/// File or roster are not those of `digest`.
pub fn import(work: &mut Work<'_, '_>, import: &Import, digest: &[u8; 32]) -> Result<ImportPlan, RosterError> {
    let plan = plan(work.tx, import, work.now)?;
    if plan.digest != *digest {
        return Err(RosterError::Changed);
    }
    for contact in plan.new.iter().chain(&plan.changed) {
        work.tx.put_contact(contact)?;
    }
    for row in &plan.removed {
        work.tx.remove_shift(row.id)?;
    }
    for shift in &plan.added {
        work.tx.put_shift(shift)?;
    }
    forget(work)?;
    Ok(plan)
}

/// The roster from a moment on, as far as screens show it.
///
/// # Errors
/// The database.
pub fn shown(view: &View<'_, '_>, from: Timestamp, days: u32) -> Result<Roster, StoreError> {
    roster(view.db, from, from.plus_seconds(i64::from(days) * 86_400))
}
