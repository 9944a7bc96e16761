//! What people and machines on this node may read. What holds content has been through the gate: `policy::release`.

pub mod assist;
pub mod audiences;
pub mod entries;
pub mod evidence;
pub mod objects;
pub mod status;
pub mod who_sees;
pub mod witnesses;

use std::sync::Arc;

use journal::wire::ReleaseKind;
use model::extension::AudienceKind;
use model::{AudienceId, Envelope, Label, Lane, MemberSet, ThreadId};
use policy::{Facts, Kind};
use store::{Db, LogId, ObjectRow, ObjectState, StoreError};

use crate::work::View;

/// What the policy needs of one statement, wherever it was found.
#[derive(Debug, Clone)]
pub struct Source {
    /// Whose log.
    pub log: LogId,
    /// Which feed.
    pub lane: Lane,
    /// Its label.
    pub label: Label,
    /// Its audience.
    pub audience: AudienceId,
    /// Its thread.
    pub thread: ThreadId,
    /// Its members, known for own statements.
    pub members: Option<MemberSet>,
    /// Is it taken back?
    pub withdrawn: bool,
}

/// The facts of a statement, from its envelope and the set to which it was released.
///
/// # Errors
/// The database.
pub fn facts_of(
    view: &View<'_, '_>,
    log: LogId,
    envelope: &Envelope,
    members: MemberSet,
    withdrawn: bool,
) -> Result<Facts, StoreError> {
    facts(
        view,
        Source {
            log,
            lane: envelope.lane,
            label: envelope.label,
            audience: envelope.audience.id,
            thread: envelope.thread,
            members: Some(members),
            withdrawn,
        },
    )
}

/// The facts of an object row.
///
/// # Errors
/// The database.
pub fn facts_of_row(view: &View<'_, '_>, row: &ObjectRow) -> Result<Facts, StoreError> {
    let members = if row.log == view.me.log { Some(reached(view.db, row)?) } else { None };
    facts(
        view,
        Source {
            log: row.log,
            lane: row.lane,
            label: Label { tlp: row.tlp, pap: row.pap },
            audience: row.audience,
            thread: row.thread,
            members,
            withdrawn: row.state != ObjectState::Live,
        },
    )
}

/// Everyone to whom an own statement was ever opened: by its first release and by every backfill since.
///
/// # Errors
/// The database.
pub fn reached(db: &Db<'_>, row: &ObjectRow) -> Result<MemberSet, StoreError> {
    let withdraw = ReleaseKind::Withdraw.code();
    let mut members = Vec::new();
    for (_, set) in db.released_sets(row.statement)?.into_iter().filter(|(kind, _)| *kind != withdraw) {
        members.extend(Vec::from(db.set_members(set)?));
    }
    MemberSet::new(members).map_err(|error| StoreError::Corrupt { what: error.to_string() })
}

fn facts(view: &View<'_, '_>, source: Source) -> Result<Facts, StoreError> {
    let own = source.log == view.me.log;
    let owner = if own { view.me.origin.clone() } else { view.db.origin(source.log)? };
    let kind = match source.lane {
        Lane::Workflow => Kind::Workflow,
        Lane::Intelligence => Kind::Intelligence,
    };
    let audience = view.db.audience(source.log, &source.audience)?.map_or(AudienceKind::Named, |row| row.kind);
    // Who else a partner has opened it to is the partner's to say: what counts here is that we are among them.
    let members = match source.members {
        Some(members) if own => members,
        Some(_) | None if own => MemberSet::empty(),
        Some(_) | None => {
            MemberSet::new([view.me.origin.clone()]).map_err(|error| StoreError::Corrupt { what: error.to_string() })?
        }
    };
    let mut facts =
        Facts::of_statement(&owner, &view.me.origin, kind, source.label, audience, Arc::new(members), source.thread);
    facts.withdrawn = source.withdrawn;
    Ok(facts)
}
