//! What must be true after every run, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};

use journal::log_keys::LogKeys;
use model::{Index, Lane, MemberSet, Origin};
use policy::{Purpose, Viewer, oracle};
use store::{ObjectFilter, ObjectRow, ObjectState, StatementId, StoreError};

use super::World;
use super::commands::Life;
use super::nation::Up;

const PAGE: usize = 1_000;

fn state_of(life: Life) -> ObjectState {
    match life {
        Life::Live => ObjectState::Live,
        Life::Withdrawn => ObjectState::Withdrawn,
        Life::Erased => ObjectState::Erased,
    }
}

/// The intelligence of `owner` that a node has, with the bodies that are still there.
fn held(up: &mut Up, owner: &Origin) -> BTreeMap<u64, (ObjectRow, Option<Vec<u8>>)> {
    up.read(|view| {
        let Some(log) = view.db.log_id(owner)? else { return Ok(BTreeMap::new()) };
        let filter = ObjectFilter { log: Some(log), ..ObjectFilter::default() };
        let mut all = BTreeMap::new();
        let mut after: Option<StatementId> = None;
        loop {
            let page = view.db.objects_page(&filter, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(last.statement);
            for row in page.into_iter().filter(|row| row.lane == Lane::Intelligence) {
                let body = node::body::open(view.db, view.signer, row.statement)?;
                all.insert(row.index.0, (row, body));
            }
        }
    })
}

impl World {
    /// All of it.
    pub fn check(&mut self) {
        assert!(self.leaks.is_empty(), "{}\n{}", self.story(), self.leaks.join("\n"));
        for owner in 0..self.honest {
            self.note_released(owner);
            self.check_acknowledged(owner);
            self.check_oracle(owner);
            for holder in 0..self.nations.len() {
                self.check_holder(owner, holder);
                self.check_audiences(owner, holder);
            }
        }
        self.check_served();
        self.check_lost();
        self.check_nobody_honest_is_held();
        self.check_liars_are_found();
        self.check_no_witness_signs_two_histories();
        for at in 0..self.nations.len() {
            self.check_log(at);
            self.check_rebuild(at);
        }
    }

    /// To whom a log that was fetched back is open now, by its own database.
    fn note_released(&mut self, owner: usize) {
        let countries = self.countries();
        let rows = self.up(owner).read(|view| {
            let mut all = Vec::new();
            for row in view.db.log_between(view.me.log, 0, 1_000_000, 1_000_000)? {
                for (_, set) in view.db.released_sets(row.id)? {
                    all.extend(Vec::from(view.db.set_members(set)?).into_iter().map(|origin| (row.index.0, origin)));
                }
            }
            Ok(all)
        });
        for (index, origin) in rows {
            let holder = countries.iter().position(|one| *one == origin.country().as_str()).unwrap();
            self.released.insert((owner, index, holder));
        }
    }

    fn up(&mut self, at: usize) -> &mut Up {
        self.nations[at].up.as_mut().expect("everything runs after the healing")
    }

    /// Every acknowledged statement is in its nation's log, byte for byte, unless it was erased.
    fn check_acknowledged(&mut self, owner: usize) {
        let origin = self.nations[owner].origin();
        let found = held(self.up(owner), &origin);
        for ((_, index), entry) in self.book.entries.iter().filter(|((who, _), _)| *who == owner) {
            let (row, body) = found.get(index).unwrap_or_else(|| panic!("{}: {index} is lost", self.story()));
            assert_eq!(row.state, state_of(entry.life), "{}: entry {index} of {origin}", self.story());
            let expected = (entry.life != Life::Erased).then_some(&entry.bytes);
            assert_eq!(body.as_ref(), expected, "{}: entry {index} of {origin}", self.story());
        }
        let gone = |index: &u64| self.is_gone(owner, *index);
        let known = self.book.entries.iter().filter(|((who, _), _)| *who == owner).count();
        assert_eq!(found.keys().filter(|index| !gone(index)).count(), known, "{}", self.story());
    }

    /// Nobody holds what policy forbids; everybody holds what it grants; the same object stands alike everywhere.
    fn check_holder(&mut self, owner: usize, holder: usize) {
        if owner == holder {
            return;
        }
        let origin = self.nations[owner].origin();
        let honest = holder < self.honest;
        let found = held(self.up(holder), &origin);
        let whole = self.whole.get(&owner).copied();
        let about = |index: u64| format!("entry {index} of {origin} at {}", super::COUNTRIES[holder]);
        for (index, (_, body)) in &found {
            // What its owner lost has no page in the book any more.
            if self.is_gone(owner, *index) {
                continue;
            }
            let granted = self.book.entries.get(&(owner, *index)).is_some_and(|e| e.granted.contains(&holder));
            assert!(granted || body.is_none(), "{}: {} is held without a grant", self.story(), about(*index));
        }
        for ((_, index), entry) in self.book.entries.iter().filter(|((who, _), _)| *who == owner) {
            if !entry.granted.contains(&holder) || !honest {
                continue;
            }
            // Whoever was given the history of an audience by a part of the database that is gone is given it anew by people.
            if whole.is_some_and(|size| *index < size) && !self.is_released(owner, *index, holder) {
                continue;
            }
            let got = found.get(index);
            let erased = entry.life == Life::Erased && entry.purged_for.contains(&holder);
            match entry.life {
                Life::Live => {
                    let body = got.and_then(|(_, body)| body.as_ref());
                    assert_eq!(body, Some(&entry.bytes), "{}: {}", self.story(), about(*index));
                }
                // One that came only after it was taken back has no row: its place is known, and nothing of it.
                Life::Withdrawn | Life::Erased => {
                    let Some((row, body)) = got else { continue };
                    assert_ne!(row.state, ObjectState::Live, "{}: {}", self.story(), about(*index));
                    assert!(!erased || body.is_none(), "{}: {} is not erased", self.story(), about(*index));
                }
            }
        }
    }

    /// Was it lost with a database, and nothing said in its place since?
    fn is_gone(&self, owner: usize, index: u64) -> bool {
        self.gone.contains(&(owner, index)) && !self.book.entries.contains_key(&(owner, index))
    }

    fn is_released(&self, owner: usize, index: u64, holder: usize) -> bool {
        self.released.contains(&(owner, index, holder))
    }

    /// Every member knows the newest version of an audience, and has its chain without a gap.
    fn check_audiences(&mut self, owner: usize, holder: usize) {
        if owner == holder || holder >= self.honest {
            return;
        }
        let origin = self.nations[owner].origin();
        let names: Vec<String> = self
            .book
            .audiences
            .iter()
            .filter(|((who, _), members)| *who == owner && members.contains(&holder))
            .map(|((_, name), _)| name.clone())
            .collect();
        let jumps = self.whole.contains_key(&owner);
        let find = |up: &mut Up, name: &str| {
            up.read(|view| {
                let Some(log) = view.db.log_id(&origin)? else { return Ok(None) };
                let Some(row) = view.db.audience_by_name(log, name)? else { return Ok(None) };
                // After a recovery places may stay free, so that nothing is said twice in one.
                let whole = jumps
                    || view.db.chains(log)?.iter().filter(|c| c.audience == row.audience).all(|c| !c.is_incomplete());
                Ok(Some((row.audience, row.version, view.db.set_members(row.set)?, whole)))
            })
        };
        for name in names {
            let theirs = find(self.up(owner), &name);
            let ours = find(self.up(holder), &name);
            assert_eq!(ours, theirs, "{}: audience {name} of {origin} at {}", self.story(), super::COUNTRIES[holder]);
        }
    }

    /// What each node holds, against the second, naive policy, from the owner's own facts.
    fn check_oracle(&mut self, owner: usize) {
        let origin = self.nations[owner].origin();
        let facts: BTreeMap<u64, policy::Facts> = self.up(owner).read(|view| {
            let filter = ObjectFilter { log: Some(view.me.log), ..ObjectFilter::default() };
            let mut all = BTreeMap::new();
            for row in view.db.objects_page(&filter, None, 100_000)? {
                let mut members = Vec::new();
                for (_, set) in view.db.released_sets(row.statement)? {
                    members.extend(Vec::from(view.db.set_members(set)?));
                }
                let mut facts = node::query::facts_of_row(view, &row)?;
                let members = MemberSet::new(members).map_err(|e| StoreError::Corrupt { what: e.to_string() })?;
                facts.member_set = members.into();
                facts.withdrawn = false;
                all.insert(row.index.0, facts);
            }
            Ok(all)
        });
        for holder in (0..self.nations.len()).filter(|holder| *holder != owner) {
            let viewer = Viewer::Partner {
                origin: self.nations[holder].origin(),
                class: self.up(holder).engine.me().identity.class,
            };
            let whole = self.whole.get(&owner).copied().unwrap_or(0);
            for (index, (_, body)) in held(self.up(holder), &origin).into_iter().filter(|(index, _)| *index >= whole) {
                let may = facts.get(&index).is_some_and(|facts| oracle::may(facts, &viewer, Purpose::Feed));
                assert!(may || body.is_none(), "{}: the oracle forbids entry {index} of {origin}", self.story());
            }
        }
    }

    /// Every body that left had been granted to whom it went.
    fn check_served(&self) {
        let granted: BTreeSet<(usize, u64, usize)> = self
            .book
            .entries
            .iter()
            .flat_map(|((owner, index), entry)| entry.granted.iter().map(move |member| (*owner, *index, *member)))
            .collect();
        for (owner, index, caller) in self.served.iter().filter(|(owner, ..)| *owner < self.honest) {
            let intelligence = self.book.entries.contains_key(&(*owner, *index));
            assert!(!intelligence || granted.contains(&(*owner, *index, *caller)), "{}", self.story());
        }
    }

    /// Every log of a node verifies, and so does every statement and every body.
    fn check_log(&mut self, at: usize) {
        let keys: BTreeMap<Origin, LogKeys> = self
            .nations
            .iter()
            .map(|one| (one.origin(), crate::world::signed_identity(one.country, one.seed)))
            .map(|(origin, signed)| (origin, journal::identity::verify(&signed).unwrap().into_inner()))
            .map(|(origin, known)| (origin, LogKeys::of(&known, []).unwrap()))
            .collect();
        let report =
            self.up(at).read(|view| node::verify::verify(view.db, view.signer, |origin| keys.get(origin).cloned()));
        assert!(report.faults.is_empty(), "{}: {:?}", self.story(), report.faults);
        assert!(report.logs as usize >= self.nations.len() && report.statements > 0);
        // What partners hold of an honest log is a part of it, and what they hold was signed.
        if at < self.honest {
            let origin = self.nations[at].origin();
            for other in 0..self.nations.len() {
                let theirs = self.up(other).read(|view| {
                    let log = view.db.log_id(&origin)?.expect("known");
                    let size = view.db.tree(log)?.size;
                    Ok((size, if size > 0 { view.db.commitment(log, Index(size - 1))? } else { None }))
                });
                let ours = self.up(at).read(|view| match theirs.0 {
                    0 => Ok(None),
                    size => view.db.commitment(view.me.log, Index(size - 1)),
                });
                assert_eq!(theirs.1, ours, "{}: {other} holds another log of {origin}", self.story());
            }
        }
    }

    fn check_rebuild(&mut self, at: usize) {
        let before = self.up(at).read(|view| view.db.view_digests());
        self.up(at).engine.write(node::rebuild::rebuild).unwrap();
        let after = self.up(at).read(|view| view.db.view_digests());
        let pairs = before.iter().zip(&after);
        let other: Vec<&str> = pairs.filter(|(one, two)| one != two).map(|(one, _)| one.0).collect();
        assert!(other.is_empty(), "{}: a rebuild gives other {other:?} at {}", self.story(), super::COUNTRIES[at]);
    }
}
