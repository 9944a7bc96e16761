//! Recovery as steps that do not wait: what to ask a partner, what its answer is worth. The worker drives them, and the
//! simulator, on one thread.

use journal::checkpoint::{self, Checkpoint};
use journal::sync::{Evidence, EvidenceKind, Outcome, Replica, Step};
use journal::tree::Frontier;
use journal::verified::Verified;
use journal::wire::{self, FeedPage, FeedRequest};
use model::{Commitment, Index};
use store::StoreError;

use crate::engine::root_at;
use crate::limits;
use crate::work::View;

/// What a partner's answer about our own log is worth.
#[derive(Debug)]
pub enum Weighed {
    /// It holds this many entries of ours, and they are a part of what we have.
    Within(u64),
    /// It holds more, and that goes on from where we are.
    Ahead(Box<Verified<Step>>),
    /// There is more to fetch before that is known.
    More(Box<Replica>),
    /// What it sent does not go on from where we are. No signature is on that: the whole is asked for.
    Elsewhere,
    /// Our key signed two histories.
    Forked(Box<Evidence>),
    /// It proves nothing.
    Unfounded(String),
}

/// Our own log as it stands here, to be gone on from.
///
/// # Errors
/// The database.
pub fn start(view: &View<'_, '_>) -> Result<Replica, StoreError> {
    let frontier = view.db.tree(view.me.log)?.frontier;
    replica(view, frontier)
}

/// Our own log from its beginning: to see where another history leaves ours.
///
/// # Errors
/// The database.
pub fn start_over(view: &View<'_, '_>) -> Result<Replica, StoreError> {
    replica(view, Frontier::default())
}

fn replica(view: &View<'_, '_>, frontier: Frontier) -> Result<Replica, StoreError> {
    Replica::new(view.me.origin.clone(), &view.me.identity.log_key, frontier)
        .map_err(|error| StoreError::Corrupt { what: format!("own log key: {error}") })
}

/// The query for commitments that go on from a replica.
#[must_use]
pub fn query(replica: &Replica) -> String {
    replica.request(None, None, 0).to_query()
}

/// The query for openings of places in `[from, until)`.
#[must_use]
pub fn query_openings(from: u64, until: u64) -> String {
    FeedRequest {
        have: until,
        workflow: Some(from.to_string()),
        intelligence: Some(until.to_string()),
        wait_seconds: 0,
        wire: wire::WIRE_VERSION,
    }
    .to_query()
}

/// Reads an answer as it came over the line.
///
/// # Errors
/// Why it is no page, in words.
pub fn read(bytes: &[u8]) -> Result<FeedPage, String> {
    crate::pull::turn::read(bytes)
}

/// Weighs a partner's page of our own log. It accuses nobody but our own key, and only by what our key signed.
///
/// # Errors
/// The database.
pub fn weigh(view: &View<'_, '_>, replica: &Replica, mut page: FeedPage) -> Result<Weighed, StoreError> {
    if page.checkpoint.is_empty() {
        return Ok(Weighed::Within(0));
    }
    page.items.clear();
    let note = page.checkpoint.clone();
    let signed = match checkpoint::verify_with_key(&note, &view.me.origin, &view.me.identity.log_key) {
        Ok(signed) => signed.into_inner(),
        Err(error) => return Ok(Weighed::Unfounded(format!("its checkpoint of our log does not hold: {error}"))),
    };
    let held = view.db.tree(view.me.log)?;
    if signed.size <= held.size {
        let same = root_at(view.db, view.me, signed.size)? == signed.root;
        return Ok(if same { Weighed::Within(signed.size) } else { forked(view, &signed, &note)? });
    }
    match replica.accept(page, |_| None) {
        Outcome::Verified(step) if step.frontier.size() == signed.size => beyond(view, held.size, &signed, &note, step),
        Outcome::Verified(step) => {
            let mut further = replica.clone();
            further.advance(&step);
            Ok(Weighed::More(Box::new(further)))
        }
        Outcome::Broken(evidence) if evidence.kind == EvidenceKind::Fork && replica.verified_size() > 0 => {
            Ok(Weighed::Elsewhere)
        }
        Outcome::Broken(evidence) => Ok(Weighed::Unfounded(evidence.summary)),
    }
}

/// A history that our key signed and that is longer than ours: does it go on from ours?
fn beyond(
    view: &View<'_, '_>,
    held: u64,
    signed: &Checkpoint,
    note: &str,
    step: Verified<Step>,
) -> Result<Weighed, StoreError> {
    if step.first == held {
        return Ok(Weighed::Ahead(Box::new(step)));
    }
    let mut at = 0;
    while at < held {
        let ours = view.db.commitments(view.me.log, at, limits::FEED_COMMITMENTS)?;
        if ours.is_empty() {
            break;
        }
        let from = usize::try_from(at).unwrap_or(usize::MAX);
        let theirs: &[Commitment] = step.commitments.get(from..from + ours.len()).unwrap_or_default();
        if theirs != ours {
            return forked(view, signed, note);
        }
        at += ours.len() as u64;
    }
    Ok(Weighed::Unfounded("it answered in two ways: it is asked again".to_owned()))
}

fn forked(view: &View<'_, '_>, signed: &Checkpoint, note: &str) -> Result<Weighed, StoreError> {
    let summary = format!("our key signed another history of {} entries than this node holds", signed.size);
    let evidence = Evidence::new(&view.me.origin, EvidenceKind::Fork, summary).with_theirs(note);
    Ok(Weighed::Forked(Box::new(match view.db.tree(view.me.log)?.checkpoint {
        Some(ours) => evidence.with_ours(&ours),
        None => evidence,
    })))
}

/// The places in `[from, until)` whose statement is not here, or is here without its body though nobody took it back;
/// at most [`limits::FEED_ITEMS`] places are looked at, and the second number says where to go on.
///
/// # Errors
/// The database.
pub fn missing(view: &View<'_, '_>, from: u64, until: u64) -> Result<(Vec<u64>, u64), StoreError> {
    let end = until.min(from.saturating_add(limits::FEED_ITEMS as u64));
    let rows = view.db.log_between(view.me.log, from, end, limits::FEED_ITEMS)?;
    let mut rows = rows.into_iter().peekable();
    let mut missing = Vec::new();
    for index in from..end {
        match rows.next_if(|row| row.index == Index(index)) {
            Some(row) if row.sealed.is_some() || view.db.withdrawal_of(row.id)?.is_some() => {}
            Some(_) | None => missing.push(index),
        }
    }
    Ok((missing, end))
}
