//! What people do in the simulation, and the book that says what must come of it: kept by hand, apart from the node.

use std::collections::{BTreeMap, BTreeSet};

use model::extension::{AudienceKind, WithdrawalAction};
use model::{Index, MediaType, Tlp};
use node::assert::{Assert, AssertError, ObjectFate, RawObject};
use node::audience::{self, AudienceError, Choice};
use node::withdraw::{self, WithdrawError};
use node::{Engine, WriteError};
use store::StoreError;

/// A command with a fate that its nation waits for.
#[derive(Debug, Clone)]
pub enum Command {
    Create { name: String, kind: AudienceKind, members: BTreeSet<usize> },
    Tick { name: String },
    Change { name: String, members: BTreeSet<usize> },
    Say { number: u32, version: u32, tlp: Tlp, audience: Option<String> },
    Withdraw { index: u64, purge: bool },
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    /// Refused, and nothing changed.
    Refused(String),
    /// The node does not speak: it is sent again once it does.
    Silent,
    /// The machine went down meanwhile: it is sent again.
    Unknown,
}

/// Where an object stands in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    Live,
    Withdrawn,
    Erased,
}

/// One object that was said and acknowledged.
#[derive(Debug, Clone)]
pub struct Entry {
    pub bytes: Vec<u8>,
    /// The audience whose history it is part of; `None` for RED and for unions.
    pub audience: Option<String>,
    /// Everyone to whom it was ever opened, the owner apart.
    pub granted: BTreeSet<usize>,
    pub life: Life,
    /// Who was in the audience when it was purged: those who had left are only told that it is withdrawn.
    pub purged_for: BTreeSet<usize>,
}

/// What must be true of all nodes, from the acknowledged commands alone.
#[derive(Default)]
pub struct Book {
    pub entries: BTreeMap<(usize, u64), Entry>,
    pub audiences: BTreeMap<(usize, String), BTreeSet<usize>>,
    ticked: BTreeSet<(usize, String)>,
    /// The union of a nation's ticked communities, as it stood when something was last said to it.
    unions: BTreeMap<usize, BTreeSet<usize>>,
}

/// An indicator. Nations use the same numbers: nobody's object is taken over by another's of the same id.
pub fn object(owner: usize, number: u32, version: u32) -> Vec<u8> {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}",
 "created":"2026-11-01T00:00:00Z","modified":"2026-11-02T{:02}:{:02}:00Z","name":"beacon {number} of {owner}",
 "pattern":"[domain-name:value = 'c2-{number}.example']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"}}"#,
        version / 60,
        version % 60
    )
    .into_bytes()
}

fn names(members: &BTreeSet<usize>, countries: &[&str]) -> Vec<String> {
    members.iter().map(|at| countries[*at].to_owned()).collect()
}

fn fate<E: std::fmt::Display>(error: &WriteError<E>) -> Fate {
    match error {
        WriteError::Refused(error) => Fate::Refused(error.to_string()),
        WriteError::Silent(_) => Fate::Silent,
        WriteError::Stopped(_) | WriteError::Busy => Fate::Unknown,
    }
}

/// Gives a command to a node, and writes what was acknowledged into the book.
pub fn give(engine: &mut Engine, owner: usize, countries: &[&str], command: &Command, book: &mut Book) -> Fate {
    match command {
        Command::Create { name, kind, members } => {
            let wanted = names(members, countries);
            match engine.write(|work| audience::create(work, name, *kind, &wanted).map(|_| ())) {
                // Taken: it was durable before the machine went down.
                Ok(()) | Err(WriteError::Refused(AudienceError::Taken(_))) => {
                    book.audiences.insert((owner, name.clone()), members.clone());
                    Fate::Done
                }
                Err(error) => fate(&error),
            }
        }
        Command::Tick { name } => {
            let ticked = engine.write(|work| {
                let row = work.tx.audience_by_name(work.me.log, name)?;
                row.map_or(Ok(()), |row| work.tx.tick(row.audience, true))
            });
            match ticked.map_err(|error: WriteError<StoreError>| fate(&error)) {
                Ok(()) => {
                    book.ticked.insert((owner, name.clone()));
                    Fate::Done
                }
                Err(fate) => fate,
            }
        }
        Command::Change { name, members } => {
            let wanted = names(members, countries);
            let changed = engine.write(|work| {
                let older = audience::preview(work, name, &wanted)?.older;
                audience::change(work, name, &wanted, Some(older)).map(|_| ())
            });
            match changed {
                Ok(()) => {
                    book.change(owner, name, members);
                    Fate::Done
                }
                Err(error) => fate(&error),
            }
        }
        Command::Say { number, version, tlp, audience } => {
            let bytes = object(owner, *number, *version);
            let choice = audience.clone().map_or(Choice::Default, Choice::Named);
            let objects = vec![RawObject { media: MediaType::Stix, bytes: bytes.clone() }];
            let command = Assert { objects, tlp: *tlp, pap: None, walled: None, audience: choice };
            let said: Result<_, WriteError<AssertError>> = engine.write(|work| node::assert::assert(work, &command));
            match said.as_deref() {
                Ok([ObjectFate::Asserted { index, .. } | ObjectFate::Already { index, .. }]) => {
                    book.say(owner, index.0, bytes, *tlp, audience.as_ref());
                    Fate::Done
                }
                Ok(fates) => Fate::Refused(format!("{fates:?}")),
                Err(error) => fate(error),
            }
        }
        Command::Withdraw { index, purge } => {
            let action = if *purge { WithdrawalAction::Purge } else { WithdrawalAction::StopSharing };
            match engine.write(|work| withdraw::withdraw(work, Index(*index), action, "taken back").map(|_| ())) {
                Ok(()) | Err(WriteError::Refused(WithdrawError::Already(_))) => {
                    book.withdraw(owner, *index, *purge);
                    Fate::Done
                }
                Err(error) => fate(&error),
            }
        }
    }
}

impl Book {
    /// What a nation has ticked is local: a restored database knows it as it was.
    pub fn ticked_are(&mut self, owner: usize, names: BTreeSet<String>) {
        self.ticked.retain(|(who, _)| *who != owner);
        self.ticked.extend(names.into_iter().map(|name| (owner, name)));
    }

    fn say(&mut self, owner: usize, index: u64, bytes: Vec<u8>, tlp: Tlp, audience: Option<&String>) {
        let ticked: Vec<&String> = self.ticked.iter().filter(|(who, _)| *who == owner).map(|(_, name)| name).collect();
        let (named, granted) = match (tlp, audience) {
            (Tlp::Red, _) => (None, BTreeSet::new()),
            (_, Some(name)) => (Some(name.clone()), self.audiences[&(owner, name.clone())].clone()),
            (_, None) => {
                let of = |name: &String| self.audiences[&(owner, name.clone())].clone();
                let union: BTreeSet<usize> = ticked.iter().flat_map(|name| of(name)).collect();
                if ticked.len() > 1 {
                    self.unions.insert(owner, union.clone());
                }
                // One ticked community is the audience itself; of several a union is made, without a history.
                (if let [one] = ticked[..] { Some(one.clone()) } else { None }, union)
            }
        };
        let life = Life::Live;
        let entry = Entry { bytes, audience: named, granted, life, purged_for: BTreeSet::new() };
        self.entries.entry((owner, index)).or_insert(entry);
    }

    fn change(&mut self, owner: usize, name: &str, members: &BTreeSet<usize>) {
        let key = (owner, name.to_owned());
        for ((who, _), entry) in &mut self.entries {
            if *who == owner && entry.audience.as_deref() == Some(name) && entry.life == Life::Live {
                entry.granted.extend(members);
            }
        }
        self.audiences.insert(key, members.clone());
    }

    /// The owner says once more that it is purged; whether the book knew that it was taken back at all.
    pub fn take_back_again(&mut self, owner: usize, index: u64) -> bool {
        let known = self.entries.get(&(owner, index)).is_some_and(|entry| entry.life == Life::Erased);
        if known {
            self.withdraw(owner, index, true);
        }
        known
    }

    fn withdraw(&mut self, owner: usize, index: u64, purge: bool) {
        let now = self.entries.get(&(owner, index)).and_then(|entry| entry.audience.clone());
        let members = match now {
            Some(name) => self.audiences.get(&(owner, name)),
            None => self.unions.get(&owner),
        };
        let members = members.cloned().unwrap_or_default();
        if let Some(entry) = self.entries.get_mut(&(owner, index)) {
            entry.life = entry.life.max(if purge { Life::Erased } else { Life::Withdrawn });
            if purge {
                entry.purged_for = members.intersection(&entry.granted).copied().collect();
            }
        }
    }
}
