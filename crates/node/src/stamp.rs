//! Time stamps: an authority outside (RFC 3161) says by when our log had said something. Asked by configuration alone.
//!
//! What is stamped is a witnessed checkpoint if the log has witnesses, and else the newest signed one, so that a proof
//! holds cosignatures and stamp together. One request at a time; what is said meanwhile waits for the next.

use std::sync::Arc;
use std::time::Duration;

use journal::note;
use journal::stamp::{self, Authorities};
use model::Timestamp;
use store::{StampedRow, StoreError};
use tokio::sync::watch;

use crate::limits;
use crate::ports::{Boxed, TransportError, random_bytes};
use crate::work::View;
use crate::writer::Node;

/// The way to an authority: a request after RFC 3161 in, its answer out, unread.
pub trait TimeAuthority: Send + Sync {
    /// Asks for a time stamp.
    fn stamp(&self, request: Vec<u8>) -> Boxed<'_, Result<Vec<u8>, TransportError>>;
}

/// When a checkpoint is stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Each one that enough witnesses cosigned; each one that was signed if the log has no witnesses.
    Witnessed,
    /// The newest, once in so many hours.
    Hours(u32),
}

/// A checkpoint that is to be stamped.
struct Candidate {
    size: u64,
    note: String,
}

/// Has checkpoints stamped until `stop` says so.
pub async fn run(
    node: Node,
    authority: Arc<dyn TimeAuthority>,
    trusted: Authorities,
    every: Every,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let told = tokio::select! {
            told = once(&node, authority.as_ref(), &trusted, every) => told,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let pause = match told {
            Ok(_) => limits::STAMP_PAUSE_SECONDS,
            Err(why) => {
                tracing::warn!(%why, "no time stamp");
                limits::STAMP_RETRY_SECONDS
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(Duration::from_secs(pause)) => {}
        }
    }
}

/// Asks for one stamp, if one is due; says whether one came.
///
/// # Errors
/// Why none came, in words; the next turn asks again.
pub async fn once(
    node: &Node,
    authority: &dyn TimeAuthority,
    trusted: &Authorities,
    every: Every,
) -> Result<bool, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let due = node.read(move |view| due(view, every)).await.map_err(|error: StoreError| told(&error))?;
    let Some(candidate) = due else { return Ok(false) };
    let Some(text) = note::text_of(&candidate.note).map(str::to_owned) else { return Ok(false) };
    let drawn = node.write(|work| Ok::<_, StoreError>(u64::from_be_bytes(random_bytes(work.random))));
    let nonce = drawn.await.map_err(|error| told(&error))?;
    let reply = authority.stamp(stamp::request(&text, nonce)).await.map_err(|error| error.reason)?;
    let token = stamp::token(&reply).map_err(|error| told(&error))?;
    let stamped = stamp::verify(token, &text, Some(nonce), trusted).map_err(|error| told(&error))?;
    let note = format!("{}{}", candidate.note, stamp::line(token));
    if note.len() > journal::limits::NOTE_BYTES {
        return Err("the token does not fit under a checkpoint: choose an authority with a shorter chain".to_owned());
    }
    let row = StampedRow { size: candidate.size, note, at: stamped.at };
    node.write(move |work| work.tx.put_stamped(&row))
        .await
        .map_err(|error: crate::WriteError<StoreError>| told(&error))?;
    Ok(true)
}

fn due(view: &View<'_, '_>, every: Every) -> Result<Option<Candidate>, StoreError> {
    let candidate = if view.db.witnesses()?.is_empty() {
        Candidate { size: view.signed.size, note: view.signed.text.clone() }
    } else {
        match view.db.witnessed(view.me.log)? {
            Some(row) => Candidate { size: row.size, note: row.note },
            None => return Ok(None),
        }
    };
    let last = view.db.stamped()?;
    let newer = candidate.size > last.as_ref().map_or(0, |row| row.size);
    let waited = match (every, last) {
        (Every::Hours(hours), Some(last)) => is_over(last.at, hours, view.now),
        (Every::Witnessed | Every::Hours(_), _) => true,
    };
    Ok((newer && waited).then_some(candidate))
}

fn is_over(last: Timestamp, hours: u32, now: Timestamp) -> bool {
    last.plus_seconds(i64::from(hours) * 3_600) <= now
}
