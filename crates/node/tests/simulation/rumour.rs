//! What nations tell each other of others' logs, and whom they ask to witness theirs: a liar that shows each half of its
//! partners another history is found by every pair that talks, nobody honest is ever held, and no witness signs both.

use std::collections::BTreeSet;

use journal::checkpoint;
use journal::note::NoteVerifier;
use journal::tree;
use journal::witness::AddCheckpoint;
use model::extension::AudienceKind;
use node::cosign::{self, Cosigned};
use node::gossip;
use store::{PartnerState, StoreError, WitnessedRow};

use super::nation::Up;
use super::{COUNTRIES, SECOND, World};
use crate::world;

/// How often a nation tells another what it knows, as the real server does.
const OFTEN: i64 = node::limits::GOSSIP_SECONDS as i64 * SECOND;
/// With more nations than this, they talk at the end only: each word is a look at every chain.
const TALKATIVE: usize = 6;

fn origin(of: usize) -> model::Origin {
    world::origin(COUNTRIES[of], u8::try_from(of + 1).unwrap())
}

fn state(up: &mut Up, of: usize) -> PartnerState {
    let log = up.log_of(&origin(of));
    up.read(|view| view.db.partner(log)).expect("every nation is a partner").state
}

/// What `up` tells a partner.
fn notes(up: &mut Up, to: usize) -> Vec<String> {
    let log = up.log_of(&origin(to));
    up.read(|view| match view.db.partner(log)? {
        Some(partner) => gossip::notes(view, &partner),
        None => Ok(Vec::new()),
    })
}

impl World {
    /// Is it time for `from` to tell `to` what it knows?
    pub(super) fn is_time_to_tell(&mut self, from: usize, to: usize) -> bool {
        let now = self.now();
        let due = self.nations.len() <= TALKATIVE
            && self.told.get(&(from, to)).is_none_or(|at| at.saturating_add(OFTEN) <= now);
        if due {
            self.told.insert((from, to), now);
        }
        due
    }

    /// From here on a liar runs two copies; some show one to half of their partners and the other to the rest.
    pub(super) fn part_its_views(&mut self, liar: usize) {
        if !self.dice.percent(60) {
            return;
        }
        let members = vec![COUNTRIES[(liar + 1) % self.nations.len()].to_owned()];
        let Some((_, twin)) = self.twins.get_mut(&liar) else { return };
        twin.engine.write(|work| node::audience::create(work, "another story", AudienceKind::Named, &members)).unwrap();
        self.splits.insert(liar);
        self.note(liar, "shows each half another history");
    }

    /// Everybody tells its neighbours, twice: what the first telling leads to, too.
    pub(super) fn talk(&mut self) {
        for _ in 0..2 {
            for (one, other) in self.pairs() {
                for (from, to) in [(one, other), (other, one)] {
                    let told = notes(self.nations[from].up.as_mut().unwrap(), to);
                    let up = self.nations[to].up.as_mut().unwrap();
                    let log = up.log_of(&origin(from));
                    up.engine.write(|work| gossip::hear(work, log, &told)).unwrap();
                }
            }
        }
    }

    /// Honest nations that talk with each other.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let near = if self.nations.len() <= TALKATIVE { self.nations.len() } else { 2 };
        let pairs = (0..self.honest).flat_map(|one| (one + 1..self.honest).map(move |other| (one, other)));
        pairs.filter(|(one, other)| other - one <= near).collect()
    }

    /// Nobody honest is held by anybody honest, whatever was told.
    pub(super) fn check_nobody_honest_is_held(&mut self) {
        for (one, other) in (0..self.honest).flat_map(|one| (0..self.honest).map(move |other| (one, other))) {
            if one != other {
                let found = state(self.nations[one].up.as_mut().unwrap(), other);
                assert_eq!(found, PartnerState::Active, "{}: {one} of {other}", self.story());
            }
        }
    }

    /// Of two that talk, one at least has found out a liar that showed them different histories.
    pub(super) fn check_liars_are_found(&mut self) {
        for liar in self.splits.clone() {
            for (one, other) in self.pairs() {
                let views = [one, other].map(|at| {
                    let up = self.nations[at].up.as_mut().unwrap();
                    let (log, held) = (up.log_of(&origin(liar)), state(up, liar) == PartnerState::Held);
                    let size = up.read(|view| Ok(view.db.tree(log)?.size));
                    let partner = up.log_of(&origin(if at == one { other } else { one }));
                    let shared = up.read(|view| Ok(view.db.logs_shared_with(partner, 100)?.contains(&log)));
                    (log, held, size, shared)
                });
                let smaller = views[0].2.min(views[1].2);
                let [first, second] = [(one, views[0].0), (other, views[1].0)].map(|(at, log)| {
                    let up = self.nations[at].up.as_mut().unwrap();
                    up.read(|view| {
                        tree::root_at(&view.db.tiles(log), smaller)
                            .map_err(|error| StoreError::Corrupt { what: error.to_string() })
                    })
                });
                let differ = first != second && views[0].3 && views[1].3;
                let found = views[0].1 || views[1].1;
                assert!(!differ || found, "{}: {one} and {other} do not find out {liar}", self.story());
                self.tally.found += usize::from(differ && found);
            }
        }
    }

    /// Each honest nation asks three others to cosign what it says. A liar's line counts for nothing.
    pub(super) fn witness(&mut self) {
        let n = self.nations.len();
        for owner in (0..self.honest).filter(|owner| n <= TALKATIVE || owner % 5 == 0) {
            let (text, size) = {
                let signed = self.nations[owner].up.as_ref().unwrap().engine.signed();
                (signed.text.clone(), signed.size)
            };
            let asked: BTreeSet<usize> = (1..=3).map(|step| (owner + step) % n).collect();
            let (mut note, mut honest) = (text.clone(), 0);
            for witness in asked.iter().copied() {
                let speaks = self.nations[witness].up.as_ref().unwrap().engine.signed().standing.speaks();
                let line = self.cosignature(witness, owner, &text);
                // A liar that found out that it runs two copies has stopped, and a node that has stopped cosigns nothing.
                if witness >= self.honest && !speaks {
                    assert_eq!(line, None, "{}: {witness} does not speak, and cosigns", self.story());
                    continue;
                }
                let line = line.expect("it extends what was cosigned");
                honest += usize::from(witness < self.honest);
                note.push_str(&if witness < self.honest { line } else { line.replace(char::is_numeric, "x") });
            }
            let key = |of: usize| {
                let identity = world::signed_identity(COUNTRIES[of], u8::try_from(of + 1).unwrap());
                journal::identity::verify(&identity).unwrap().into_inner()
            };
            let log_key = ed25519_dalek::VerifyingKey::from_bytes(&key(owner).log_key).unwrap();
            let keys: Vec<NoteVerifier> = asked
                .iter()
                .map(|of| ed25519_dalek::VerifyingKey::from_bytes(&key(*of).witness_key).unwrap())
                .zip(&asked)
                .map(|(key, of)| NoteVerifier::witness(&origin(*of).to_string(), key).unwrap())
                .collect();
            let Ok((signed, by)) = checkpoint::verify_cosigned(&note, &origin(owner), &log_key, &keys) else {
                // A line of a known witness that does not hold refuses the note: nothing is witnessed by a liar.
                assert!(honest < asked.len(), "{}: honest lines are refused", self.story());
                continue;
            };
            assert_eq!((by.len(), signed.size), (honest, size), "{}: {owner} is witnessed by liars", self.story());
            let row = WitnessedRow { size, note, witnesses: by.len() as u64, at: model::Timestamp::from_seconds(0) };
            let up = self.nations[owner].up.as_mut().unwrap();
            up.engine.write(|work| work.tx.put_witnessed(work.me.log, &row)).unwrap();
            self.tally.witnessed += 1;
        }
    }

    /// A liar asks for cosignatures under both of its histories: nobody honest gives both.
    pub(super) fn check_no_witness_signs_two_histories(&mut self) {
        for liar in self.splits.clone() {
            let first = self.nations[liar].up.as_ref().unwrap().engine.signed().text.clone();
            let Some(second) = self.twins.get(&liar).map(|(_, twin)| twin.engine.signed().text.clone()) else {
                continue;
            };
            for witness in 0..self.honest {
                let both = [&first, &second].map(|text| self.cosignature(witness, liar, text).is_some());
                assert_ne!(both, [true, true], "{}: {witness} signs two histories of {liar}", self.story());
            }
        }
    }

    /// The line with which a nation cosigns another's checkpoint, from nothing, if it does.
    fn cosignature(&mut self, witness: usize, owner: usize, text: &str) -> Option<String> {
        let up = self.nations[witness].up.as_mut().unwrap();
        let log = up.log_of(&origin(owner));
        let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: text.to_owned() };
        match up.engine.write(|work| cosign::cosign(work, log, &request)) {
            Ok(Cosigned::Line(line)) => Some(line),
            Ok(Cosigned::Size(_) | Cosigned::Forked(_)) | Err(_) => None,
        }
    }
}
