//! Nations on one thread: virtual clocks, a network that loses, doubles, delays and parts, machines that go down at any
//! step, backups that are put back, and nations that lie. All of it comes from a seed.

pub mod checks;
pub mod commands;
pub mod hostile;
pub mod nation;
pub mod recovery;
pub mod rumour;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use commands::{Book, Command, Fate, Life};
use journal::wire::{self, FeedPage, FeedRequest};
use model::extension::AudienceKind;
use model::{Timestamp, Tlp};
use nation::{FAIL_AFTER_MARK, FAIL_BEFORE_MARK, Nation, Up};
use node::ports::Random;
use node::pull::turn::{self, Checked, Start, Taken};
use tempfile::TempDir;

use crate::world::{self, Seeded};

const COUNTRIES: [&str; 27] = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "EL", "HU", "IE", "IT", "LV", "LT", "LU", "MT",
    "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
];
const MILLI: i64 = 1_000;
const SECOND: i64 = 1_000 * MILLI;
/// After this a poll is given up.
const PATIENCE: i64 = 20 * SECOND;

/// Chance, from the seed.
pub struct Dice(Seeded);

impl Dice {
    pub fn draw(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
    pub fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.draw() % most as u64).unwrap()
    }
    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.draw() % u64::try_from(high - low).unwrap()).unwrap()
    }
}

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub nations: usize,
    pub hostile: usize,
    /// Virtual seconds of trouble.
    pub seconds: i64,
}

/// One request on its way and back: what the asking task remembers.
#[derive(Clone)]
struct Asked {
    from: usize,
    to: usize,
    boot: u64,
    turn: u64,
    start: Start,
}

enum Event {
    Ask(usize, usize, u64),
    Arrives(Box<Asked>),
    Answered(Box<Asked>, Vec<u8>),
    GivenUp(usize, usize, u64),
    Act(usize),
    Crash(usize),
    Boot(usize),
    BackUp(usize),
    Restore(usize),
    Recover(usize),
    Jump(usize),
    Part,
    Join,
    Twin(usize),
}

/// What happened, so that a run that shows nothing does not pass for one that does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub said: usize,
    pub refused: usize,
    pub crashes: usize,
    pub unknown: usize,
    pub backups_put_back: usize,
    pub recovered: usize,
    pub lost_entries: usize,
    pub found_disks: usize,
    /// Purges whose withdrawal was lost, and that were said again.
    pub taken_back_again: usize,
    pub twins: usize,
    pub stopped: usize,
    pub lost: usize,
    pub doubled: usize,
    pub lies: usize,
    pub held: usize,
    pub pages: usize,
    /// Pairs that found out a liar that had shown them different histories.
    pub found: usize,
    /// Checkpoints that enough witnesses cosigned.
    pub witnessed: usize,
}

pub struct World {
    pub seed: u64,
    pub nations: Vec<Nation>,
    /// From here on in `nations`, they lie.
    pub honest: usize,
    pub book: Book,
    pub tally: Tally,
    pub trace: Vec<String>,
    /// Bodies that a page brought to a nation after the book said that they were taken back, or that it was never granted.
    pub leaks: Vec<String>,
    /// (owner, index, holder) of every body that left.
    pub served: BTreeSet<(usize, u64, usize)>,
    /// Who was set back, and to how many entries.
    pub restored: BTreeMap<usize, u64>,
    /// Who has fetched its log back, and how many entries it had then.
    pub whole: BTreeMap<usize, u64>,
    /// (owner, index, holder) of every release row of an honest log.
    pub released: BTreeSet<(usize, u64, usize)>,
    /// (owner, index) of what was lost with a database.
    pub gone: BTreeSet<(usize, u64)>,
    dice: Dice,
    time: Arc<AtomicI64>,
    queue: BinaryHeap<Reverse<(i64, u64)>>,
    events: BTreeMap<(i64, u64), Event>,
    counter: u64,
    side: Vec<bool>,
    parted: bool,
    twins: BTreeMap<usize, (TempDir, Up)>,
    earlier: BTreeMap<(usize, usize), FeedPage>,
    numbers: Vec<u32>,
    /// Liars that show each half of their partners another history.
    splits: BTreeSet<usize>,
    /// When the first told the second last what it knows of others.
    told: BTreeMap<(usize, usize), i64>,
}

impl World {
    pub fn new(seed: u64, scale: Scale) -> Self {
        let mut dice = Dice(Seeded(seed));
        let time = Arc::new(AtomicI64::new(1_790_000_000 * SECOND));
        let mut nations = Vec::new();
        for (at, country) in COUNTRIES.iter().take(scale.nations).enumerate() {
            let skew = dice.between(-90 * SECOND, 90 * SECOND);
            let number = u8::try_from(at + 1).unwrap();
            nations.push(Nation::new(country, number, scale.nations, &time, skew, dice.draw()));
        }
        let mut world = Self {
            seed,
            honest: scale.nations - scale.hostile,
            book: Book::default(),
            tally: Tally::default(),
            trace: Vec::new(),
            leaks: Vec::new(),
            served: BTreeSet::new(),
            restored: BTreeMap::new(),
            whole: BTreeMap::new(),
            gone: BTreeSet::new(),
            released: BTreeSet::new(),
            dice,
            time,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            counter: 0,
            side: vec![false; scale.nations],
            parted: false,
            twins: BTreeMap::new(),
            earlier: BTreeMap::new(),
            numbers: vec![0; scale.nations],
            splits: BTreeSet::new(),
            told: BTreeMap::new(),
            nations,
        };
        world.peer_all();
        world.plan(scale);
        world
    }

    fn peer_all(&mut self) {
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let all: Vec<_> = self.nations.iter().map(|one| world::signed_identity(one.country, one.seed)).collect();
        let countries = self.countries();
        for (at, nation) in self.nations.iter_mut().enumerate() {
            let mut entries = all.clone();
            entries.remove(at);
            let issued = Timestamp::from_seconds(1_790_000_000);
            let roster = journal::roster::Roster { title: "simulation".into(), entries, issued };
            let text = journal::roster::sign(&roster, &key).unwrap();
            let engine = &mut nation.up.as_mut().unwrap().engine;
            let others: Vec<&str> = countries.iter().copied().filter(|country| *country != nation.country).collect();
            engine
                .write(|work| {
                    node::partner::propose_roster(work, &text, key.verifying_key().as_bytes())?;
                    others.iter().try_for_each(|country| node::partner::confirm(work, country).map(|_| ()))
                })
                .unwrap();
        }
    }

    /// What will happen, as far as it does not come of what happens.
    fn plan(&mut self, scale: Scale) {
        let (n, begin, end) = (scale.nations, self.now(), self.now() + scale.seconds * SECOND);
        for at in 0..n {
            self.begin(at);
            for other in (0..n).filter(|other| *other != at) {
                let soon = self.dice.between(0, 5 * SECOND);
                self.after(soon, Event::Ask(at, other, self.nations[at].links[other].turn));
            }
            let mut then = begin;
            while then < end {
                then += self.dice.between(SECOND, 12 * SECOND);
                self.at(then, Event::Act(at));
            }
            for chance in [60, 30] {
                if self.dice.percent(chance) {
                    let when = self.dice.between(begin, end);
                    self.at(when, Event::Crash(at));
                }
            }
            if self.dice.percent(50) {
                let when = self.dice.between(begin, end);
                self.at(when, Event::Jump(at));
            }
            if self.dice.percent(40) {
                let when = self.dice.between(begin, end);
                self.at(when, Event::BackUp(at));
                let later = self.dice.between(when, end + SECOND);
                self.at(later, Event::Restore(at));
            }
        }
        for _ in 0..2 {
            let when = self.dice.between(begin, end);
            self.at(when, Event::Part);
            let long = self.dice.between(5 * SECOND, 40 * SECOND);
            self.at(when + long, Event::Join);
        }
        for liar in self.honest..n {
            self.at(begin + scale.seconds * SECOND / 3, Event::Twin(liar));
        }
    }

    /// The audiences that every nation begins with.
    fn begin(&mut self, at: usize) {
        let all: BTreeSet<usize> = (0..self.nations.len()).filter(|other| *other != at).collect();
        let todo = &mut self.nations[at].todo;
        todo.push_back(Command::Create { name: "union".into(), kind: AudienceKind::Community, members: all });
        todo.push_back(Command::Tick { name: "union".into() });
        let few = self.some_others(at);
        let todo = &mut self.nations[at].todo;
        todo.push_back(Command::Create { name: "case".into(), kind: AudienceKind::Named, members: few });
        if at.is_multiple_of(3) {
            let few = self.some_others(at);
            let todo = &mut self.nations[at].todo;
            todo.push_back(Command::Create { name: "sector".into(), kind: AudienceKind::Community, members: few });
            todo.push_back(Command::Tick { name: "sector".into() });
        }
    }

    fn some_others(&mut self, at: usize) -> BTreeSet<usize> {
        let n = self.nations.len();
        (0..n).filter(|other| *other != at && self.dice.percent(40)).collect()
    }

    pub fn countries(&self) -> Vec<&'static str> {
        self.nations.iter().map(|nation| nation.country).collect()
    }

    pub fn now(&self) -> i64 {
        self.time.load(Ordering::Relaxed)
    }

    fn at(&mut self, when: i64, event: Event) {
        self.counter += 1;
        self.queue.push(Reverse((when, self.counter)));
        self.events.insert((when, self.counter), event);
    }

    fn after(&mut self, pause: i64, event: Event) {
        self.at(self.now() + pause, event);
    }

    fn note(&mut self, who: usize, what: impl std::fmt::Display) {
        let line = format!("{:>10} ms {} {what}", (self.now() / MILLI) - 1_790_000_000_000, self.nations[who].country);
        self.trace.push(line);
    }

    /// Lets everything happen, then heals the world and lets it settle.
    pub fn run(&mut self, scale: Scale) {
        let end = self.now() + scale.seconds * SECOND;
        while let Some(Reverse(key)) = self.queue.pop() {
            if key.0 > end {
                break;
            }
            self.time.store(key.0, Ordering::Relaxed);
            let event = self.events.remove(&key).expect("each key has its event");
            self.happen(event);
        }
        self.time.store(end, Ordering::Relaxed);
        self.heal();
        self.talk();
        self.witness();
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Ask(from, to, turn) => self.ask(from, to, turn),
            Event::Arrives(asked) => self.arrives(*asked),
            Event::Answered(asked, bytes) => self.answered(*asked, &bytes),
            Event::GivenUp(from, to, turn) => {
                if self.nations[from].links[to].turn == turn {
                    self.next_turn(from, to, SECOND);
                }
            }
            Event::Act(at) => self.act(at),
            Event::Crash(at) => {
                // At any step: between two, or at the next signature, before or after the mark has moved.
                match self.dice.below(3) {
                    0 => self.crash(at),
                    1 => self.nations[at].mark.next.store(FAIL_BEFORE_MARK, Ordering::Relaxed),
                    _ => self.nations[at].mark.next.store(FAIL_AFTER_MARK, Ordering::Relaxed),
                }
            }
            Event::Boot(at) => self.boot(at),
            Event::BackUp(at) => self.nations[at].back_up(),
            Event::Restore(at) => self.restore(at),
            Event::Recover(at) => self.recover_soon(at),
            Event::Jump(at) => {
                let far = [-86_400, -3_600, -7, 7, 3_600, 86_400][self.dice.below(6)] * SECOND;
                self.nations[at].clock.offset.fetch_add(far, Ordering::Relaxed);
                self.note(at, format_args!("clock jumps by {} s", far / SECOND));
            }
            Event::Part => {
                self.parted = true;
                for at in 0..self.side.len() {
                    self.side[at] = self.dice.percent(50);
                }
            }
            Event::Join => self.parted = false,
            Event::Twin(at) => {
                if self.nations[at].up.is_some() {
                    let mut twin = self.nations[at].twin();
                    // It says something of its own, unless it does not speak.
                    let said = twin
                        .1
                        .engine
                        .write(|work| node::audience::create(work, "twin", AudienceKind::Named, &[]).map(|_| ()));
                    self.tally.twins += usize::from(said.is_ok());
                    self.twins.insert(at, twin);
                    self.note(at, "runs two copies");
                    self.part_its_views(at);
                }
            }
        }
    }

    fn crash(&mut self, at: usize) {
        self.tally.crashes += 1;
        self.note(at, "goes down");
        self.nations[at].crash();
        let pause = self.dice.between(SECOND, 15 * SECOND);
        self.after(pause, Event::Boot(at));
    }

    fn boot(&mut self, at: usize) {
        if self.nations[at].up.is_some() {
            return;
        }
        self.up_again(at);
        self.note(at, "is up");
        // Whoever waited for an answer asks again before anybody else is served.
        self.work_off(at);
        self.ask_all(at);
    }

    /// Boots a machine that is down. One that went down after its log was whole, and before anybody was told, is told now.
    fn up_again(&mut self, at: usize) {
        if self.nations[at].up.is_some() {
            return;
        }
        self.nations[at].boot().unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        let speaks = self.nations[at].up.as_ref().unwrap().engine.signed().standing.speaks();
        if self.restored.contains_key(&at) && !self.whole.contains_key(&at) {
            if speaks {
                self.recovered(at);
            } else {
                self.after(2 * SECOND, Event::Recover(at));
            }
        }
    }

    fn ask_all(&mut self, at: usize) {
        for other in (0..self.nations.len()).filter(|other| *other != at) {
            let soon = self.dice.between(0, 2 * SECOND);
            self.after(soon, Event::Ask(at, other, self.nations[at].links[other].turn));
        }
    }

    fn act(&mut self, at: usize) {
        let next = self.choose(at);
        self.nations[at].todo.extend(next);
        self.work_off(at);
    }

    /// Sends what waits, oldest first, until one has no known end.
    fn work_off(&mut self, at: usize) {
        let countries = self.countries();
        while let Some(command) = self.nations[at].todo.front().cloned() {
            let Some(up) = self.nations[at].up.as_mut() else { return };
            match commands::give(&mut up.engine, at, &countries, &command, &mut self.book) {
                Fate::Done => self.tally.said += 1,
                Fate::Refused(why) => {
                    self.tally.refused += 1;
                    self.note(at, format_args!("refused: {command:?}: {why}"));
                }
                Fate::Silent => return,
                Fate::Unknown => {
                    self.tally.unknown += 1;
                    self.crash(at);
                    return;
                }
            }
            self.note(at, format_args!("{command:?}"));
            self.nations[at].todo.pop_front();
        }
    }

    fn choose(&mut self, at: usize) -> Option<Command> {
        let own: Vec<(u64, Life)> =
            self.book.entries.iter().filter(|((who, _), _)| *who == at).map(|((_, i), e)| (*i, e.life)).collect();
        match self.dice.below(10) {
            0 => {
                let (index, _) = *own.get(self.dice.below(own.len().max(1)))?;
                Some(Command::Withdraw { index, purge: self.dice.percent(50) })
            }
            1 => {
                let name = if self.dice.percent(50) { "case" } else { "union" }.to_owned();
                Some(Command::Change { name, members: self.some_others(at) })
            }
            _ => {
                let again = self.dice.percent(20) && self.numbers[at] > 0;
                if !again {
                    self.numbers[at] += 1;
                }
                let number = if again { 1 + self.dice.draw() as u32 % self.numbers[at] } else { self.numbers[at] };
                let version = if again { 1 + self.dice.draw() as u32 % 1_000 } else { 0 };
                let (tlp, audience) = match self.dice.below(6) {
                    0 => (Tlp::Clear, None),
                    1 | 2 => (Tlp::Green, None),
                    3 => (Tlp::Amber, Some("case".to_owned())),
                    4 => (Tlp::AmberStrict, Some("case".to_owned())),
                    _ => (Tlp::Red, None),
                };
                Some(Command::Say { number, version, tlp, audience })
            }
        }
    }

    fn cut(&mut self, from: usize, to: usize) -> bool {
        let lost = (self.parted && self.side[from] != self.side[to]) || self.dice.percent(8);
        self.tally.lost += usize::from(lost);
        lost
    }

    /// Mostly quick; at times so slow that the asker has given up, and that others overtake it.
    fn delay(&mut self) -> i64 {
        if self.dice.percent(5) {
            self.dice.between(SECOND, 2 * PATIENCE)
        } else {
            self.dice.between(2 * MILLI, 300 * MILLI)
        }
    }

    fn next_turn(&mut self, from: usize, to: usize, pause: i64) {
        let link = &mut self.nations[from].links[to];
        link.turn += 1;
        let turn = link.turn;
        self.after(pause, Event::Ask(from, to, turn));
    }

    fn ask(&mut self, from: usize, to: usize, turn: u64) {
        let nation = &mut self.nations[from];
        if nation.links[to].turn != turn {
            return;
        }
        let kept = nation.links[to].kept.take();
        let origin = world::origin(COUNTRIES[to], u8::try_from(to + 1).unwrap());
        let Some(up) = nation.up.as_mut() else { return };
        let log = up.log_of(&origin);
        let Some(start) = up.read(|view| turn::start(view, log, &origin, kept)) else { return };
        let asked = Asked { from, to, boot: nation.boots, turn, start };
        let copies = if self.dice.percent(5) { 2 } else { 1 };
        self.tally.doubled += copies - 1;
        for _ in 0..copies {
            if !self.cut(from, to) {
                let pause = self.delay();
                self.after(pause, Event::Arrives(Box::new(asked.clone())));
            }
        }
        self.after(PATIENCE, Event::GivenUp(from, to, turn));
    }

    fn arrives(&mut self, asked: Asked) {
        let Some(bytes) = self.serve(&asked) else { return };
        if !self.cut(asked.to, asked.from) {
            let pause = self.delay();
            self.after(pause, Event::Answered(Box::new(asked), bytes));
        }
    }

    /// The page as the partner's node makes it, with the real codec; a liar's own touch comes after.
    fn serve(&mut self, asked: &Asked) -> Option<Vec<u8>> {
        let (from, to) = (asked.from, asked.to);
        let halves = self.splits.contains(&to);
        let second = to >= self.honest && if halves { from % 2 == 1 } else { self.dice.percent(50) };
        let tells = self.is_time_to_tell(to, from);
        let twin = self.twins.get_mut(&to).filter(|_| second).map(|(_, up)| up);
        let is_twin = twin.is_some();
        let up = match twin {
            Some(twin) => twin,
            None => self.nations[to].up.as_mut()?,
        };
        let request = FeedRequest::from_query(&asked.start.query()).unwrap();
        let pin = [u8::try_from(from + 1).unwrap(); 32];
        let page = up.read(|view| {
            let Ok(partner) = node::feed::caller(view, &pin) else { return Ok(None) };
            let Ok(mut answer) = node::feed::page(view, &partner, &request) else { return Ok(None) };
            if tells && request.wire > 1 {
                answer.page.notes = node::gossip::notes(view, &partner)?;
            }
            Ok(Some(answer))
        });
        let mut page = page?.page;
        if !is_twin {
            self.look(to, from, &page);
        }
        if to >= self.honest && !halves && !self.twins.is_empty() && self.dice.percent(40) {
            let how = hostile::spoil(&mut page, self.earlier.get(&(to, from)), &mut self.dice);
            self.tally.lies += 1;
            self.note(to, format_args!("serves {} {how}", COUNTRIES[from]));
        } else if to >= self.honest && self.dice.percent(30) {
            self.earlier.insert((to, from), page.clone());
        }
        self.tally.pages += 1;
        Some(wire::compress(wire::encode(&page)).unwrap())
    }

    /// What leaves is compared with the book at the moment at which it leaves.
    fn look(&mut self, owner: usize, caller: usize, page: &FeedPage) {
        for item in page.items.iter().filter(|item| item.opening.as_ref().is_some_and(|o| o.body.is_some())) {
            let index = item.index.0;
            self.served.insert((owner, index, caller));
            // What was durable and not acknowledged is not in the book yet; `served` is compared at the end.
            let Some(entry) = self.book.entries.get(&(owner, index)) else { continue };
            if entry.life != Life::Live || !entry.granted.contains(&caller) {
                self.leaks.push(format!(
                    "{} was served entry {index} of {}, which is {:?}",
                    COUNTRIES[caller], COUNTRIES[owner], entry.life
                ));
            }
        }
    }

    fn answered(&mut self, asked: Asked, bytes: &[u8]) {
        let (from, to) = (asked.from, asked.to);
        if self.nations[from].boots != asked.boot || self.nations[from].up.is_none() {
            return;
        }
        let (more, kept) = match self.take(&asked, bytes) {
            Step::Kept { more, replica } => (more, Some(*replica)),
            Step::Again => (false, None),
            Step::Over => return,
            Step::Down => {
                self.tally.unknown += 1;
                self.crash(from);
                return;
            }
        };
        if self.nations[from].links[to].turn == asked.turn {
            self.nations[from].links[to].kept = kept;
            let pause = if more { 10 * MILLI } else { self.dice.between(SECOND, 12 * SECOND) };
            self.next_turn(from, to, pause);
        }
    }

    /// What the puller does with an answer, step by step as `pull` does.
    fn take(&mut self, asked: &Asked, bytes: &[u8]) -> Step {
        let honest = asked.to < self.honest;
        let origin = world::origin(COUNTRIES[asked.to], u8::try_from(asked.to + 1).unwrap());
        let up = self.nations[asked.from].up.as_mut().unwrap();
        let log = up.log_of(&origin);
        let Ok(page) = turn::read(bytes) else { return Step::Again };
        let evidence = match up.read(|view| turn::check(view, log, &asked.start.replica, page)) {
            Checked::Step(step) => {
                let mut replica = asked.start.replica.clone();
                replica.advance(&step);
                let (more, notes) = (step.more, step.notes.clone());
                match turn::taken(up.engine.write(|work| node::receive::receive(work, log, *step))) {
                    Taken::Kept => {
                        let heard =
                            notes.is_empty() || up.engine.write(|work| node::gossip::hear(work, log, &notes)).is_ok();
                        let replica = Box::new(replica);
                        return if heard { Step::Kept { more, replica } } else { Step::Down };
                    }
                    Taken::Moved => return Step::Again,
                    Taken::Over => return Step::Over,
                    // A receipt waits until the log speaks again.
                    Taken::Failed(_) if !up.engine.signed().standing.speaks() => return Step::Again,
                    Taken::Failed(_) => return Step::Down,
                    Taken::Hold(evidence) => evidence,
                }
            }
            Checked::Failed(_) => return Step::Again,
            Checked::Hold(evidence) => evidence,
        };
        assert!(!honest, "{}: an honest nation is accused: {evidence:?}", self.story());
        up.engine.write(|work| node::receive::hold(work, log, &evidence)).unwrap();
        self.tally.held += 1;
        self.note(asked.from, format_args!("holds {}: {}", COUNTRIES[asked.to], evidence.summary));
        Step::Over
    }

    /// Everything works again: machines run, lines are whole, commands are worked off, and everybody asks until nobody has
    /// anything new.
    fn heal(&mut self) {
        self.parted = false;
        for at in 0..self.nations.len() {
            self.nations[at].mark.next.store(nation::HONEST, Ordering::Relaxed);
            self.up_again(at);
        }
        self.recover_all();
        self.find_lost();
        for at in 0..self.nations.len() {
            let speaks = self.nations[at].up.as_ref().unwrap().engine.signed().standing.speaks();
            assert!(self.nations[at].todo.is_empty() || (at >= self.honest && !speaks), "{}", self.story());
        }
        for _round in 0..40 {
            let mut news = false;
            for from in 0..self.nations.len() {
                for to in (0..self.nations.len()).filter(|to| *to != from) {
                    news |= self.settle(from, to);
                }
            }
            if !news {
                self.find_twins();
                return;
            }
        }
        panic!("{}: it does not settle", self.story());
    }

    /// Asks until there is nothing new; `true` if there was something.
    fn settle(&mut self, from: usize, to: usize) -> bool {
        let origin = world::origin(COUNTRIES[to], u8::try_from(to + 1).unwrap());
        for turns in 0..1_000 {
            let boot = self.nations[from].boots;
            let up = self.nations[from].up.as_mut().unwrap();
            let log = up.log_of(&origin);
            let Some(start) = up.read(|view| turn::start(view, log, &origin, None)) else { return turns > 1 };
            let before = up.engine.signed().size;
            let (have, cursors) = (start.replica.have(), (start.workflow.clone(), start.intelligence.clone()));
            let asked = Asked { from, to, boot, turn: 0, start };
            let Some(bytes) = self.serve(&asked) else { return turns > 1 };
            match self.take(&asked, &bytes) {
                Step::Kept { .. } | Step::Again => {}
                Step::Over | Step::Down => return true,
            }
            let up = self.nations[from].up.as_mut().unwrap();
            let Some(now) = up.read(|view| turn::start(view, log, &origin, None)) else { return true };
            let same = now.replica.have() == have && (now.workflow, now.intelligence) == cursors;
            if same && up.engine.signed().size == before {
                return turns > 0;
            }
        }
        panic!("{}: {from} never comes to an end with {to}", self.story());
    }

    /// The seed and the last lines of what happened.
    pub fn story(&self) -> String {
        let last = self.trace.len().saturating_sub(200);
        format!("seed {}\n{}\n{:?}", self.seed, self.trace[last..].join("\n"), self.tally)
    }
}

/// Where an answer left the puller.
enum Step {
    Kept { more: bool, replica: Box<journal::sync::Replica> },
    Again,
    Over,
    Down,
}
