//! What becomes of an act that waits: another person approves or declines it, whoever began it takes it back or signs alone,
//! and what was signed alone is ratified or not.

use std::collections::BTreeSet;

use domain::commit::{self as rules, Decision, State};
use model::commit::Act;
use model::extension::Signatures;
use store::{ActId, ActRow, Signatory, StoreError};

use super::{CommitError, Signature, is_expired, keep_rules, signatory};
use crate::actor::{Actor, Permission};
use crate::assist::Spoken;
use crate::work::{View, Work};

/// Acts, the newest first.
///
/// # Errors
/// The database.
pub fn list(view: &View<'_, '_>, before: Option<ActId>, limit: usize) -> Result<Vec<ActRow>, StoreError> {
    view.db.acts(before, limit)
}

/// What awaits a decision of this person, or of this person's colleagues if it began it.
///
/// # Errors
/// The database.
pub fn awaiting(view: &View<'_, '_>) -> Result<Vec<ActRow>, StoreError> {
    Ok(view.db.open_acts()?.into_iter().filter(|row| !is_expired(row, view.now)).collect())
}

/// One act.
///
/// # Errors
/// There is none of that number.
pub fn act(view: &View<'_, '_>, id: ActId) -> Result<ActRow, CommitError> {
    view.db.act(id)?.ok_or(CommitError::Unknown)
}

fn next(
    work: &Work<'_, '_>,
    actor: &Actor,
    id: ActId,
    decision: Decision,
) -> Result<(ActRow, Signatory, State), CommitError> {
    let by = signatory(work.tx, actor)?;
    let row = work.tx.act(id)?.ok_or(CommitError::Unknown)?;
    let state = rules::apply(row.state, decision, row.by.person == by.person, is_expired(&row, work.now))?;
    Ok((row, by, state))
}

/// Decides about an act. With *approve* the command says it, in the names of both; if it can't be said any more, the act
/// waits as before.
///
/// # Errors
/// The decision has no place, or what the use case says.
pub fn decide<E>(
    work: &mut Work<'_, '_>,
    actor: &Actor,
    (id, decision): (ActId, Decision),
    reason: Option<String>,
    command: impl FnOnce(&mut Work<'_, '_>, &ActRow, &[u8], &Signature) -> Result<Spoken, E>,
) -> Result<ActRow, E>
where
    E: From<CommitError> + From<StoreError>,
{
    let (mut row, by, state) = next(work, actor, id, decision)?;
    let needs_reason = matches!(decision, Decision::Decline | Decision::Refuse);
    row.reason = said_why(reason, needs_reason)?;
    if decision == Decision::Approve {
        // Whoever began it may have lost the right meanwhile.
        let first = work.tx.person(row.by.person)?;
        let may = first.is_some_and(|one| {
            one.state == store::PersonState::Active
                && one.roles.iter().any(|role| Permission::Speak.is_carried_by(*role))
        });
        if !may && row.act != Act::Rules {
            return Err(CommitError::Field(format!("{} may not speak for the nation any more", row.by.name)).into());
        }
        let body = row.body.clone().ok_or(CommitError::Erased)?;
        if row.act == Act::Rules {
            let acts: BTreeSet<Act> =
                serde_json::from_slice(&body).map_err(|error| CommitError::Field(error.to_string()))?;
            keep_rules(work, &acts)?;
        } else {
            let by = vec![row.by.name.clone(), by.name.clone()];
            let signature = Signature(Some(Signatures { by, authority: None, emergency: None }));
            let spoken = command(work, &row, &body, &signature)?;
            row.said = Some(entry(work, &spoken));
        }
    }
    if row.by.person != by.person {
        row.other = Some(by);
    }
    row.state = state;
    row.decided = Some(work.now);
    row.body = None;
    work.tx.put_act(&row)?;
    tracing::info!(act = row.act.word(), state = state.word(), login = %actor.login, "an act was decided");
    Ok(row)
}

/// Signs alone what can't wait, with a reason that every party sees.
///
/// # Errors
/// It is somebody else's, or over, or it is never signed alone, or what the use case says.
pub fn sign_alone<E>(
    work: &mut Work<'_, '_>,
    actor: &Actor,
    id: ActId,
    reason: String,
    command: impl FnOnce(&mut Work<'_, '_>, &ActRow, &[u8], &Signature) -> Result<Spoken, E>,
) -> Result<ActRow, E>
where
    E: From<CommitError> + From<StoreError>,
{
    let (mut row, by, state) = next(work, actor, id, Decision::SignAlone)?;
    if row.act == Act::Rules {
        return Err(CommitError::NeverAlone.into());
    }
    let body = row.body.clone().ok_or(CommitError::Erased)?;
    let reason = said_why(Some(reason), true)?;
    let signature = Signature(Some(Signatures { by: vec![by.name], authority: None, emergency: reason.clone() }));
    let spoken = command(work, &row, &body, &signature)?;
    row.said = Some(entry(work, &spoken));
    row.state = state;
    row.alone = Some(work.now);
    row.emergency = reason;
    row.body = None;
    work.tx.put_act(&row)?;
    tracing::warn!(act = row.act.word(), login = %actor.login, "one person signed alone, in an emergency");
    Ok(row)
}

/// Notes that the paper for an emergency agreement is there.
///
/// # Errors
/// None is due for it, or it is there already.
pub fn paper(work: &mut Work<'_, '_>, actor: &Actor, id: ActId) -> Result<ActRow, CommitError> {
    signatory(work.tx, actor)?;
    let row = work.tx.act(id)?.ok_or(CommitError::Unknown)?;
    if super::paper_by(&row).is_none() {
        return Err(CommitError::Field("no paper is due for it".to_owned()));
    }
    if row.paper.is_some() {
        return Err(CommitError::Misplaced(rules::Misplaced::Over));
    }
    let row = ActRow { paper: Some(work.now), ..row };
    work.tx.put_act(&row)?;
    Ok(row)
}

fn said_why(reason: Option<String>, needed: bool) -> Result<Option<String>, CommitError> {
    let reason = reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let unfit =
        |text: &String| text.len() > model::limits::TEXT_BYTES || text.chars().any(|c| c.is_control() && c != '\n');
    match reason {
        None if needed => Err(CommitError::Field("say why (`reason`)".to_owned())),
        Some(text) if unfit(&text) => Err(CommitError::Field("a reason has 1 to 4,000 bytes of text".to_owned())),
        given => Ok(given),
    }
}

fn entry(work: &Work<'_, '_>, spoken: &Spoken) -> String {
    model::EntryRef::of(&work.me.origin, spoken.appended.index).to_string()
}
