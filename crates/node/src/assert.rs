//! Asserting: objects become our word, at a label and to an audience, up to 1,000 in one command.

use std::collections::HashSet;

use domain::said::Said;
use model::{Head, Index, Label, Lane, MediaType, MemberSet, Pap, StixId, StixVersion, ThreadVersion, Tlp};
use policy::assertion;
use store::{ObjectRow, ObjectState, PersonId, StoreError};

use crate::actor::Actor;
use crate::append::{self, NewEntry};
use crate::audience::{self, AudienceError, Choice, Target};
use crate::body;
use crate::limits;
use crate::query;
use crate::red::{self, RedError};
use crate::work::Work;

/// One object to assert: the bytes as they came.
#[derive(Debug, Clone)]
pub struct RawObject {
    /// What the bytes are.
    pub media: MediaType,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A bulk command.
#[derive(Debug, Clone)]
pub struct Assert {
    /// At most [`limits::COMMAND_OBJECTS`].
    pub objects: Vec<RawObject>,
    /// Who may see them.
    pub tlp: Tlp,
    /// What may be done with them; `None` takes what each object says of itself.
    pub pap: Option<Pap>,
    /// To whom.
    pub audience: Choice,
}

/// Why a whole command was refused.
#[derive(Debug, thiserror::Error)]
pub enum AssertError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audience.
    #[error(transparent)]
    Audience(#[from] AudienceError),
    /// Too many at once.
    #[error("{0} objects in one command: send at most 1,000")]
    TooMany(usize),
    /// Readers are named for RED alone.
    #[error("readers are named for RED alone: at `{0}` the audience says who reads it, so leave the readers out")]
    Readers(Tlp),
    /// A reader who can't be named.
    #[error(transparent)]
    Red(#[from] RedError),
}

/// What became of one object of a command. A bad one beside good ones is one refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectFate {
    /// It is our word now.
    Asserted {
        /// Its STIX id.
        id: StixId,
        /// Where in our log.
        index: Index,
    },
    /// It was our word already, to the same members.
    Already {
        /// Its STIX id.
        id: StixId,
        /// Where in our log.
        index: Index,
    },
    /// It was not asserted.
    Refused {
        /// Its STIX id, if it could be read.
        id: Option<StixId>,
        /// Why, and what to do.
        reason: String,
    },
}

/// Asserts each object of a command, on the machine's own behalf.
///
/// # Errors
/// As [`assert_as`].
pub fn assert(work: &mut Work<'_, '_>, command: &Assert) -> Result<Vec<ObjectFate>, AssertError> {
    assert_as(work, command, &Actor::machine(), &[])
}

/// Asserts each object of a command. What is RED is read by the logins in `readers`, and by whoever asserts it.
///
/// # Errors
/// The command as a whole: too many objects, no such audience, or a reader who can't be named. Single objects are
/// refused in the answer.
pub fn assert_as(
    work: &mut Work<'_, '_>,
    command: &Assert,
    by: &Actor,
    readers: &[String],
) -> Result<Vec<ObjectFate>, AssertError> {
    if command.objects.len() > limits::COMMAND_OBJECTS {
        return Err(AssertError::TooMany(command.objects.len()));
    }
    if command.tlp != Tlp::Red && !readers.is_empty() {
        return Err(AssertError::Readers(command.tlp));
    }
    let named = red::persons(work.tx, readers)?.into_iter().map(|person| person.id);
    let readers = named.chain(by.person).collect();
    let target = audience::resolve(work, &command.audience, command.tlp)?;
    let mut run = Run { command, target, by, readers, said_now: HashSet::new() };
    let mut fates = Vec::with_capacity(command.objects.len());
    for object in &command.objects {
        fates.push(run.one(work, object)?);
    }
    Ok(fates)
}

struct Run<'a> {
    command: &'a Assert,
    target: Target,
    /// On whose behalf.
    by: &'a Actor,
    /// Who reads it, if it is RED.
    readers: Vec<PersonId>,
    /// Ids that this command has asserted: they reach exactly the target's members.
    said_now: HashSet<StixId>,
}

impl Run<'_> {
    fn one(&mut self, work: &mut Work<'_, '_>, object: &RawObject) -> Result<ObjectFate, AssertError> {
        let said = match Said::read(object.media, &object.bytes) {
            Ok(said) => said,
            Err(error) => return Ok(ObjectFate::Refused { id: None, reason: error.to_string() }),
        };
        let refused = |id: &StixId, reason: String| ObjectFate::Refused { id: Some(id.clone()), reason };
        let head = said.head();
        if let Err(reason) = self.admissible(&said) {
            return Ok(refused(&head.id, reason));
        }
        // Whatever way it came in by: data of an exercise never becomes a real word.
        if work.me.realm().is_real()
            && let Err(error) = intake::exercise::check(object.media, &object.bytes)
        {
            return Ok(refused(&head.id, error.to_string()));
        }
        let earlier = self.own_statements(work, &head.id)?;
        match self.twin(work, &earlier, head, &object.bytes)? {
            Twin::None => {}
            Twin::Same(index) => {
                if let Some(row) = earlier.iter().find(|row| row.index == index) {
                    self.name_readers(work, row)?;
                }
                return Ok(ObjectFate::Already { id: head.id.clone(), index });
            }
            Twin::Differs(index) => {
                let reason = format!(
                    "statement {}:{index} has the same id and version with other bytes: give the new one a later `modified`",
                    work.me.origin.country()
                );
                return Ok(refused(&head.id, reason));
            }
        }
        if let Err(reason) = self.reaches_its_targets(work, head)? {
            return Ok(refused(&head.id, reason));
        }
        self.append(work, &said, &earlier, object)
    }

    /// What label and kind alone decide.
    fn admissible(&self, said: &Said) -> Result<(), String> {
        let head = said.head();
        if said.is_workflow() {
            return Err("objects about sharing are made by the node itself: use its own commands".to_owned());
        }
        if head.media == MediaType::MispEvent {
            intake::mixed(head).map_err(|error| error.to_string())?;
        }
        assertion::ceiling(head.tlp, self.command.tlp).map_err(|error| error.to_string())
    }

    /// Is the same object and version our word already?
    fn twin(&self, work: &Work<'_, '_>, earlier: &[ObjectRow], head: &Head, bytes: &[u8]) -> Result<Twin, StoreError> {
        let mut found = Twin::None;
        for row in earlier.iter().filter(|row| row.version == head.version) {
            let same = match body::open(work.tx, work.signer, row.statement)? {
                Some(known) => known == bytes,
                None => true,
            };
            // Objects without any time of their own have no versions to tell apart.
            if !same && head.version != StixVersion::NONE {
                return Ok(Twin::Differs(row.index));
            }
            let as_wide = row.tlp == self.command.tlp && self.target.members.is_subset(&query::reached(work.tx, row)?);
            if same && as_wide && row.state == ObjectState::Live {
                found = Twin::Same(row.index);
            }
        }
        Ok(found)
    }

    /// A relationship may not reach more members than what it refers to, as far as that is in our log.
    fn reaches_its_targets(&self, work: &Work<'_, '_>, head: &Head) -> Result<Result<(), String>, StoreError> {
        if !head.is_dependent() {
            return Ok(Ok(()));
        }
        let mut targets = Vec::new();
        for id in head.refs.iter().filter(|id| !self.said_now.contains(*id)) {
            let statements = self.own_statements(work, id)?;
            if statements.is_empty() {
                continue;
            }
            let mut members = Vec::new();
            for row in statements.iter().filter(|row| row.state == ObjectState::Live) {
                members.extend(Vec::from(query::reached(work.tx, row)?));
            }
            let members = MemberSet::new(members)
                .map_err(|error| StoreError::Corrupt { what: format!("members of `{id}`: {error}") })?;
            targets.push((id.clone(), members));
        }
        Ok(assertion::dependents(&self.target.members, &targets).map_err(|error| error.to_string()))
    }

    fn append(
        &mut self,
        work: &mut Work<'_, '_>,
        said: &Said,
        earlier: &[ObjectRow],
        object: &RawObject,
    ) -> Result<ObjectFate, AssertError> {
        let head = said.head();
        // RED has threads of its own: in the numbers of a thread others would see that one is missing.
        let is_red = |row: &ObjectRow| row.tlp == Tlp::Red;
        let alike = earlier.iter().filter(|row| is_red(row) == (self.command.tlp == Tlp::Red));
        let last = alike.max_by_key(|row| row.thread_version);
        let entry = NewEntry {
            lane: Lane::Intelligence,
            after: last.map(|row| (row.thread, ThreadVersion(row.thread_version), row.commitment)),
            audience: self.target.at,
            set: self.target.set,
            label: Label { tlp: self.command.tlp, pap: self.command.pap.max(head.pap) },
            media: object.media,
            body: &object.bytes,
        };
        let appended = append::append(work, &entry, said)?;
        self.said_now.insert(head.id.clone());
        if let Some(row) = work.tx.object(appended.statement)? {
            self.name_readers(work, &row)?;
        }
        Ok(ObjectFate::Asserted { id: head.id.clone(), index: appended.index })
    }

    fn name_readers(&self, work: &mut Work<'_, '_>, row: &ObjectRow) -> Result<(), RedError> {
        if row.tlp == Tlp::Red { red::name(work, &row.thread, &self.readers, self.by) } else { Ok(()) }
    }

    /// What our log says of an object, as far as whoever asserts may know of it: a refusal would tell of RED, too.
    fn own_statements(&self, work: &Work<'_, '_>, id: &StixId) -> Result<Vec<ObjectRow>, StoreError> {
        let mut rows = Vec::new();
        for row in work.tx.objects_by_id(id)? {
            if row.log == work.me.log && red::knows(work.tx, &row, self.by)? {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

enum Twin {
    None,
    Same(Index),
    Differs(Index),
}
