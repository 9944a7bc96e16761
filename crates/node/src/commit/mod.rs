//! Who commits the nation (workflows §0): which acts need a second person on this node, what waits for one, what one person
//! signed within a standing authority or alone in an emergency.
//!
//! A use case that commits takes a [`Signature`] and asks [`suffices`]; only this module makes one that names persons. An act is
//! tried out first, and undone (`try_out`): what waits for a second person would have effect, and its extent is known.

mod authority;
mod decide;

use std::collections::BTreeSet;

use domain::assist::case;
use domain::commit::{self as rules, Misplaced, State};
use model::Timestamp;
use model::commit::{Act, Extent};
use model::extension::Signatures;
use store::{ActId, ActRow, AuthorityId, AuthorityRow, Db, PersonState, Signatory, StoreError};

pub use authority::{Grant, grant, granted, revoke};
pub use decide::{act, awaiting, decide, list, paper, sign_alone};

use crate::actor::{Actor, Permission};
use crate::assist::{Spoken, gather};
use crate::limits;
use crate::work::{View, Work};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine itself, or a program without an account.
    #[error("two persons sign this, each with an account: log in, or use --url with a token of yours")]
    NotAPerson,
    /// A use case was asked for without the two persons that it needs.
    #[error("two persons sign `{0}` on this node: it can't be said by one")]
    TwoPersons(Act),
    /// Not there, or forgotten.
    #[error("there is no such act: list them with `entraide act list`")]
    Unknown,
    /// The decision has no place.
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    /// Too many wait.
    #[error("200 acts wait for a second person already: decide about them first")]
    Waiting,
    /// What it would say is not here any more.
    #[error("what it would say was erased: begin it again")]
    Erased,
    /// That fewer acts need two persons waits for the second, always.
    #[error("that fewer acts need two persons is never signed alone")]
    NeverAlone,
    /// Nobody else could ever approve.
    #[error("two accounts that may speak for the nation are needed first: make them with `entraide user add`")]
    NoSecond,
    /// A field is out of its range.
    #[error("{0}")]
    Field(String),
    /// No such authority.
    #[error("there is no such authority in force: list them with `entraide authority list`")]
    NoAuthority,
    /// One can't let oneself act alone.
    #[error("nobody lets themselves act alone: another crisis officer signs this authority")]
    OwnAuthority,
    /// What was tried out and what was then said commit to different things.
    #[error("the case has changed meanwhile: look at it, and send this again")]
    Changed,
}

/// Who signs. Only this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(Option<Signatures>);

impl Signature {
    /// Of one person, where one is enough: nothing stands in the statement.
    pub const ONE_PERSON: Self = Self(None);

    /// What stands in the statement: nothing where one person is enough.
    #[must_use]
    pub(crate) fn written(&self) -> Option<Signatures> {
        self.0.clone()
    }
    /// Did one person sign alone, in an emergency?
    #[must_use]
    pub fn is_emergency(&self) -> bool {
        self.0.as_ref().is_some_and(|signed| signed.emergency.is_some())
    }
}

/// What became of an act.
#[derive(Debug)]
pub enum Outcome {
    /// It was said.
    Said(Spoken),
    /// It waits for a second person.
    Second,
}

/// The setting that holds which acts need a second person.
const RULES: &str = "two-persons";

/// Which acts need a second person on this node.
///
/// # Errors
/// The database.
pub fn two_persons(db: &Db<'_>) -> Result<BTreeSet<Act>, StoreError> {
    let kept = db.setting(RULES)?.unwrap_or_default();
    if kept.is_empty() {
        return Ok(BTreeSet::new());
    }
    // What can't be read is never read as "nobody is needed".
    serde_json::from_str(&kept).map_err(|error| StoreError::Corrupt { what: format!("`{RULES}`: {error}") })
}

/// Refuses an act for which this node wants more than the signature has. Every use case that commits asks it.
///
/// # Errors
/// Two persons sign it here.
pub(crate) fn suffices(work: &Work<'_, '_>, act: Act, signature: &Signature) -> Result<(), CommitError> {
    if signature.0.is_none() && two_persons(work.tx)?.contains(&act) {
        return Err(CommitError::TwoPersons(act));
    }
    Ok(())
}

/// An act that was tried out: the use case is undone as a whole, whatever it came to.
#[derive(Debug)]
pub enum Tried<E> {
    /// It can't be said.
    Refused(E),
    /// It can, and commits to this.
    Fits(Extent),
}

impl<E: From<StoreError>> From<StoreError> for Tried<E> {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Tries an act out, and gives what it commits to. The answer is an error of the transaction, so that nothing of it stays.
pub fn try_out<E>(
    work: &mut Work<'_, '_>,
    actor: &Actor,
    command: impl FnOnce(&mut Work<'_, '_>, &Signature) -> Result<Spoken, E>,
) -> Tried<E>
where
    E: From<CommitError> + From<StoreError>,
{
    let tried = |work: &mut Work<'_, '_>| {
        let by = signatory(work.tx, actor)?;
        let signature =
            Signature(Some(Signatures { by: vec![by.name], authority: Some("-".to_owned()), emergency: None }));
        let spoken = command(work, &signature)?;
        Ok(extent(work, &spoken)?.1)
    };
    match tried(work) {
        Ok(extent) => Tried::Fits(extent),
        Err(error) => Tried::Refused(error),
    }
}

/// Says an act that was tried out, if an authority of this person covers it; otherwise it waits for a second person.
///
/// # Errors
/// What the use case says; the case has changed since it was tried out.
pub fn say_within<E>(
    work: &mut Work<'_, '_>,
    actor: &Actor,
    (act, tried): (Act, &Extent),
    entry: Option<String>,
    command: impl FnOnce(&mut Work<'_, '_>, &Signature) -> Result<Spoken, E>,
) -> Result<Outcome, E>
where
    E: From<CommitError> + From<StoreError>,
{
    let by = signatory(work.tx, actor)?;
    let Some(authority) = covering(work.tx, &by, act, tried, work.now)? else { return Ok(Outcome::Second) };
    let signed = Signatures { by: vec![by.name.clone()], authority: Some(authority.number.clone()), emergency: None };
    let spoken = command(work, &Signature(Some(signed)))?;
    let (said, extent) = extent(work, &spoken)?;
    if extent != *tried {
        return Err(CommitError::Changed.into());
    }
    let row = ActRow {
        state: State::WithinAuthority,
        decided: Some(work.now),
        said: Some(said),
        authority: Some(authority.id),
        ..begun(work, act, entry, by, &extent)
    };
    work.tx.add_act(&row)?;
    Ok(Outcome::Said(spoken))
}

/// Keeps an act until a second person decides.
///
/// # Errors
/// Too many wait, or whoever begins it has no account.
pub fn hold(
    work: &mut Work<'_, '_>,
    actor: &Actor,
    (act, extent): (Act, &Extent),
    entry: Option<String>,
    body: Vec<u8>,
) -> Result<ActRow, CommitError> {
    let by = signatory(work.tx, actor)?;
    work.tx.forget_acts(work.now, work.now.plus_seconds(-limits::ACTS_KEPT_SECONDS))?;
    let waiting = work.tx.open_acts()?.into_iter().filter(|row| !is_expired(row, work.now)).count();
    if waiting >= limits::ACTS_WAITING {
        return Err(CommitError::Waiting);
    }
    let row = ActRow { body: Some(body), ..begun(work, act, entry, by, extent) };
    let id = work.tx.add_act(&row)?;
    Ok(ActRow { id, ..row })
}

/// Says which acts need a second person from now on. More of them is one crisis officer's to say; fewer waits for a second
/// person like any act.
///
/// # Errors
/// A word that no rule may name, or no second person who could ever approve.
pub fn change_rules(
    work: &mut Work<'_, '_>,
    actor: &Actor,
    acts: &BTreeSet<Act>,
) -> Result<Option<ActRow>, CommitError> {
    if let Some(act) = acts.iter().find(|act| !act.is_ruled()) {
        return Err(CommitError::Field(format!("`{act}` always needs two persons: leave it out")));
    }
    let before = two_persons(work.tx)?;
    if rules::weakens(&before, acts) {
        let body = serde_json::to_vec(acts).map_err(|error| CommitError::Field(error.to_string()))?;
        return hold(work, actor, (Act::Rules, &Extent::default()), None, body).map(Some);
    }
    if !acts.is_empty() && able(work.tx)? < 2 {
        return Err(CommitError::NoSecond);
    }
    keep_rules(work, acts)?;
    tracing::info!(acts = acts.len(), login = %actor.login, "which acts need two persons has changed");
    Ok(None)
}

fn keep_rules(work: &Work<'_, '_>, acts: &BTreeSet<Act>) -> Result<(), CommitError> {
    let text = serde_json::to_string(acts).map_err(|error| CommitError::Field(error.to_string()))?;
    Ok(work.tx.set_setting(RULES, &text)?)
}

/// How many accounts could sign.
fn able(db: &Db<'_>) -> Result<usize, StoreError> {
    let speaks = |row: &store::PersonRow| {
        row.state == PersonState::Active && row.roles.iter().any(|role| Permission::Speak.is_carried_by(*role))
    };
    Ok(db.persons()?.iter().filter(|row| speaks(row)).count())
}

/// Who somebody is as acts name it.
fn signatory(db: &Db<'_>, actor: &Actor) -> Result<Signatory, CommitError> {
    let person = actor.person.ok_or(CommitError::NotAPerson)?;
    let row = db.person(person)?.ok_or(CommitError::NotAPerson)?;
    Ok(Signatory { person, name: row.name })
}

fn begun(work: &Work<'_, '_>, act: Act, entry: Option<String>, by: Signatory, extent: &Extent) -> ActRow {
    ActRow {
        id: ActId(0),
        act,
        entry,
        body: None,
        state: State::Awaiting,
        by,
        at: work.now,
        expires: work.now.plus_seconds(limits::ACT_SECONDS),
        other: None,
        decided: None,
        reason: None,
        alone: None,
        emergency: None,
        said: None,
        paper: None,
        authority: None,
        quantity: extent.quantity,
        cost_cents: extent.cost_cents,
    }
}

/// Has its time run out before anybody decided?
#[must_use]
pub fn is_expired(row: &ActRow, now: Timestamp) -> bool {
    row.state == State::Awaiting && now >= row.expires
}

/// Until when what was signed alone is to be ratified.
#[must_use]
pub fn ratify_by(row: &ActRow) -> Option<Timestamp> {
    row.alone.map(|at| at.plus_seconds(limits::RATIFY_SECONDS))
}

/// Until when the paper for it is due, if paper follows.
#[must_use]
pub fn paper_by(row: &ActRow) -> Option<Timestamp> {
    row.alone.filter(|_| row.act.has_paper()).map(|at| at.plus_seconds(limits::PAPER_SECONDS))
}

/// The authority of a person that covers an act: the one that runs out first.
fn covering(
    db: &Db<'_>,
    by: &Signatory,
    act: Act,
    extent: &Extent,
    now: Timestamp,
) -> Result<Option<AuthorityRow>, CommitError> {
    let mut found: Option<(Timestamp, AuthorityRow)> = None;
    for row in db.authorities()? {
        if row.to.person != by.person || row.revoked.is_some() {
            continue;
        }
        let bounds = authority::bounds(&row)?;
        let used = db.used(row.id)?;
        let sooner = found.as_ref().is_none_or(|(until, _)| bounds.until < *until);
        if sooner && rules::covers(&bounds, act, extent, used, now).is_ok() {
            found = Some((bounds.until, row));
        }
    }
    Ok(found.map(|(_, row)| row))
}

/// Where a statement of ours stands, and what it commits to.
fn extent(work: &Work<'_, '_>, spoken: &Spoken) -> Result<(String, Extent), CommitError> {
    let name = model::EntryRef::of(&work.me.origin, spoken.appended.index).to_string();
    let heard = gather::heard(work.tx, work.signer, work.me.log, spoken.appended.index)?;
    let heard: Vec<_> = heard.into_iter().map(|(_, heard)| heard).collect();
    let own = heard.iter().find(|one| one.place.commitment == spoken.appended.commitment);
    let extent = match (case::fold(&heard), own) {
        (Some(case), Some(own)) => rules::extent(&case, own),
        // A case that is not whole here: what it commits to is not known, so no authority covers it.
        (None, _) | (_, None) => Extent { quantity: u32::MAX, ..Extent::default() },
    };
    Ok((name, extent))
}

/// The number of an authority.
///
/// # Errors
/// The database.
pub fn number_of(view: &View<'_, '_>, id: AuthorityId) -> Result<Option<String>, StoreError> {
    Ok(view.db.authorities()?.into_iter().find(|row| row.id == id).map(|row| row.number))
}
