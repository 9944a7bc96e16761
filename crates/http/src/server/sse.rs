//! Server-sent events (WHATWG HTML §9.2): one stream a screen, fed by the node's own count of commits.

use std::convert::Infallible;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use node::Node;
use node::writer::Change;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::Closing;
use super::api::events::{Changed, Ticked};
use super::api::limits;

/// What one stream knows.
struct Listening {
    node: Node,
    changes: watch::Receiver<Change>,
    told: Option<Change>,
    closing: Option<Closing>,
    until: Instant,
    paces: bool,
}

/// A stream of changes. `last` is the caller's `Last-Event-ID`: whoever is behind, or has none, is told at once.
pub fn changes(node: &Node, closing: Option<Closing>, last: Option<&str>) -> Response {
    let changes = node.changes();
    let now = *changes.borrow();
    let told = (last == Some(id(now).as_str())).then_some(now);
    let node = node.clone();
    let listening =
        Listening { node, changes, told, closing, until: Instant::now() + limits::EVENTS_LIFE, paces: false };
    let events = stream::unfold(listening, |mut listening| async move {
        let event = match listening.next().await? {
            News::Change(change) => event(change),
            News::Time => time(&listening.node),
        };
        Some((Ok::<_, Infallible>(event), listening))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(limits::EVENTS_COMMENT).text("")).into_response()
}

/// What a stream tells.
enum News {
    /// Something was committed.
    Change(Change),
    /// Nothing was, and the node is there.
    Time,
}

/// Without an id: it is no place from which a stream could go on.
fn time(node: &Node) -> Event {
    let data = Ticked { now: node.now().to_string() };
    Event::default().event("time").data(super::api::idempotency::to_json(&data))
}

fn id(change: Change) -> String {
    format!("{}.{}", change.commits, change.signed)
}

fn event(change: Change) -> Event {
    let data = Changed { signed: change.signed, commits: change.commits };
    Event::default().event("change").id(id(change)).data(super::api::idempotency::to_json(&data))
}

impl Listening {
    /// The next change or the time, or `None` when the stream ends.
    async fn next(&mut self) -> Option<News> {
        let ticks = Instant::now() + limits::EVENTS_TIME;
        // An import commits a hundred times a second; a screen that loads anew each time would never be still.
        if std::mem::replace(&mut self.paces, true) {
            sleep(limits::EVENTS_PACE).await;
        }
        loop {
            let now = *self.changes.borrow_and_update();
            if self.told != Some(now) {
                self.told = Some(now);
                return Some(News::Change(now));
            }
            let closing = self.closing.clone();
            let closed = async move {
                match closing {
                    Some(closing) => closing.wait().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                () = closed => return None,
                () = sleep_until(ticks) => return Some(News::Time),
                () = sleep_until(self.until) => return None,
            }
        }
    }
}
