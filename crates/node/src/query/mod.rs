//! What people and machines on this node may read. What holds content has been through the gate: `policy::release`.

pub mod assist;
pub mod audiences;
pub mod capacities;
pub mod entries;
pub mod evidence;
pub mod exports;
pub mod objects;
pub mod recovery;
pub mod reserve;
pub mod status;
pub mod who_sees;
pub mod witnesses;

use std::sync::Arc;

use journal::wire::ReleaseKind;
use model::extension::AudienceKind;
use model::{AudienceId, Envelope, Label, Lane, MemberSet, ThreadId, Tlp, Walled};
use policy::{Facts, GuestId, Kind, Reader, ReaderId, WallException};
use store::{Db, LogId, ObjectRow, ObjectState, StatementId, StoreError};

use crate::work::View;

/// What the policy needs of one statement, wherever it was found.
#[derive(Debug, Clone)]
pub struct Source {
    /// Whose log.
    pub log: LogId,
    /// Which feed.
    pub lane: Lane,
    /// Does it stand behind the wall, and as what?
    pub walled: Option<Walled>,
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
            walled: envelope.walled,
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
    let own = crate::successor::is_own(view.db, view.me, row.log)?;
    let members = if own { Some(reached(view.db, row.statement)?) } else { None };
    let disclosed_to = if row.walled.is_some() { disclosed(view.db, row.statement)? } else { Vec::new() };
    let facts = facts(
        view,
        Source {
            log: row.log,
            lane: row.lane,
            walled: row.walled,
            label: Label { tlp: row.tlp, pap: row.pap },
            audience: row.audience,
            thread: row.thread,
            members,
            withdrawn: row.state != ObjectState::Live,
        },
    )?;
    let repudiated = view.db.is_repudiated(row.log, row.index)?;
    Ok(Facts { disclosed_to, repudiated, ..facts })
}

/// The acts by which supervising desks see a statement behind the wall.
fn disclosed(db: &Db<'_>, statement: StatementId) -> Result<Vec<WallException>, StoreError> {
    let exception = |row: store::DisclosureRow| {
        let article = row.article.parse();
        let article = article.map_err(|error| StoreError::Corrupt { what: format!("a disclosure: {error}") })?;
        Ok(WallException { desk: row.desk, article })
    };
    db.disclosures(statement)?.into_iter().map(exception).collect()
}

/// Everyone to whom an own statement was ever opened: by its first release and by every backfill since.
///
/// # Errors
/// The database.
pub fn reached(db: &Db<'_>, statement: StatementId) -> Result<MemberSet, StoreError> {
    let withdraw = ReleaseKind::Withdraw.code();
    let mut members = Vec::new();
    for (_, set) in db.released_sets(statement)?.into_iter().filter(|(kind, _)| *kind != withdraw) {
        members.extend(Vec::from(db.set_members(set)?));
    }
    MemberSet::new(members).map_err(|error| StoreError::Corrupt { what: error.to_string() })
}

fn facts(view: &View<'_, '_>, source: Source) -> Result<Facts, StoreError> {
    let own = crate::successor::is_own(view.db, view.me, source.log)?;
    let owner = view.db.origin(source.log)?;
    let kind = Kind::of_envelope(source.lane, source.walled);
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
    if own && source.label.tlp == Tlp::Red {
        facts.named_readers = named_readers(view, &source.thread)?;
    }
    Ok(facts)
}

/// Who may read a RED thread now: own people who are named, and guests whose time is not over.
fn named_readers(view: &View<'_, '_>, thread: &ThreadId) -> Result<Vec<Reader>, StoreError> {
    let people = view.db.red_readers(thread)?.into_iter().map(|row| Reader::Person(ReaderId(row.person.0)));
    let guests = view.db.guests_of(thread)?.into_iter().filter(|guest| crate::guest::is_open(guest, view.now));
    Ok(people.chain(guests.map(|guest| Reader::Guest(GuestId::new(guest.id)))).collect())
}
