//! Going back in time without saying anything twice: the worker that asks partners for our own log, and has what they
//! give back written (architecture §3).
//!
//! A node that speaks asks every partner once a run whether it holds more than was signed here. One that does not speak
//! asks all of them, round by round, until what is known to have been signed is here again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::sync::{Evidence, Replica, Step};
use journal::verified::Verified;
use journal::wire::FeedPage;
use model::Timestamp;
use store::{LogId, PartnerRow, PartnerState, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::gossip;
use crate::limits;
use crate::ports::{PartnerAddress, Transport};
use crate::standing::{Cause, Standing};
use crate::witness;
use crate::work::View;
use crate::writer::{Change, Node, WriteError};

pub mod decide;
pub mod merge;
pub mod turn;
use merge::{Openings, RecoverError};
use turn::Weighed;

/// What one partner answered when it was asked for our log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When.
    pub at: Timestamp,
    /// How many entries of ours it holds, or why it gave no answer.
    pub held: Result<u64, String>,
}

/// The newest answers, kept by the worker and read by screens. Memory only: it is about this run.
#[derive(Debug, Default)]
pub struct Asked(Mutex<HashMap<LogId, Answer>>);

impl Asked {
    /// What a partner answered last; `None` before it was asked.
    #[must_use]
    pub fn of(&self, log: LogId) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&log).cloned()
    }
    fn note(&self, log: LogId, answer: Answer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(log, answer);
    }
}

/// Did enough partners answer to say from where a node speaks that does not know what it signed? As many witnesses as
/// make an entry witnessed, or without witnesses everybody who can be reached, and at least one.
///
/// # Errors
/// The database.
pub fn is_enough(view: &View<'_, '_>, answered: &[LogId]) -> Result<bool, StoreError> {
    let quorum = witness::quorum(view.db)?;
    if quorum.witnesses.is_empty() {
        return Ok(!answered.is_empty());
    }
    let heard = quorum.witnesses.iter().filter(|one| answered.contains(&one.partner.log)).count();
    Ok(heard >= quorum.threshold)
}

/// The partners that may hold something of our log.
///
/// # Errors
/// The database.
pub fn holders(view: &View<'_, '_>) -> Result<Vec<PartnerRow>, StoreError> {
    let mut partners = view.db.partners()?;
    partners.retain(|row| matches!(row.state, PartnerState::Active | PartnerState::Held));
    Ok(partners)
}

/// Asks partners for our own log until `stop` says so.
pub async fn run(node: Node, transport: Arc<dyn Transport>, mut stop: watch::Receiver<bool>) {
    let mut changes = node.changes();
    let mut doubts = node.doubts();
    let mut worker = Worker { node: node.clone(), transport, heard: HashSet::new() };
    loop {
        doubts.mark_unchanged();
        changes.mark_unchanged();
        let partners = node.partners_changed();
        let standing = node.standing();
        let pause = tokio::select! {
            pause = worker.turn(&standing) => pause,
            () = stopped(&mut stop) => return,
        };
        tokio::select! {
            () = stopped(&mut stop) => return,
            _ = doubts.changed() => worker.heard.clear(),
            () = partners => {}
            () = otherwise(&node, &mut changes, &standing) => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits until the own log stands otherwise.
async fn otherwise(node: &Node, changes: &mut watch::Receiver<Change>, standing: &Standing) {
    while node.signed().standing == *standing {
        if changes.changed().await.is_err() {
            return;
        }
    }
}

struct Worker {
    node: Node,
    transport: Arc<dyn Transport>,
    /// The partners that have answered since there was last a doubt.
    heard: HashSet<LogId>,
}

/// What asking one partner came to.
struct Told {
    partner: PartnerRow,
    outcome: Result<Found, String>,
}

/// What a partner holds.
enum Found {
    Within(u64),
    Ahead(Box<Verified<Step>>),
    Forked(Box<Evidence>),
}

impl Worker {
    async fn turn(&mut self, standing: &Standing) -> Duration {
        let soon = Duration::from_secs(limits::RECOVERY_PAUSE_SECONDS);
        let done = match standing {
            Standing::Stopped { .. } => Ok(true),
            Standing::Speaking => self.look().await,
            Standing::Recovering { cause, from, needs } => self.round(*cause, *from, *needs).await.map(|()| false),
        };
        match done {
            Ok(true) => Duration::from_secs(limits::LOOK_SECONDS),
            Ok(false) => soon,
            Err(why) => {
                tracing::warn!(%why, "our own log was not fetched");
                soon
            }
        }
    }

    /// Asks those partners what they hold of our log who have not been heard yet; `true` once all have been.
    async fn look(&mut self) -> Result<bool, String> {
        let mut partners = self.holders().await?;
        partners.retain(|row| !self.heard.contains(&row.log));
        let asked = partners.len();
        for told in self.ask(partners).await {
            let Ok(found) = told.outcome else { continue };
            self.heard.insert(told.partner.log);
            match found {
                Found::Within(_) => self.find_lost(&told.partner).await?,
                Found::Ahead(step) => {
                    let (log, note) = (told.partner.log, step.checkpoint_text.clone());
                    self.write(move |work| gossip::hear(work, log, &[note])).await?;
                }
                Found::Forked(evidence) => self.write(move |work| merge::stop(work, *evidence)).await?,
            }
        }
        Ok(asked == 0 || self.holders().await?.iter().all(|row| self.heard.contains(&row.log)))
    }

    /// One round of fetching our log back.
    async fn round(&mut self, cause: Cause, from: u64, needs: u64) -> Result<(), String> {
        let partners = self.holders().await?;
        let (mut steps, mut answered) = (Vec::new(), Vec::new());
        for told in self.ask(partners).await {
            match told.outcome {
                Ok(Found::Within(_)) => {}
                Ok(Found::Ahead(step)) => steps.push(*step),
                Ok(Found::Forked(evidence)) => return self.write(move |work| merge::stop(work, *evidence)).await,
                Err(_) => continue,
            }
            self.heard.insert(told.partner.log);
            answered.push(told.partner);
        }
        let known = self.write(move |work| merge::extend(work, steps)).await?;
        let logs: Vec<LogId> = answered.iter().map(|row| row.log).collect();
        let enough = self.read(move |view| is_enough(view, &logs)).await?;
        // What is known to be signed must be here; if that is not known, enough others must say so.
        if known < needs || (cause == Cause::Unknown && !enough) {
            return Ok(());
        }
        let mut at = from;
        while at < known {
            let (missing, end) = self.read(move |view| turn::missing(view, at, known)).await?;
            self.fill(&answered, &missing).await?;
            at = end;
        }
        let finished = self.write(merge::finish).await?;
        tracing::warn!(entries = finished.size, lost = finished.lost.len(), "our own log is whole again");
        Ok(())
    }

    /// Fetches the openings of some places from whoever has them; `false` if somebody did not answer.
    async fn fill(&self, answered: &[PartnerRow], missing: &[u64]) -> Result<bool, String> {
        let (Some(first), Some(last)) = (missing.first().copied(), missing.last().copied()) else { return Ok(true) };
        let mut openings = Openings::default();
        let mut all = true;
        for partner in answered {
            if missing.iter().all(|index| openings.is_whole(*index)) {
                break;
            }
            match self.openings(partner, first, last + 1, &mut openings).await {
                Ok(()) => {}
                Err(why) => {
                    tracing::info!(partner = %partner.origin.country(), %why, "it did not give back what it holds");
                    all = false;
                }
            }
        }
        if !openings.is_empty() {
            let unreleased = self.write(move |work| merge::restore(work, openings)).await?;
            if unreleased > 0 {
                tracing::warn!(unreleased, "statements whose audience is not known here stay unreleased");
            }
        }
        Ok(all)
    }

    /// Places that were lost may have been with a partner that was not heard then.
    async fn find_lost(&self, partner: &PartnerRow) -> Result<(), String> {
        let lost = self.read(|view| view.db.lost(view.me.log)).await?;
        for range in lost {
            let (mut at, end) = (range.first, range.first.saturating_add(range.count));
            while at < end {
                let (missing, next) = self.read(move |view| turn::missing(view, at, end)).await?;
                self.fill(std::slice::from_ref(partner), &missing).await?;
                at = next;
            }
        }
        Ok(())
    }

    async fn ask(&self, partners: Vec<PartnerRow>) -> Vec<Told> {
        let mut tasks = JoinSet::new();
        for partner in partners {
            let asking =
                Worker { node: self.node.clone(), transport: Arc::clone(&self.transport), heard: HashSet::new() };
            tasks.spawn(async move {
                let outcome = asking.found(&partner).await;
                Told { partner, outcome }
            });
        }
        let mut all = Vec::new();
        while let Some(told) = tasks.join_next().await {
            let Ok(told) = told else { continue };
            let held = match &told.outcome {
                Ok(Found::Within(size)) => Ok(*size),
                Ok(Found::Ahead(step)) => Ok(step.checkpoint.size),
                Ok(Found::Forked(evidence)) => Err(evidence.summary.clone()),
                Err(why) => Err(why.clone()),
            };
            self.node.recovery().note(told.partner.log, Answer { at: self.node.now(), held });
            all.push(told);
        }
        all
    }

    /// What one partner holds of our log, page by page.
    async fn found(&self, partner: &PartnerRow) -> Result<Found, String> {
        let mut replica = self.read(turn::start).await?;
        let mut over = false;
        for _ in 0..limits::RECOVERY_PAGES {
            let page = self.fetch(partner, turn::query(&replica)).await?;
            let (log, notes) = (partner.log, page.notes.clone());
            if !notes.is_empty() {
                self.write(move |work| gossip::hear(work, log, &notes)).await?;
            }
            match self.weigh(replica, page).await? {
                Weighed::Within(size) => return Ok(Found::Within(size)),
                Weighed::Ahead(step) => return Ok(Found::Ahead(step)),
                Weighed::Forked(evidence) => return Ok(Found::Forked(evidence)),
                Weighed::More(further) => replica = *further,
                Weighed::Elsewhere if !over => {
                    over = true;
                    replica = self.read(turn::start_over).await?;
                }
                Weighed::Elsewhere => return Err("what it sent does not give what our key signed".to_owned()),
                Weighed::Unfounded(why) => return Err(why),
            }
        }
        Err("its answer has no end".to_owned())
    }

    async fn weigh(&self, replica: Replica, page: FeedPage) -> Result<Weighed, String> {
        self.read(move |view| turn::weigh(view, &replica, page)).await
    }

    async fn openings(&self, partner: &PartnerRow, from: u64, until: u64, into: &mut Openings) -> Result<(), String> {
        let mut at = from;
        while at < until {
            let page = self.fetch(partner, turn::query_openings(at, until)).await?;
            let next = page.workflow_cursor.parse().ok().filter(|next| page.more && *next > at);
            let items = self.read(move |view| {
                let replica = turn::start(view)?;
                Ok(replica.openings(page.items, |index| view.db.commitment(view.me.log, index).ok().flatten()))
            });
            into.add(items.await?);
            at = next.unwrap_or(until);
        }
        Ok(())
    }

    async fn fetch(&self, partner: &PartnerRow, query: String) -> Result<FeedPage, String> {
        let to = PartnerAddress { address: partner.address.clone(), pins: partner.pins.clone() };
        // Within the rate that a partner answers.
        tokio::time::sleep(Duration::from_millis(limits::FETCH_PAUSE_MILLIS)).await;
        let bytes = self.transport.yours(&to, query).await.map_err(|error| error.reason)?;
        turn::read(&bytes)
    }

    async fn holders(&self) -> Result<Vec<PartnerRow>, String> {
        self.read(holders).await
    }

    async fn read<R, F>(&self, use_case: F) -> Result<R, String>
    where
        R: Send + 'static,
        F: FnOnce(&View<'_, '_>) -> Result<R, StoreError> + Send + 'static,
    {
        self.node.read(use_case).await.map_err(|error| error.to_string())
    }

    async fn write<R, E, F>(&self, use_case: F) -> Result<R, String>
    where
        R: Send + 'static,
        E: Into<RecoverError> + Send + 'static,
        F: FnOnce(&mut crate::work::Work<'_, '_>) -> Result<R, E> + Send + 'static,
    {
        let done = self.node.write(move |work| use_case(work).map_err(Into::into)).await;
        done.map_err(|error: WriteError<RecoverError>| error.to_string())
    }
}
