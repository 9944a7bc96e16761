//! Pulling: one task a partner long-polls its feed, verifies each page against its log, and has it received.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::identity::SignedIdentity;
use journal::sync::{Evidence, EvidenceKind, Replica, Step};
use journal::verified::Verified;
use journal::wire::FeedPage;
use model::{Origin, Timestamp};
use serde::Serialize;
use store::{LogId, PartnerState};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument;

use crate::gossip;
use crate::identities;
use crate::limits;
use crate::partner::PartnerError;
use crate::ports::{PartnerAddress, Transport};
use crate::receive;
use crate::writer::Node;

pub mod turn;
use turn::{Checked, Start, Taken};

/// How we stand with one partner's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Lag {
    /// We hold all that its newest checkpoint covers and that is for us.
    InStep {
        /// When it last answered.
        heard: Timestamp,
    },
    /// It has more for us, and we are fetching.
    Behind {
        /// Entries of its log that we have not verified yet.
        entries: u64,
        /// When it last answered.
        heard: Timestamp,
    },
    /// It does not answer.
    NotHeard {
        /// Since when; `None` if it has never answered since this node started.
        since: Option<Timestamp>,
        /// Why, in words.
        why: String,
    },
    /// It is held: people decide.
    Held {
        /// Why, in words.
        why: String,
    },
}

/// The lag of every partner, kept by the tasks that pull and read by screens. Memory only: it is about this run.
#[derive(Debug, Default)]
pub struct Lags(Mutex<HashMap<LogId, Lag>>);

impl Lags {
    /// The lag of one partner; `None` before its first poll.
    #[must_use]
    pub fn of(&self, log: LogId) -> Option<Lag> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&log).cloned()
    }
    fn set(&self, log: LogId, lag: Lag) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(log, lag);
    }
    fn heard(&self, log: LogId) -> Option<Timestamp> {
        match self.of(log)? {
            Lag::InStep { heard } | Lag::Behind { heard, .. } => Some(heard),
            Lag::NotHeard { since, .. } => since,
            Lag::Held { .. } => None,
        }
    }
}

/// Pulls from every active partner until `stop` says so. Partners that are added later are picked up.
pub async fn run(node: Node, transport: Arc<dyn Transport>, mut stop: watch::Receiver<bool>) {
    let mut tasks: HashMap<LogId, tokio::task::JoinHandle<()>> = HashMap::new();
    loop {
        let changed = node.partners_changed();
        match node.read(|view| view.db.partners()).await {
            Ok(partners) => {
                for partner in partners.into_iter().filter(|partner| partner.state == PartnerState::Active) {
                    let ended = tasks.get(&partner.log).is_none_or(tokio::task::JoinHandle::is_finished);
                    if ended {
                        let pull = Pull { node: node.clone(), transport: Arc::clone(&transport), log: partner.log };
                        tasks.insert(
                            partner.log,
                            tokio::spawn(pull.run(partner.origin, stop.clone()).in_current_span()),
                        );
                    }
                }
            }
            Err(error) => tracing::error!(%error, "partners could not be read"),
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            () = changed => {}
        }
    }
    for task in tasks.into_values() {
        task.abort();
    }
}

/// What a turn of a pull ended in.
#[derive(Debug)]
enum Turn {
    /// Ask again at once.
    Again,
    /// The partner is no longer active: the task ends.
    Over,
    /// Something failed; ask again after a pause.
    Failed(String),
}

/// What one turn leaves to the next.
#[derive(Default)]
struct Kept {
    /// What is verified of the log, which saves reading the tree again.
    replica: Option<Replica>,
    /// What the partner told us last of common logs, and when it was looked at.
    notes: Vec<String>,
    heard: Option<Instant>,
}

impl Kept {
    /// Is it worth a transaction? Not the same again, nor faster than an honest partner tells.
    fn is_news(&mut self, notes: &[String], now: Instant) -> bool {
        let pause = Duration::from_millis(limits::HEAR_MILLIS);
        let soon = self.heard.is_some_and(|at| now.duration_since(at) < pause);
        if notes.is_empty() || soon || notes == self.notes {
            return false;
        }
        self.notes = notes.to_vec();
        self.heard = Some(now);
        true
    }
}

struct Pull {
    node: Node,
    transport: Arc<dyn Transport>,
    log: LogId,
}

impl Pull {
    async fn run(self, origin: Origin, mut stop: watch::Receiver<bool>) {
        let mut pause = limits::BACKOFF_MILLIS.0;
        let mut kept = Kept::default();
        loop {
            let turn = tokio::select! {
                turn = self.turn(&origin, &mut kept) => turn,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match turn {
                Turn::Again => pause = limits::BACKOFF_MILLIS.0,
                Turn::Over => return,
                Turn::Failed(why) => {
                    kept.replica = None;
                    let since = self.node.lags().heard(self.log);
                    tracing::debug!(partner = %origin.country(), %why, "no answer");
                    self.node.lags().set(self.log, Lag::NotHeard { since, why });
                    tokio::time::sleep(Duration::from_millis(jitter(pause, self.node.now()))).await;
                    pause = (pause * 2).min(limits::BACKOFF_MILLIS.1);
                }
            }
        }
    }

    async fn turn(&self, origin: &Origin, kept: &mut Kept) -> Turn {
        let (log, whose, replica) = (self.log, origin.clone(), kept.replica.take());
        let start = match self.node.read(move |view| turn::start(view, log, &whose, replica)).await {
            Ok(Some(start)) => start,
            Ok(None) => return Turn::Over,
            Err(error) => return Turn::Failed(error.to_string()),
        };
        let bytes = match self.transport.releases(&start.address, start.query()).await {
            Ok(bytes) => bytes,
            Err(error) => return Turn::Failed(error.reason),
        };
        match turn::read(&bytes) {
            Ok(page) => self.accept(start, page, kept).await,
            Err(why) => Turn::Failed(why),
        }
    }

    /// A signature of a key that we do not know may be of one that we have not heard of yet: has its root key signed
    /// another identity? Only what supersedes the one that we hold counts, so a thief gains nothing by it.
    async fn has_new_identity(&self, address: &PartnerAddress, known: u64) -> bool {
        let Ok(bytes) = self.transport.identity(address).await else { return false };
        let Ok(signed) = SignedIdentity::from_bytes(&bytes) else { return false };
        let log = self.log;
        let taken = self.node.write(move |work| {
            identities::take(work, &signed)?;
            // It may have come by another way meanwhile: what counts is that it is another than this page was checked by.
            Ok::<_, PartnerError>(work.tx.partner(log)?.is_some_and(|row| row.identity_version > known))
        });
        let is_new = taken.await.unwrap_or(false);
        if is_new {
            self.node.tell_partners_changed();
        }
        is_new
    }

    async fn accept(&self, start: Start, page: FeedPage, kept: &mut Kept) -> Turn {
        let (log, held) = (self.log, start.replica);
        let checked = self.node.read(move |view| {
            let held = turn::with_keys_of_now(view, log, held)?;
            turn::check(view, log, &held, page).map(|checked| (held, checked))
        });
        let checked = checked.await;
        match checked {
            Ok((held, Checked::Step(step))) => self.take(held, *step, kept).await,
            Ok((_, Checked::Hold(evidence))) => {
                if evidence.kind == EvidenceKind::BadSignature
                    && self.has_new_identity(&start.address, start.version).await
                {
                    return Turn::Again;
                }
                self.hold(*evidence).await
            }
            Ok((_, Checked::Failed(why))) => Turn::Failed(why),
            Err(error) => Turn::Failed(error.to_string()),
        }
    }

    async fn take(&self, mut replica: Replica, step: Verified<Step>, kept: &mut Kept) -> Turn {
        let log = self.log;
        let (size, more) = (step.checkpoint.size, step.more);
        let notes = step.notes.clone();
        replica.advance(&step);
        let quiet = step.commitments.is_empty() && step.items.is_empty();
        let taken = if quiet {
            Taken::Kept
        } else {
            turn::taken(self.node.write(move |work| receive::receive(work, log, step)).await)
        };
        match taken {
            Taken::Kept => {
                if kept.is_news(&notes, Instant::now())
                    && let Err(error) = self.node.write(move |work| gossip::hear(work, log, &notes)).await
                {
                    return Turn::Failed(error.to_string());
                }
                let heard = self.node.now();
                let missing = size - replica.verified_size();
                let lag =
                    if more || missing > 0 { Lag::Behind { entries: missing, heard } } else { Lag::InStep { heard } };
                self.node.lags().set(log, lag);
                kept.replica = Some(replica);
                Turn::Again
            }
            Taken::Moved => Turn::Again,
            Taken::Over => Turn::Over,
            Taken::Hold(evidence) => self.hold(*evidence).await,
            Taken::Failed(why) => Turn::Failed(why),
        }
    }

    async fn hold(&self, evidence: Evidence) -> Turn {
        let log = self.log;
        tracing::warn!(partner = %evidence.origin, kind = evidence.kind.word(), "held, with evidence");
        self.node.lags().set(log, Lag::Held { why: evidence.summary.clone() });
        match self.node.write(move |work| receive::hold(work, log, &evidence)).await {
            Ok(()) => Turn::Over,
            Err(error) => Turn::Failed(error.to_string()),
        }
    }
}

/// Half to the whole of a pause, by the clock's low digits: enough to keep 27 nations from knocking in step.
fn jitter(pause: u64, now: Timestamp) -> u64 {
    let spread = now.micros().unsigned_abs() % (pause / 2 + 1);
    pause / 2 + spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gossip_costs_a_transaction_only_when_it_is_new_and_not_too_often() {
        let (one, two) = (vec!["one".to_owned()], vec!["two".to_owned()]);
        let begin = Instant::now();
        let later = begin + Duration::from_millis(limits::HEAR_MILLIS);
        let mut kept = Kept::default();
        assert!(!kept.is_news(&[], begin));
        assert!(kept.is_news(&one, begin));
        assert!(!kept.is_news(&two, begin), "too soon");
        assert!(!kept.is_news(&one, later), "nothing new");
        assert!(kept.is_news(&two, later));
    }
}
