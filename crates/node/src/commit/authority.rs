//! Standing authorities: a head lets somebody act alone, within bounds, until a time, and can take it back.

use model::commit::Bounds;
use store::{AuthorityId, AuthorityRow, Db, Signatory, StoreError};

use super::{CommitError, signatory};
use crate::actor::{Actor, Permission};
use crate::limits;
use crate::work::{View, Work};

/// A new authority.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The login of whoever may act alone.
    pub login: String,
    /// Within what.
    pub bounds: Bounds,
    /// Why.
    pub reason: String,
}

/// Lets somebody act alone within bounds.
///
/// # Errors
/// It is oneself, or somebody who may not speak for the nation at all, or a bound is out of its range.
pub fn grant(work: &mut Work<'_, '_>, actor: &Actor, grant: &Grant) -> Result<String, CommitError> {
    let by = signatory(work.tx, actor)?;
    let Some(row) = work.tx.person_by_login(&grant.login)? else {
        let why = format!("there is no account `{}`: list them with `entraide user list`", grant.login);
        return Err(CommitError::Field(why));
    };
    if row.id == by.person {
        return Err(CommitError::OwnAuthority);
    }
    if !row.roles.iter().any(|role| Permission::Speak.is_carried_by(*role)) {
        return Err(CommitError::Field(format!("`{}` may not speak for the nation: give the role first", row.login)));
    }
    checked(&grant.bounds, work.now)?;
    let reason = grant.reason.trim();
    if reason.is_empty() || reason.len() > model::limits::TEXT_BYTES || reason.chars().any(char::is_control) {
        return Err(CommitError::Field("say why, in one line".to_owned()));
    }
    if work.tx.authorities()?.len() >= limits::AUTHORITIES {
        return Err(CommitError::Field("there are 1,000 authorities already".to_owned()));
    }
    let year = work.now.year();
    let number = format!("SA-{year}-{:03}", work.tx.allocate(&format!("standing-authority-{year}"))?);
    let bounds = serde_json::to_string(&grant.bounds).map_err(|error| CommitError::Field(error.to_string()))?;
    let row = AuthorityRow {
        id: AuthorityId(0),
        number: number.clone(),
        to: Signatory { person: row.id, name: row.name },
        by,
        at: work.now,
        bounds,
        reason: reason.to_owned(),
        revoked: None,
    };
    work.tx.add_authority(&row)?;
    tracing::info!(%number, login = %actor.login, "a standing authority was signed");
    Ok(number)
}

fn checked(bounds: &Bounds, now: model::Timestamp) -> Result<(), CommitError> {
    let why = if bounds.acts.is_empty() {
        "say for which acts: offer, countersign …"
    } else if bounds.acts.iter().any(|act| !act.is_ruled()) {
        "that fewer acts need two persons is in nobody's authority"
    } else if bounds.until <= now || bounds.until > now.plus_seconds(limits::AUTHORITY_SECONDS) {
        "an authority ends in the future, and within a year"
    } else {
        return Ok(());
    };
    Err(CommitError::Field(why.to_owned()))
}

/// Takes an authority back: from here on nothing is done under it. What was done stands.
///
/// # Errors
/// There is none in force of that number.
pub fn revoke(work: &mut Work<'_, '_>, actor: &Actor, number: &str) -> Result<(), CommitError> {
    let by = signatory(work.tx, actor)?;
    if !work.tx.revoke_authority(number, work.now, &by.name)? {
        return Err(CommitError::NoAuthority);
    }
    tracing::info!(%number, login = %actor.login, "a standing authority was revoked");
    Ok(())
}

/// Every authority with its bounds and what was done under it, the newest first.
///
/// # Errors
/// The database.
pub fn granted(view: &View<'_, '_>) -> Result<Vec<(AuthorityRow, Bounds, domain::commit::Used)>, StoreError> {
    let one = |row: AuthorityRow| {
        let used = used(view.db, &row)?;
        Ok((bounds(&row)?, used, row))
    };
    let rows = view.db.authorities()?.into_iter().map(one).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(rows.into_iter().map(|(bounds, used, row)| (row, bounds, used)).collect())
}

fn used(db: &Db<'_>, row: &AuthorityRow) -> Result<domain::commit::Used, StoreError> {
    db.used(row.id)
}

/// Within what an authority lets somebody act.
pub(super) fn bounds(row: &AuthorityRow) -> Result<Bounds, StoreError> {
    serde_json::from_str(&row.bounds)
        .map_err(|error| StoreError::Corrupt { what: format!("authority {}: {error}", row.number) })
}
