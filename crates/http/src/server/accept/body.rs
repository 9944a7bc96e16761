//! Bodies in and out: requests must come in time, answers must be read.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body as AxumBody;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits;
use crate::problem::Problem;

/// Reads a request's whole body of at most `limit` bytes; the listener's own limit holds as well.
///
/// # Errors
/// The problem to answer with: 413 if it is larger, 408 if it came too slowly, 400 if it broke off.
pub async fn read_body(body: AxumBody, limit: usize) -> Result<Bytes, Problem> {
    let error = match Limited::new(body, limit).collect().await {
        Ok(collected) => return Ok(collected.to_bytes()),
        Err(error) => error,
    };
    let mut reason: Option<&(dyn Error + 'static)> = Some(error.as_ref());
    while let Some(error) = reason {
        if error.is::<LengthLimitError>() {
            return Err(Problem::too_large(limit));
        }
        if let Some(InboundError::TooSlow) = error.downcast_ref() {
            return Err(Problem::too_slow());
        }
        reason = error.source();
    }
    Err(Problem::bad_request("the request body broke off: send it again"))
}

/// Why reading a request's body ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum InboundError {
    /// Too long silent, or too long altogether.
    #[error("the request body came too slowly")]
    TooSlow,
    /// The connection broke.
    #[error("the request body broke off")]
    Broken(#[source] hyper::Error),
}

/// A request's body that must come in time.
#[derive(Debug)]
pub(super) struct Inbound {
    inner: Incoming,
    idle: Duration,
    total: Duration,
    // Both only once the body is waited for: most requests have none.
    end: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Inbound {
    pub(super) fn new(inner: Incoming, idle: Duration, total: Duration) -> Self {
        Self { inner, idle, total, end: None, timer: None }
    }
}

impl Body for Inbound {
    type Data = Bytes;
    type Error = InboundError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, InboundError>>> {
        let total = self.total;
        let end = *self.end.get_or_insert_with(|| Instant::now() + total);
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(InboundError::Broken)));
        }
        let until = end.min(Instant::now() + self.idle);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(InboundError::TooSlow)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The answers of one connection that lie unread: when each was last handed a piece.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    start: Instant,
    open: Arc<Mutex<Vec<Weak<AtomicU64>>>>,
}

/// Nothing is lying: the answer waits for us, not for its reader.
const SETTLED: u64 = u64::MAX;

impl Ledger {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), open: Arc::default() }
    }

    /// Waits until some answer has lain unread for `stall`; for ever if none does.
    pub(super) async fn stalled(&self, stall: Duration) {
        let tick = (stall / 4).max(Duration::from_millis(1));
        loop {
            tokio::time::sleep(tick).await;
            let limit = self.now().saturating_sub(millis(stall));
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|debt| debt.strong_count() > 0);
            let lies = |debt: &Weak<AtomicU64>| debt.upgrade().is_some_and(|d| d.load(Ordering::Relaxed) < limit);
            if open.iter().any(lies) {
                return;
            }
        }
    }

    /// Watches an answer's body.
    pub(super) fn watch(&self, inner: AxumBody) -> Outbound {
        let debt = Arc::new(AtomicU64::new(SETTLED));
        if !inner.is_end_stream() {
            debt.store(self.now(), Ordering::Relaxed);
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|debt| debt.strong_count() > 0);
            open.push(Arc::downgrade(&debt));
        }
        Outbound { inner, rest: Bytes::new(), debt, ledger: self.clone() }
    }

    fn now(&self) -> u64 {
        millis(self.start.elapsed())
    }
}

/// An answer's body, handed out in pieces of at most [`limits::PIECE_BYTES`], with a note of when.
///
/// HTTP/1.1 and HTTP/2 both ask for the next piece only when there is room for it, so a piece that was handed out with
/// no question after it lies unread at the other end.
#[derive(Debug)]
pub(super) struct Outbound {
    inner: AxumBody,
    rest: Bytes,
    debt: Arc<AtomicU64>,
    ledger: Ledger,
}

impl Outbound {
    fn piece(&mut self) -> Frame<Bytes> {
        let size = self.rest.len().min(limits::PIECE_BYTES);
        self.debt.store(self.ledger.now(), Ordering::Relaxed);
        Frame::data(self.rest.split_to(size))
    }
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.piece())));
        }
        // From here on the reader has asked, and it is ours to answer.
        self.debt.store(SETTLED, Ordering::Relaxed);
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(match frame?.into_data() {
            Ok(data) => {
                self.rest = data;
                Ok(self.piece())
            }
            Err(trailers) => Ok(trailers),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const SHORT: Duration = Duration::from_millis(40);
    const LONG: Duration = Duration::from_millis(400);

    #[tokio::test]
    async fn an_answer_comes_whole_and_in_pieces() {
        let bytes = Bytes::from(vec![7; limits::PIECE_BYTES * 2 + 5]);
        let mut body = Ledger::new().watch(AxumBody::from(bytes.clone()));
        let mut got = Vec::new();
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(piece.len() <= limits::PIECE_BYTES);
            got.extend_from_slice(&piece);
            assert_eq!(body.size_hint().exact(), Some((bytes.len() - got.len()) as u64));
        }
        assert_eq!(got, bytes);
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn only_what_lies_unread_counts_as_stalled() {
        let ledger = Ledger::new();
        let waiting = AxumBody::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        let mut waiting = ledger.watch(waiting);
        assert!(timeout(SHORT / 8, waiting.frame()).await.is_err());
        assert!(timeout(LONG, ledger.stalled(SHORT)).await.is_err(), "the reader waits for us");
        let mut lying = ledger.watch(AxumBody::from("unread"));
        assert!(lying.frame().await.is_some());
        assert!(timeout(LONG, ledger.stalled(SHORT)).await.is_ok(), "we wait for the reader");
        drop(lying);
        assert!(timeout(LONG, ledger.stalled(SHORT)).await.is_err(), "a finished answer lies nowhere");
    }
}
