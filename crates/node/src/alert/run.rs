//! The worker: looks at what happened, climbs ladders, and sends what is due through the outlets.

use std::sync::Arc;
use std::time::Duration;

use domain::ladder::Due;
use model::Timestamp;
use store::{NoticeFate, NoticeRow, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::climb::Outgoing;
use super::say::{self, Unsaid};
use super::{climb, load, watch as watching};
use crate::limits;
use crate::ports::{Outlet, OutletError};
use crate::work::{View, Work};
use crate::writer::{Node, WriteError};

/// What notices say beside number and label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// With what links begin: `https://fr.example:7442`.
    pub address: Option<String>,
    /// The number that is called by whoever can't log in.
    pub call: Option<String>,
}

/// When there is something to be done.
enum Todo {
    Now(Vec<Unsaid>),
    At(Timestamp),
    Nothing,
}

fn todo(view: &View<'_, '_>) -> Result<Todo, StoreError> {
    let unsaid = say::unsaid(view)?;
    if !unsaid.is_empty() || watching::is_due(view.db, view.me, &view.signed.standing, view.now)? {
        return Ok(Todo::Now(unsaid));
    }
    let mut next: Option<Timestamp> = None;
    for row in view.db.open_alerts()? {
        match load(view.db, row)?.due(view.now) {
            Due::Notify(_) | Due::GiveUp => return Ok(Todo::Now(unsaid)),
            Due::Wait(until) => next = Some(next.map_or(until, |next| next.min(until))),
            Due::Nothing => {}
        }
    }
    Ok(next.map_or(Todo::Nothing, Todo::At))
}

fn turn(work: &mut Work<'_, '_>, words: &Words) -> Result<Vec<Outgoing>, StoreError> {
    watching::look(work)?;
    climb::climb(work, words)
}

/// Wakes people until `stop` says so.
pub async fn run(node: Node, outlets: Vec<Arc<dyn Outlet>>, words: Words, mut stop: watch::Receiver<bool>) {
    let mut sending: JoinSet<NoticeRow> = JoinSet::new();
    let unknown = node.write_quietly(|work| work.tx.notices_unknown()).await;
    if let Err(error) = unknown {
        tracing::error!(%error, "notices that were on their way could not be looked at");
    }
    loop {
        let mut changes = node.changes();
        changes.mark_unchanged();
        let pause = match act(&node, &outlets, &words, &mut sending).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "alerts could not be looked at");
                limits::ALERT_SECONDS
            }
        };
        let sent = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = changes.changed() => None,
            Some(sent) = sending.join_next(), if !sending.is_empty() => Some(sent),
            () = tokio::time::sleep(Duration::from_secs(pause)) => None,
        };
        if let Some(sent) = sent {
            if let Ok(row) = sent {
                note(&node, row).await;
            }
            continue;
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(Duration::from_millis(limits::ALERT_MILLIS)) => {}
        }
    }
}

/// Does what is due; answers how many seconds may pass until the next look.
async fn act(
    node: &Node,
    outlets: &[Arc<dyn Outlet>],
    words: &Words,
    sending: &mut JoinSet<NoticeRow>,
) -> Result<u64, String> {
    match node.read(todo).await.map_err(|error| error.to_string())? {
        Todo::Nothing => return Ok(limits::ALERT_SECONDS),
        Todo::At(at) => {
            let micros = u64::try_from(at.micros() - node.now().micros()).unwrap_or(0);
            // A clock that is set forward, as in an exercise, is seen after a while.
            return Ok((micros / 1_000_000 + 1).min(limits::ALERT_SECONDS));
        }
        Todo::Now(unsaid) => say_all(node, unsaid).await,
    }
    let words = words.clone();
    let out = node.write(move |work| turn(work, &words)).await;
    for Outgoing { channel, notice, row } in out.map_err(|error| error.to_string())? {
        let outlet = outlets.iter().find(|outlet| outlet.channel() == channel).cloned();
        sending.spawn(async move {
            let told = match outlet {
                Some(outlet) => outlet.send(notice).await,
                None => Err(OutletError { reason: format!("no {channel} is configured") }),
            };
            let (fate, why) = match told {
                Ok(()) => (NoticeFate::Sent, None),
                Err(error) => (NoticeFate::Failed, Some(error.reason)),
            };
            NoticeRow { fate, why, ..row }
        });
    }
    Ok(0)
}

/// Each on its own: what can't be said must not keep another from being said.
async fn say_all(node: &Node, unsaid: Vec<Unsaid>) {
    for one in unsaid {
        let said = one.clone();
        match node.write(move |work| say::say(work, &said)).await {
            Ok(()) => {}
            Err(WriteError::Refused(error)) => {
                tracing::warn!(%error, "it can't be said that somebody is awake");
                if let Err(error) = node.write(move |work| say::pass_over(work, &one)).await {
                    tracing::error!(%error, "it could not be noted that it can't be said");
                }
            }
            Err(error @ (WriteError::Busy | WriteError::Silent(_) | WriteError::Stopped(_))) => {
                tracing::warn!(%error, "it is said later that somebody is awake");
                return;
            }
        }
    }
}

async fn note(node: &Node, row: NoticeRow) {
    if row.fate == NoticeFate::Failed {
        tracing::warn!(alert = %row.alert, channel = %row.channel, why = row.why.as_deref(), "a notice did not go out");
    }
    if let Err(error) = node.write(move |work| work.tx.put_notice(&row)).await {
        let error: WriteError<StoreError> = error;
        tracing::error!(%error, "it could not be noted what became of a notice");
    }
}
