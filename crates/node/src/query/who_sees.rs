//! "Who will see this?": the same function as the gate, asked before anything is sent, nation by nation.

use model::{Label, MemberSet, Origin, StixId, ThreadId, Tlp};
use policy::{Facts, PartnerFacts, PolicyVersion, Sees};
use store::{PartnerState, StatementId, StoreError};

use super::{Source, facts, facts_of_row};
use crate::assert::AssertError;
use crate::audience::{self, Choice};
use crate::work::{View, Work};

/// The answer.
#[derive(Debug, Clone)]
pub struct WhoSees {
    /// Partner by partner, in the order of their names.
    pub partners: Vec<(String, Sees)>,
    /// Members of the audience that are no active partner now: they get it when they are.
    pub unreachable: Vec<Origin>,
}

/// Who sees an own statement that was made already.
///
/// # Errors
/// Not ours, or the database.
pub fn of_statement(view: &View<'_, '_>, statement: StatementId) -> Result<Option<WhoSees>, StoreError> {
    let Some(row) = view.db.object(statement)?.filter(|row| row.log == view.me.log) else { return Ok(None) };
    let facts = facts_of_row(view, &row)?;
    Ok(Some(answer(view, &facts)?))
}

/// Who would see a statement at this label to this audience.
///
/// # Errors
/// The choice does not fit the label, or names nothing.
pub fn of_choice(work: &mut Work<'_, '_>, choice: &Choice, tlp: Tlp) -> Result<(String, MemberSet), AssertError> {
    let target = audience::resolve(work, choice, tlp)?;
    Ok((target.name, target.members))
}

/// The same, for members that are known already.
///
/// # Errors
/// The database.
pub fn of_members(view: &View<'_, '_>, members: MemberSet, tlp: Tlp) -> Result<WhoSees, StoreError> {
    let source = Source {
        log: view.me.log,
        lane: model::Lane::Intelligence,
        walled: None,
        label: Label::from(tlp),
        audience: model::AudienceId::new([0; 16]),
        thread: ThreadId::new([0; 16]),
        members: Some(members),
        withdrawn: false,
    };
    let facts = facts(view, source)?;
    answer(view, &facts)
}

fn answer(view: &View<'_, '_>, facts: &Facts) -> Result<WhoSees, StoreError> {
    let mut partners = view.db.partners_of_any_reach()?;
    partners.sort_by(|a, b| a.origin.cmp(&b.origin));
    let active: Vec<_> = partners
        .into_iter()
        .filter(|partner| matches!(partner.state, PartnerState::Active | PartnerState::Held))
        .collect();
    let asked: Vec<PartnerFacts> = active
        .iter()
        .map(|partner| PartnerFacts {
            origin: partner.origin.clone(),
            name: partner.name.clone(),
            class: partner.class,
        })
        .collect();
    let sees = policy::who_sees(facts, &asked, &PolicyVersion::CURRENT);
    let unreachable = facts
        .member_set
        .as_slice()
        .iter()
        .filter(|member| !active.iter().any(|partner| partner.origin.base() == **member))
        .cloned()
        .collect();
    Ok(WhoSees { partners: active.into_iter().map(|partner| partner.name).zip(sees).collect(), unreachable })
}

/// The newest own statement about a STIX id.
///
/// # Errors
/// The database.
pub fn own_statement(view: &View<'_, '_>, id: &StixId) -> Result<Option<StatementId>, StoreError> {
    Ok(view.db.own_latest(view.me.log, id)?.map(|row| row.statement))
}
