//! Asserting: objects become our word, at a label and to an audience, up to 1,000 in one command.

use std::collections::{HashMap, HashSet};

use domain::said::Said;
use intake::Part;
use model::{Index, Label, Lane, MediaType, MemberSet, Pap, StixId, StixVersion, ThreadVersion, Tlp, Walled};
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
    /// Do they stand behind the wall, and as what?
    pub walled: Option<Walled>,
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
    /// A MISP event with mixed labels: one statement per label. All of them are our word, or none is.
    Parts {
        /// Its id.
        id: StixId,
        /// Part by part, from open to strict.
        parts: Vec<PartFate>,
    },
    /// It was not asserted.
    Refused {
        /// Its STIX id, if it could be read.
        id: Option<StixId>,
        /// Why, and what to do.
        reason: String,
    },
}

/// One part of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartFate {
    /// Its label.
    pub tlp: Tlp,
    /// Where in our log.
    pub index: Index,
    /// Was it our word before?
    pub already: bool,
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
    let targets = HashMap::from([(command.tlp, target)]);
    let mut run = Run { command, targets, by, readers, said_now: HashSet::new() };
    let mut fates = Vec::with_capacity(command.objects.len());
    for object in &command.objects {
        fates.push(run.one(work, object)?);
    }
    Ok(fates)
}

struct Run<'a> {
    command: &'a Assert,
    /// To whom, by label: the parts of an event may be stricter than the command.
    targets: HashMap<Tlp, Target>,
    /// On whose behalf.
    by: &'a Actor,
    /// Who reads it, if it is RED.
    readers: Vec<PersonId>,
    /// Ids that this command has asserted: they reach exactly the target's members.
    said_now: HashSet<StixId>,
}

/// One statement that a command is about to make.
struct Planned<'a> {
    tlp: Tlp,
    media: MediaType,
    bytes: &'a [u8],
    said: Said,
    target: Target,
    /// Is it a part of an event, beside which others of the same version stand?
    part: bool,
}

/// What one object or part comes to.
enum Plan {
    Already(Index),
    Append,
}

impl Run<'_> {
    fn one(&mut self, work: &mut Work<'_, '_>, object: &RawObject) -> Result<ObjectFate, AssertError> {
        let said = match Said::read(object.media, &object.bytes) {
            Ok(said) => said,
            Err(error) => return Ok(ObjectFate::Refused { id: None, reason: error.to_string() }),
        };
        let id = said.head().id.clone();
        let cut = match self.admissible(&said, &object.bytes) {
            Ok(cut) => cut,
            Err(reason) => return Ok(ObjectFate::Refused { id: Some(id), reason }),
        };
        // Whatever way it came in by: data of an exercise never becomes a real word.
        if work.me.realm().is_real()
            && let Err(error) = intake::exercise::check(object.media, &object.bytes)
        {
            return Ok(ObjectFate::Refused { id: Some(id), reason: error.to_string() });
        }
        let planned = if cut.is_empty() {
            let target = self.target(work, self.command.tlp)?;
            let (media, bytes) = (object.media, object.bytes.as_slice());
            Ok(vec![Planned { tlp: self.command.tlp, media, bytes, said, target, part: false }])
        } else {
            self.planned(work, &cut)?
        };
        let planned = match planned {
            Ok(planned) => planned,
            Err(reason) => return Ok(ObjectFate::Refused { id: Some(id), reason }),
        };
        // Each is looked at before the first is said: an event is said in all its parts or not at all.
        let earlier = self.own_statements(work, &id)?;
        let mut plans = Vec::with_capacity(planned.len());
        for one in &planned {
            match self.plan(work, one, &earlier)? {
                Ok(plan) => plans.push(plan),
                Err(reason) => return Ok(ObjectFate::Refused { id: Some(id), reason }),
            }
        }
        let mut fates = Vec::with_capacity(planned.len());
        for (one, plan) in planned.iter().zip(plans) {
            fates.push(match plan {
                Plan::Already(index) => {
                    if let Some(row) = earlier.iter().find(|row| row.index == index) {
                        self.name_readers(work, row)?;
                    }
                    PartFate { tlp: one.tlp, index, already: true }
                }
                Plan::Append => PartFate { tlp: one.tlp, index: self.append(work, one, &earlier)?, already: false },
            });
        }
        Ok(match fates.first().filter(|_| cut.is_empty()).copied() {
            Some(PartFate { index, already: true, .. }) => ObjectFate::Already { id, index },
            Some(PartFate { index, already: false, .. }) => ObjectFate::Asserted { id, index },
            None => ObjectFate::Parts { id, parts: fates },
        })
    }

    /// What label and kind alone decide; of an event with mixed labels, its parts.
    fn admissible(&self, said: &Said, bytes: &[u8]) -> Result<Vec<Part>, String> {
        let head = said.head();
        if said.is_own_word() {
            return Err("objects about sharing are made by the node itself: use its own commands".to_owned());
        }
        if head.media != MediaType::MispEvent {
            assertion::ceiling(head.tlp, self.command.tlp).map_err(|error| error.to_string())?;
            return Ok(Vec::new());
        }
        let cut = intake::cut(bytes, self.command.tlp).map_err(|error| error.to_string())?;
        // What stands around the parts has the event's own label.
        let whole = if cut.parts.is_empty() { head.tlp } else { cut.own };
        assertion::ceiling(whole, self.command.tlp).map_err(|error| error.to_string())?;
        Ok(cut.parts)
    }

    /// Finds out to whom each part goes.
    fn planned<'p>(
        &mut self,
        work: &mut Work<'_, '_>,
        parts: &'p [Part],
    ) -> Result<Result<Vec<Planned<'p>>, String>, AssertError> {
        let mut planned = Vec::with_capacity(parts.len());
        for part in parts {
            let tlp = part.tlp;
            let target = match self.target(work, tlp) {
                Ok(target) => target,
                Err(AssertError::Audience(AudienceError::Store(error))) => return Err(error.into()),
                Err(AssertError::Audience(error)) => return Ok(Err(format!("a part of it is {tlp}: {error}"))),
                Err(error) => return Err(error),
            };
            match Said::read(MediaType::MispEvent, &part.bytes) {
                Ok(said) => {
                    let (media, bytes) = (MediaType::MispEvent, part.bytes.as_slice());
                    planned.push(Planned { tlp, media, bytes, said, target, part: true });
                }
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        Ok(Ok(planned))
    }

    /// To whom a label goes. RED parts stay here, whatever audience the command names.
    fn target(&mut self, work: &mut Work<'_, '_>, tlp: Tlp) -> Result<Target, AssertError> {
        if let Some(target) = self.targets.get(&tlp) {
            return Ok(target.clone());
        }
        let choice = if tlp == Tlp::Red { &Choice::Default } else { &self.command.audience };
        let target = audience::resolve(work, choice, tlp)?;
        self.targets.insert(tlp, target.clone());
        Ok(target)
    }

    /// Looks whether it may be said, and whether it is said already.
    fn plan(
        &self,
        work: &Work<'_, '_>,
        one: &Planned<'_>,
        earlier: &[ObjectRow],
    ) -> Result<Result<Plan, String>, StoreError> {
        let country = work.me.origin.country();
        if let Err(reason) = self.keeps_the_wall(work, earlier) {
            return Ok(Err(reason));
        }
        match self.twin(work, earlier, one)? {
            Twin::None => {}
            Twin::Same(index) => return Ok(Ok(Plan::Already(index))),
            Twin::Differs(index) => {
                return Ok(Err(format!(
                    "statement {country}:{index} has the same id and version with other bytes: give the new one a later \
                     `modified`"
                )));
            }
        }
        Ok(self.reaches_its_targets(work, one)?.map(|()| Plan::Append))
    }

    /// What was told in confidence stays so: nobody says it again outside the wall.
    fn keeps_the_wall(&self, work: &Work<'_, '_>, earlier: &[ObjectRow]) -> Result<(), String> {
        let told = earlier.iter().find_map(|row| Some((row.walled?, row.index)));
        match told {
            Some((walled, index)) if self.command.walled.is_none() => Err(format!(
                "statement {}:{index} says it behind the wall: assert it as `{walled}` again, or disclose that one",
                work.me.origin.country()
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Is the same object and version our word already?
    fn twin(&self, work: &Work<'_, '_>, earlier: &[ObjectRow], one: &Planned<'_>) -> Result<Twin, StoreError> {
        let head = one.said.head();
        let mut found = Twin::None;
        // The parts of an event have one version and differ by their labels.
        let rows = earlier.iter().filter(|row| row.version == head.version && (!one.part || row.tlp == one.tlp));
        for row in rows {
            let same = match body::open(work.tx, work.signer, row.statement)? {
                Some(known) => known == one.bytes,
                None => true,
            };
            // Objects without any time of their own have no versions to tell apart.
            if !same && head.version != StixVersion::NONE {
                return Ok(Twin::Differs(row.index));
            }
            let as_wide = row.tlp == one.tlp && one.target.members.is_subset(&query::reached(work.tx, row.statement)?);
            if same && as_wide && row.walled == self.command.walled && row.state == ObjectState::Live {
                found = Twin::Same(row.index);
            }
        }
        Ok(found)
    }

    /// A relationship may not reach more members than what it refers to, as far as that is in our log, nor more desks.
    fn reaches_its_targets(&self, work: &Work<'_, '_>, one: &Planned<'_>) -> Result<Result<(), String>, StoreError> {
        let head = one.said.head();
        if !head.is_dependent() {
            return Ok(Ok(()));
        }
        let mut targets = Vec::new();
        for id in head.refs.iter().filter(|id| !self.said_now.contains(*id)) {
            let statements = self.own_statements(work, id)?;
            let walled = statements.iter().find_map(|row| row.walled);
            if let Some(walled) = walled.filter(|_| self.command.walled.is_none()) {
                return Ok(Err(format!(
                    "it refers to `{id}`, which stands behind the wall: assert it as `{walled}` too"
                )));
            }
            if statements.is_empty() {
                continue;
            }
            let mut members = Vec::new();
            for row in statements.iter().filter(|row| row.state == ObjectState::Live) {
                members.extend(Vec::from(query::reached(work.tx, row.statement)?));
            }
            let members = MemberSet::new(members)
                .map_err(|error| StoreError::Corrupt { what: format!("members of `{id}`: {error}") })?;
            targets.push((id.clone(), members));
        }
        Ok(assertion::dependents(&one.target.members, &targets).map_err(|error| error.to_string()))
    }

    fn append(
        &mut self,
        work: &mut Work<'_, '_>,
        one: &Planned<'_>,
        earlier: &[ObjectRow],
    ) -> Result<Index, AssertError> {
        let head = one.said.head();
        // The parts of an event are threads of their own: whoever sees one does not see how often the others changed.
        // RED has threads of its own too: in the numbers of a thread others would see that one is missing.
        let is_red = |tlp: Tlp| tlp == Tlp::Red;
        let alike = |row: &ObjectRow| if one.part { row.tlp == one.tlp } else { is_red(row.tlp) == is_red(one.tlp) };
        let last = earlier.iter().filter(|row| alike(row)).max_by_key(|row| row.thread_version);
        let entry = NewEntry {
            lane: Lane::Intelligence,
            after: last.map(|row| (row.thread, ThreadVersion(row.thread_version), row.commitment)),
            audience: one.target.at,
            set: one.target.set,
            label: Label { tlp: one.tlp, pap: self.command.pap.max(head.pap) },
            walled: self.command.walled,
            media: one.media,
            body: one.bytes,
        };
        let appended = append::append(work, &entry, &one.said)?;
        self.said_now.insert(head.id.clone());
        if let Some(row) = work.tx.object(appended.statement)? {
            self.name_readers(work, &row)?;
        }
        Ok(appended.index)
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
