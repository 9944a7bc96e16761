//! What commits the nation, as the API takes it: said at once where one person is enough, else tried out, and kept until a
//! second person decides (`node::commit`).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::commit;
use model::EntryRef;
use model::commit::{Act, Extent};
use model::extension::assistance::Answer;
use node::assist::{self, Spoken};
use node::commit::{self as use_case, CommitError, Outcome, Signature, Tried};
use node::{Work, WriteError};
use serde::de::DeserializeOwned;

use super::super::App;
use super::super::acts::Awaiting;
use super::super::idempotency::{self, Bound};
use super::super::refusal::Refusal;
use super::told;
use super::words::{Accept, Amend, AskFor, MissionNews, Next, Reply, StepWord};
use crate::server::session::Caller;

/// One command of `/assistance` that commits the nation, or might.
#[derive(Debug, Clone)]
pub enum Command {
    /// A call for help.
    Ask(Box<AskFor>),
    /// A new version of it.
    Amend(EntryRef, Amend),
    /// An answer.
    Reply(EntryRef, Reply),
    /// An acceptance.
    Accept(EntryRef, Accept),
    /// A step of an agreement.
    Step(EntryRef, Next),
    /// News of a mission.
    Mission(EntryRef, MissionNews),
}

impl Command {
    /// Which act it is; `None` if it commits to nothing.
    #[must_use]
    pub fn act(&self) -> Option<Act> {
        match self {
            Self::Ask(_) => Some(Act::Ask),
            Self::Amend(..) => Some(Act::Amend),
            Self::Reply(_, reply) => (reply.answer == Answer::Yes).then_some(Act::Offer),
            Self::Accept(..) => Some(Act::Accept),
            Self::Step(_, next) => match next.step {
                StepWord::Countersign => Some(Act::Countersign),
                StepWord::Decline => None,
                StepWord::Retract | StepWord::Acknowledge | StepWord::End => Some(Act::End),
            },
            Self::Mission(..) => Some(Act::Mission),
        }
    }

    /// What it is about.
    #[must_use]
    pub const fn entry(&self) -> Option<EntryRef> {
        match self {
            Self::Ask(_) => None,
            Self::Amend(entry, _)
            | Self::Reply(entry, _)
            | Self::Accept(entry, _)
            | Self::Step(entry, _)
            | Self::Mission(entry, _) => Some(*entry),
        }
    }

    /// Reads what was kept of an act until a second person decided.
    ///
    /// # Errors
    /// It was kept by another version of this program.
    pub fn kept(act: Act, entry: Option<&str>, body: &[u8]) -> Result<Self, Refusal> {
        if act == Act::Ask {
            return Ok(Self::Ask(Box::new(read(body)?)));
        }
        let entry: EntryRef = entry.and_then(|text| text.parse().ok()).ok_or(CommitError::Erased)?;
        Ok(match act {
            Act::Amend => Self::Amend(entry, read(body)?),
            Act::Offer => Self::Reply(entry, read(body)?),
            Act::Accept => Self::Accept(entry, read(body)?),
            Act::Countersign | Act::End => Self::Step(entry, read(body)?),
            Act::Mission => Self::Mission(entry, read(body)?),
            Act::Ask | Act::Rules => return Err(CommitError::Erased.into()),
        })
    }

    /// Says it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn perform(self, work: &mut Work<'_, '_>, signature: &Signature) -> Result<Spoken, Refusal> {
        Ok(match self {
            Self::Ask(asked) => assist::ask(work, &asked.read()?, signature)?,
            Self::Amend(name, amend) => {
                let change = amend.read()?;
                let place = assist::place_of(work, name)?;
                assist::amend(work, &place, signature, |request| change.apply(request))?
            }
            Self::Reply(name, reply) => {
                let place = assist::place_of(work, name)?;
                let reply = reply.read(work)?;
                assist::reply(work, &place, &reply, signature)?
            }
            Self::Accept(name, accepted) => {
                let place = assist::place_of(work, name)?;
                let lines = accepted.taken();
                assist::accept(work, &place, &lines, accepted.terms, (accepted.emergency, signature))?
            }
            Self::Step(name, next) => {
                let place = assist::place_of(work, name)?;
                assist::follow_up(work, &place, next.read(), signature)?
            }
            Self::Mission(name, news) => {
                let place = assist::place_of(work, name)?;
                assist::mission(work, &place, &news.read(), signature)?
            }
        })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| CommitError::Erased.into())
}

/// Says a command, or keeps it until a second person decides.
///
/// # Errors
/// What the use case says.
pub async fn say(app: &App, caller: &Caller, bound: Bound, command: Command, body: Bytes) -> Result<Response, Refusal> {
    let (tried, first) = (command.clone(), bound.clone());
    let actor = caller.actor.clone();
    let said = app.node().write(move |work| {
        if let Some(answer) = first.answered(work).map_err(Tried::Refused)? {
            return Ok(answer);
        }
        let asked = use_case::two_persons(work.tx)?;
        if tried.act().is_some_and(|act| asked.contains(&act)) {
            return Err(use_case::try_out(work, &actor, |work, signature| tried.perform(work, signature)));
        }
        let spoken = tried.perform(work, &Signature::ONE_PERSON).map_err(Tried::Refused)?;
        answer(work, &first, &told(work, &spoken)).map_err(Tried::Refused)
    });
    match said.await {
        Ok(text) => Ok(answered(text)),
        Err(WriteError::Refused(Tried::Refused(refusal))) => Err(refusal),
        Err(WriteError::Refused(Tried::Fits(extent))) => {
            in_two_steps(app, caller, bound, (command, extent), body).await
        }
        Err(WriteError::Busy) => Err(WriteError::<Refusal>::Busy.into()),
        Err(WriteError::Silent(silent)) => Err(WriteError::<Refusal>::Silent(silent).into()),
        Err(WriteError::Stopped(stopped)) => Err(WriteError::<Refusal>::Stopped(stopped).into()),
    }
}

async fn in_two_steps(
    app: &App,
    caller: &Caller,
    bound: Bound,
    (command, extent): (Command, Extent),
    body: Bytes,
) -> Result<Response, Refusal> {
    let Some(act) = command.act() else { return Err(Refusal::not_found()) };
    let actor = caller.actor.clone();
    let entry = command.entry().map(|entry| entry.to_string());
    let said = app.write(move |work| {
        if let Some(answer) = bound.answered(work)? {
            return Ok(answer);
        }
        let done = use_case::say_within(work, &actor, (act, &extent), entry.clone(), |work, signature| {
            command.perform(work, signature)
        })?;
        match done {
            Outcome::Said(spoken) => answer(work, &bound, &told(work, &spoken)),
            Outcome::Second => {
                let row = use_case::hold(work, &actor, (act, &extent), entry, body.to_vec())?;
                answer(work, &bound, &Awaiting::of(&row))
            }
        }
    });
    Ok(answered(said.await?))
}

fn answer<T: serde::Serialize>(work: &Work<'_, '_>, bound: &Bound, value: &T) -> Result<String, Refusal> {
    let text = idempotency::to_json(value);
    bound.remember(work, &text)?;
    Ok(text)
}

/// What waits was taken, and is not done (RFC 9110 §15.3.3).
fn answered(text: String) -> Response {
    let waits = text.starts_with("{\"awaiting\":");
    let response = idempotency::json(text);
    if waits { (StatusCode::ACCEPTED, response).into_response() } else { response }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        let slug = "two-persons";
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Unknown | CommitError::NoAuthority => Self::not_found(),
            CommitError::NotAPerson
            | CommitError::TwoPersons(_)
            | CommitError::NeverAlone
            | CommitError::NoSecond
            | CommitError::OwnAuthority
            | CommitError::Misplaced(commit::Misplaced::SamePerson | commit::Misplaced::AnotherPerson) => {
                Self::kind(StatusCode::CONFLICT, slug, "Two persons decide this", &error)
            }
            CommitError::Misplaced(_) | CommitError::Waiting | CommitError::Erased | CommitError::Changed => {
                Self::kind(StatusCode::CONFLICT, slug, "This can't be decided now", &error)
            }
            CommitError::Field(_) => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, slug, "A field is out of its range", &error)
            }
        }
    }
}
