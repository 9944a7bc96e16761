//! An old backup is put back: the node fetches its own log from the others, as its worker does, and the book learns what
//! went with the database and with nobody.

use std::collections::BTreeSet;

use journal::wire::{self, FeedPage, FeedRequest};
use model::Lane;
use node::recovery::merge::{self, Openings, RecoverError};
use node::recovery::turn::{self, Weighed};
use node::standing::{Cause, Standing};
use node::{Engine, WriteError};
use store::{LogId, ObjectState, StatementRow};

use super::commands::Life;
use super::nation::Up;
use super::{COUNTRIES, Event, SECOND, World};

fn standing(up: &Up) -> Standing {
    up.engine.signed().standing.clone()
}

impl World {
    /// Somebody puts an old backup in place of the database; at times the signer's file is lost as well.
    pub fn restore(&mut self, at: usize) {
        if self.nations[at].up.is_none() {
            return;
        }
        let forget = self.dice.percent(25);
        if !self.nations[at].restore_backup(forget) {
            return;
        }
        self.tally.backups_put_back += 1;
        let up = self.nations[at].up.as_ref().unwrap();
        let Standing::Recovering { from, .. } = standing(up) else {
            self.note(at, "goes on from a backup");
            self.ask_all(at);
            return;
        };
        self.restored.insert(at, from);
        self.note(at, format_args!("is set back to {from} entries{}", if forget { ", without a mark" } else { "" }));
        self.ask_all(at);
        self.after(2 * SECOND, Event::Recover(at));
    }

    /// Asks until the log speaks again.
    pub fn recover_soon(&mut self, at: usize) {
        if self.nations[at].up.is_some() && !self.recover(at, false) {
            let pause = self.dice.between(SECOND, 6 * SECOND);
            self.after(pause, Event::Recover(at));
        }
    }

    /// One round, as `recovery::run` makes it; `true` if there is nothing more to do.
    pub fn recover(&mut self, at: usize, healed: bool) -> bool {
        let Some(up) = self.nations[at].up.as_ref() else { return true };
        let Standing::Recovering { cause, from, needs } = standing(up) else { return true };
        // Without a mark, those who can be reached decide: in a parted world that is the wrong time.
        if cause == Cause::Unknown && !healed {
            return false;
        }
        let (mut answered, mut steps) = (Vec::new(), Vec::new());
        for other in (0..self.nations.len()).filter(|other| *other != at) {
            if self.nations[other].up.is_none() || (!healed && self.cut(at, other)) {
                continue;
            }
            match self.found(at, other) {
                Some(Weighed::Within(_)) => answered.push(other),
                Some(Weighed::Ahead(step)) => {
                    answered.push(other);
                    steps.push(*step);
                }
                Some(Weighed::Forked(evidence)) => {
                    assert!(at >= self.honest, "{}: an honest nation forked: {evidence:?}", self.story());
                    let engine = &mut self.nations[at].up.as_mut().unwrap().engine;
                    engine.write(|work| merge::stop(work, *evidence)).unwrap();
                    return true;
                }
                _ => {}
            }
        }
        match self.fetch(at, &answered, steps, from, needs) {
            Ok(true) => {
                self.recovered(at);
                true
            }
            Ok(false) => !matches!(standing(self.nations[at].up.as_ref().unwrap()), Standing::Recovering { .. }),
            Err(()) => {
                self.crash(at);
                false
            }
        }
    }

    /// `Err` if the machine went down meanwhile.
    fn fetch(
        &mut self,
        at: usize,
        answered: &[usize],
        steps: Vec<journal::verified::Verified<journal::sync::Step>>,
        from: u64,
        needs: u64,
    ) -> Result<bool, ()> {
        fn down<R>(done: Result<R, WriteError<RecoverError>>) -> Result<Option<R>, ()> {
            match done {
                Ok(value) => Ok(Some(value)),
                Err(WriteError::Refused(_)) => Ok(None),
                Err(_) => Err(()),
            }
        }
        let engine = |world: &mut Self, run: &mut dyn FnMut(&mut Engine) -> Result<Option<u64>, ()>| {
            run(&mut world.nations[at].up.as_mut().unwrap().engine)
        };
        let mut steps = Some(steps);
        let known = engine(self, &mut |engine| {
            let steps = steps.take().unwrap_or_default();
            down(engine.write(|work| merge::extend(work, steps)))
        })?;
        let Some(known) = known.filter(|known| *known >= needs && !answered.is_empty()) else { return Ok(false) };
        self.fill(at, answered, from, known)?;
        let finished = engine(self, &mut |engine| {
            down(engine.write(|work| merge::finish(work).map(|done| done.lost.len() as u64)))
        })?;
        if let Some(lost) = finished {
            self.note(at, format_args!("has {known} entries again, {lost} ranges of them lost"));
        }
        Ok(finished.is_some())
    }

    /// Fetches what is missing in `[from, until)` from some others.
    fn fill(&mut self, at: usize, others: &[usize], from: u64, until: u64) -> Result<(), ()> {
        let mut next = from;
        while next < until {
            let up = self.nations[at].up.as_mut().unwrap();
            let (missing, end) = up.read(|view| turn::missing(view, next, until));
            next = end;
            let (Some(first), Some(last)) = (missing.first().copied(), missing.last().copied()) else { continue };
            let mut openings = Openings::default();
            for other in others {
                let Some(page) = self.yours(at, *other, &turn::query_openings(first, last + 1)) else { continue };
                assert!(!page.more, "the simulation's logs are shorter than a page");
                let up = self.nations[at].up.as_mut().unwrap();
                openings.add(up.read(|view| {
                    let known = |index| view.db.commitment(view.me.log, index).ok().flatten();
                    Ok(turn::start(view)?.openings(page.items, known))
                }));
            }
            let engine = &mut self.nations[at].up.as_mut().unwrap().engine;
            if engine.write(|work| merge::restore(work, openings)).is_err() {
                return Err(());
            }
        }
        Ok(())
    }

    fn found(&mut self, at: usize, other: usize) -> Option<Weighed> {
        let mut replica = self.nations[at].up.as_mut()?.read(turn::start);
        for _ in 0..2 {
            let page = self.yours(at, other, &turn::query(&replica))?;
            let up = self.nations[at].up.as_mut()?;
            match up.read(|view| turn::weigh(view, &replica, page)) {
                Weighed::Elsewhere => replica = up.read(turn::start_over),
                weighed @ (Weighed::Within(_)
                | Weighed::Ahead(_)
                | Weighed::More(_)
                | Weighed::Forked(_)
                | Weighed::Unfounded(_)) => return Some(weighed),
            }
        }
        None
    }

    /// What `other` answers about the log of `at`, through the real codec.
    fn yours(&mut self, at: usize, other: usize, query: &str) -> Option<FeedPage> {
        let request = FeedRequest::from_query(query).unwrap();
        let pin = [u8::try_from(at + 1).unwrap(); 32];
        let up = self.nations[other].up.as_mut()?;
        let page = up.read(|view| {
            let Ok(partner) = node::feed::caller(view, &pin) else { return Ok(None) };
            Ok(node::yours::page(view, &partner, &request).ok())
        })?;
        Some(turn::read(&wire::compress(wire::encode(&page)).unwrap()).unwrap())
    }

    /// The log speaks again: what the book says of it is what the database has, as far as nobody else knows better.
    pub fn recovered(&mut self, at: usize) {
        self.tally.recovered += 1;
        self.nations[at].forget_newest();
        let size = self.nations[at].up.as_ref().unwrap().engine.signed().size;
        self.whole.insert(at, size);
        self.learn(at);
        self.learn_said_again(at);
        self.work_off(at);
    }

    /// What was purged by a withdrawal that is lost was taken back anew, from the audience as the database has it now: who
    /// has left it by that is told no more than that it is withdrawn.
    fn learn_said_again(&mut self, at: usize) {
        let up = self.nations[at].up.as_mut().unwrap();
        let said_again: Vec<u64> = up.read(|view| {
            let size = node::standing::recovered(view.db)?.size;
            let mut all = Vec::new();
            for row in view.db.log_between(view.me.log, 0, size, 1_000_000)? {
                let by = view.db.withdrawal_of(row.id)?.and_then(|withdrawal| withdrawal.by);
                let by = by.map(|by| view.db.statement(by)).transpose()?.flatten();
                if by.is_some_and(|by| by.log == view.me.log && by.index.0 >= size) {
                    all.push(row.index.0);
                }
            }
            Ok(all)
        });
        for index in said_again {
            self.tally.taken_back_again += usize::from(self.book.take_back_again(at, index));
        }
    }

    /// Writes into the book what the database of a log that was fetched back says.
    fn learn(&mut self, at: usize) {
        let countries = self.countries();
        let up = self.nations[at].up.as_mut().unwrap();
        let rows = up.read(|view| {
            let mut rows = Vec::new();
            for ((_, index), _) in self.book.entries.range((at, 0)..(at + 1, 0)) {
                let statement = view.db.statement_at(view.me.log, model::Index(*index))?;
                let object = match &statement {
                    Some(row) => view.db.object(row.id)?,
                    None => None,
                };
                rows.push((*index, statement.is_some(), object.filter(|row| row.lane == Lane::Intelligence)));
            }
            Ok(rows)
        });
        for (index, is_there, object) in rows {
            let key = (at, index);
            let life = object.as_ref().map(|row| match row.state {
                ObjectState::Live => Life::Live,
                ObjectState::Withdrawn => Life::Withdrawn,
                ObjectState::Erased => Life::Erased,
            });
            match (is_there, life) {
                (true, Some(life)) => self.book.entries.get_mut(&key).unwrap().life = life,
                // Only its envelope came back, or nothing; or something else stands there by now.
                (_, _) => {
                    self.tally.lost_entries += 1;
                    self.book.entries.remove(&key);
                    self.gone.insert(key);
                }
            }
        }
        let names: BTreeSet<String> =
            self.book.audiences.keys().filter(|(who, _)| *who == at).map(|(_, name)| name.clone()).collect();
        let up = self.nations[at].up.as_mut().unwrap();
        for name in names {
            let members = up.read(|view| {
                let row = view.db.audience_by_name(view.me.log, &name)?;
                row.map(|row| view.db.set_members(row.set)).transpose()
            });
            let key = (at, name);
            match members {
                Some(members) => {
                    let at_of = |country: &str| countries.iter().position(|one| *one == country).unwrap();
                    let all = members.as_slice().iter().map(|origin| at_of(origin.country().as_str())).collect();
                    self.book.audiences.insert(key, all);
                }
                None => {
                    self.book.audiences.remove(&key);
                }
            }
        }
        let ticked: BTreeSet<String> = up.read(|view| {
            let mut names = BTreeSet::new();
            for id in view.db.ticked()? {
                names.extend(view.db.audience(view.me.log, &id)?.map(|row| row.name));
            }
            Ok(names)
        });
        self.book.ticked_are(at, ticked);
    }

    /// Once everything is mended: whoever is set back fetches its log, whoever lost something asks once more, and whoever
    /// runs two copies finds out.
    pub fn recover_all(&mut self) {
        for at in 0..self.nations.len() {
            for _ in 0..3 {
                if self.recover(at, true) {
                    break;
                }
                self.up_again(at);
            }
            let up = self.nations[at].up.as_ref().unwrap();
            if let Standing::Recovering { needs, .. } = standing(up) {
                // Nobody holds what the signer signed: it does not speak until somebody finds the newest disk.
                assert!(up.engine.signed().size < needs, "{}", self.story());
                self.tally.found_disks += 1;
                self.nations[at].put_newest_back();
                self.restored.remove(&at);
                self.note(at, "has its newest disk again");
            }
            self.work_off(at);
        }
    }

    /// What was lost may have been with somebody who was not there then.
    pub fn find_lost(&mut self) {
        let everybody: Vec<usize> = (0..self.nations.len()).collect();
        for at in 0..self.nations.len() {
            let others: Vec<usize> = everybody.iter().copied().filter(|other| *other != at).collect();
            let up = self.nations[at].up.as_mut().unwrap();
            let lost = if standing(up).speaks() { up.read(|view| view.db.lost(view.me.log)) } else { Vec::new() };
            for range in lost {
                self.fill(at, &others, range.first, range.first + range.count).unwrap();
            }
            if self.whole.contains_key(&at) {
                self.learn(at);
            }
        }
    }

    /// Two copies of one nation end stopped, once somebody shows it what the other has said.
    pub fn find_twins(&mut self) {
        for at in self.honest..self.nations.len() {
            for other in 0..self.nations.len() {
                if other == at || matches!(standing(self.nations[at].up.as_ref().unwrap()), Standing::Stopped { .. }) {
                    continue;
                }
                if let Some(Weighed::Forked(evidence)) = self.found(at, other) {
                    let engine = &mut self.nations[at].up.as_mut().unwrap().engine;
                    engine.write(|work| merge::stop(work, *evidence)).unwrap();
                }
            }
            // Most have heard of it from a partner before, and stopped then.
            let up = self.nations[at].up.as_mut().unwrap();
            if matches!(standing(up), Standing::Stopped { .. }) {
                self.tally.stopped += 1;
                let refused = up.engine.write(|work| {
                    node::audience::create(work, "x", model::extension::AudienceKind::Named, &[]).map(|_| ())
                });
                assert!(matches!(refused, Err(WriteError::Silent(_))), "{}", self.story());
            }
        }
    }

    /// What is lost of an honest log is exactly what nobody holds.
    pub fn check_lost(&mut self) {
        for at in 0..self.honest {
            let origin = self.nations[at].origin();
            let missing: Vec<u64> = self.nations[at].up.as_mut().unwrap().read(|view| {
                let size = view.db.tree(view.me.log)?.size;
                turn::missing(view, 0, size).map(|(missing, _)| missing)
            });
            let lost = self.nations[at].up.as_mut().unwrap().read(|view| {
                let mut all = BTreeSet::new();
                for index in &missing {
                    if view.db.statement_at(view.me.log, model::Index(*index))?.is_none() {
                        assert!(
                            view.db.lost_at(view.me.log, model::Index(*index))?.is_some(),
                            "{index} is not said lost"
                        );
                        all.insert(*index);
                    }
                }
                Ok(all)
            });
            for other in (0..self.nations.len()).filter(|other| *other != at) {
                let held: Vec<StatementRow> = self.nations[other].up.as_mut().unwrap().read(|view| {
                    let log: LogId = view.db.log_id(&origin)?.unwrap();
                    view.db.log_between(log, 0, 1_000_000, 1_000_000)
                });
                for row in held {
                    let index = row.index.0;
                    let about = || format!("{}: {} holds entry {index} of {origin}", self.story(), COUNTRIES[other]);
                    assert!(!lost.contains(&index), "{}", about());
                    assert!(row.sealed.is_none() || !missing.contains(&index), "{}, with its body", about());
                }
            }
        }
    }
}
