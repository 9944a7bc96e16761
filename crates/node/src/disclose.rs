//! Disclosing: the explicit act by which a supervising desk sees one statement behind the wall. Local truth, shown to all
//! who see the statement, and never undone.

use model::{Desk, Index, Role, Tlp};
use policy::{Article, ArticleError};
use store::{DisclosureRow, ObjectState, PersonState, StoreError};

use crate::actor::{Actor, Permission};
use crate::work::Work;

/// Which act.
#[derive(Debug, Clone)]
pub struct Disclose {
    /// Which of our statements.
    pub index: Index,
    /// To which desk.
    pub desk: Desk,
    /// Under which article of law: `NIS2 Art 32(4)`.
    pub article: String,
    /// Why, in one line.
    pub reason: String,
    /// Who decides, where the machine's own socket acts: the login of a person.
    pub person: Option<String>,
}

/// Why a statement was not disclosed.
#[derive(Debug, thiserror::Error)]
pub enum DiscloseError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not an own statement.
    #[error("this node has said nothing at `{0}`: only the owner discloses, ask the partner that said it")]
    Unknown(Index),
    /// No wall stands before it.
    #[error("statement {0} does not stand behind the wall: the desk sees it already, as far as its label goes")]
    NoWall(Index),
    /// It was taken back.
    #[error("statement {0} is withdrawn: nobody is shown it any more")]
    Withdrawn(Index),
    /// RED.
    #[error("statement {0} is TLP:RED: it is read by named persons alone, whatever their desk")]
    Red(Index),
    /// A desk before which no wall stands.
    #[error("the desk `{0}` does not supervise: no wall stands before it")]
    Desk(Desk),
    /// The article.
    #[error(transparent)]
    Article(#[from] ArticleError),
    /// No reason, or too long a one.
    #[error("a disclosure needs its reason, in one line of 1 to 1,000 bytes: the entity reads it")]
    Reason,
    /// Somebody of another desk, or without the role.
    #[error(
        "a person of the CSIRT desk discloses, with the role duty-officer or crisis-officer: the entity told it there"
    )]
    NotCsirt,
    /// The machine acts, and nobody is named.
    #[error("say which person decides: name the login of somebody at the CSIRT desk")]
    Nobody,
}

/// Most bytes of a reason: a line that is read on a screen.
const REASON_BYTES: usize = 1_000;

/// Discloses one of our statements to a supervising desk. The same act twice is noted once.
///
/// # Errors
/// See [`DiscloseError`]; nothing is changed then.
pub fn disclose(work: &mut Work<'_, '_>, by: &Actor, act: &Disclose) -> Result<DisclosureRow, DiscloseError> {
    let who = person(work, by, act.person.as_deref())?;
    if !act.desk.supervises() {
        return Err(DiscloseError::Desk(act.desk));
    }
    let article: Article = act.article.parse()?;
    let reason = act.reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES || reason.chars().any(char::is_control) {
        return Err(DiscloseError::Reason);
    }
    let unknown = || DiscloseError::Unknown(act.index);
    let target = work.tx.statement_at(work.me.log, act.index)?.ok_or_else(unknown)?;
    let object = work.tx.object(target.id)?.ok_or_else(unknown)?;
    if object.tlp == Tlp::Red {
        return Err(DiscloseError::Red(act.index));
    }
    if object.walled.is_none() {
        return Err(DiscloseError::NoWall(act.index));
    }
    if object.state != ObjectState::Live {
        return Err(DiscloseError::Withdrawn(act.index));
    }
    let row = DisclosureRow {
        statement: target.id,
        desk: act.desk,
        article: article.to_string(),
        reason: reason.to_owned(),
        at: work.now,
        who,
    };
    let known = work.tx.disclosures(target.id)?;
    if let Some(same) = known.into_iter().find(|known| known.desk == row.desk && known.article == row.article) {
        return Ok(same);
    }
    work.tx.put_disclosure(&row)?;
    Ok(row)
}

/// The person who decides: whoever is logged in, or whom the machine names.
fn person(work: &Work<'_, '_>, by: &Actor, named: Option<&str>) -> Result<String, DiscloseError> {
    if by.person.is_some() {
        let able = by.desk == Desk::Csirt && by.require(Permission::Speak).is_ok();
        return if able { Ok(by.login.clone()) } else { Err(DiscloseError::NotCsirt) };
    }
    let login = named.filter(|login| !login.is_empty()).ok_or(DiscloseError::Nobody)?;
    let row = work.tx.person_by_login(login)?.filter(|row| row.state == PersonState::Active);
    let row = row.ok_or(DiscloseError::Nobody)?;
    let speaks = |role: &Role| Permission::Speak.is_carried_by(*role);
    if row.desk == Desk::Csirt && row.roles.iter().any(speaks) { Ok(row.login) } else { Err(DiscloseError::NotCsirt) }
}
