//! Two persons decide about our own log: one proposes, another confirms. Machines decide nothing here.

use serde::{Deserialize, Serialize};
use store::StoreError;

use super::merge::{self, Finished, RecoverError};
use crate::actor::Actor;
use crate::limits;
use crate::standing::{Cause, Standing};
use crate::work::{View, Work};

/// What two persons may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Nobody knows what was signed last, and nobody has more: speak from what is here.
    Speak,
    /// The other copy is switched off: fetch what it said from partners, then speak.
    Resume,
}

impl Decision {
    /// The word in the API and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Speak => "speak",
            Self::Resume => "resume",
        }
    }
    /// The decision of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Speak, Self::Resume].into_iter().find(|one| one.word() == word)
    }
}

/// What one person has proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What.
    pub decision: Decision,
    /// The account.
    pub person: i64,
    /// Its login.
    pub login: String,
    /// When, microseconds since 1970.
    pub at: i64,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// What is short of being recovered, or the database.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The machine itself, or a program without an account.
    #[error("two persons decide this, each with an account: log in to the pages, or use --url with a token of yours")]
    NotAPerson,
    /// There is nothing of that sort to decide.
    #[error("{0}")]
    NotNow(&'static str),
}

impl From<StoreError> for DecideError {
    fn from(error: StoreError) -> Self {
        Self::Recover(error.into())
    }
}

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It waits for another person.
    Proposed,
    /// It was carried out.
    Done(Option<Finished>),
}

/// The setting that holds the proposal.
const PROPOSAL: &str = "own-log-proposal";

/// The proposal that waits for a second person, if it is not too old.
///
/// # Errors
/// The database.
pub fn proposal(view: &View<'_, '_>) -> Result<Option<Proposal>, StoreError> {
    waiting(view.db, view.now.micros())
}

fn waiting(db: &store::Db<'_>, now: i64) -> Result<Option<Proposal>, StoreError> {
    let kept = db.setting(PROPOSAL)?.unwrap_or_default();
    let proposal: Option<Proposal> = serde_json::from_str(&kept).ok();
    Ok(proposal.filter(|one| now.saturating_sub(one.at) < limits::PROPOSAL_SECONDS * 1_000_000))
}

/// Proposes, or confirms what another person has proposed.
///
/// # Errors
/// See [`DecideError`]; nothing changes then.
pub fn decide(work: &mut Work<'_, '_>, actor: &Actor, decision: Decision) -> Result<Decided, DecideError> {
    let person = actor.person.ok_or(DecideError::NotAPerson)?;
    match (decision, work.standing()) {
        (Decision::Speak, Standing::Recovering { cause: Cause::Unknown, .. })
        | (Decision::Resume, Standing::Stopped { .. }) => {}
        (Decision::Speak, _) => {
            return Err(DecideError::NotNow(
                "only a node that was restored, and does not know what it signed last, is told to speak from here",
            ));
        }
        (Decision::Resume, _) => {
            return Err(DecideError::NotNow("only a node that has stopped because another copy speaks is resumed"));
        }
    }
    let now = work.now.micros();
    let other = waiting(work.tx, now)?.filter(|one| one.decision == decision && one.person != person.0);
    if other.is_none() {
        let proposal = Proposal { decision, person: person.0, login: actor.login.clone(), at: now };
        let text = serde_json::to_string(&proposal).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
        work.tx.set_setting(PROPOSAL, &text)?;
        return Ok(Decided::Proposed);
    }
    work.tx.set_setting(PROPOSAL, "")?;
    tracing::warn!(decision = decision.word(), login = %actor.login, "two persons decided about our own log");
    match decision {
        Decision::Speak => Ok(Decided::Done(Some(merge::finish(work)?))),
        Decision::Resume => {
            let size = work.next_index().0;
            let recovered = work.recovered();
            work.note_recovered(crate::standing::Recovered { ahead: false, ..recovered })?;
            work.stand(Standing::Recovering { cause: Cause::Ahead, from: size, needs: size })?;
            Ok(Decided::Done(None))
        }
    }
}
