//! Audiences and communities: who they are, how they change, and which one a statement goes to.

use domain::said::Said;
use model::extension::{Audience, AudienceKind, Common, Extension};
use model::{
    AudienceAt, AudienceId, Commitment, Country, Label, Lane, MediaType, MemberSet, Origin, Reach, ThreadId,
    ThreadVersion, Tlp, Walled, limits as model_limits,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{AudienceRow, Db, PartnerRow, PartnerState, SetId, StatementId, StoreError};

use crate::append::{self, Appended, NewEntry};
use crate::partner;
use crate::ports::random_bytes;
use crate::work::Work;

/// Why an audience was not made, changed or found.
#[derive(Debug, thiserror::Error)]
pub enum AudienceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No own audience of that name.
    #[error("there is no audience `{0}`: create it with `entraide audience create`, or list them")]
    Unknown(String),
    /// The name is taken.
    #[error("there is an audience `{0}` already: choose another name, or change its members")]
    Taken(String),
    /// Empty or too long.
    #[error("`{0}` is not a name for an audience: write 1 to 200 bytes without control characters")]
    Name(String),
    /// A member that is no active partner.
    #[error("`{0}` is not a confirmed partner: peer with it first")]
    Member(String),
    /// Two partners of one country.
    #[error("`{0}` names several partners: write the whole origin")]
    Ambiguous(String),
    /// Too many.
    #[error(transparent)]
    Size(#[from] model::members::TooManyMembers),
    /// AMBER and AMBER+STRICT name their audience.
    #[error("{0} goes to a named audience: add one (`--audience NAME`)")]
    NeedsName(Tlp),
    /// RED goes nowhere.
    #[error("TLP:RED is opened to no node: assert it without an audience")]
    RedHasNone,
    /// Nothing ticked.
    #[error(
        "no community is ticked for CLEAR and GREEN: tick one (`entraide community tick NAME`), or name an audience"
    )]
    NothingTicked,
    /// The person saw another number.
    #[error("{found} older statements would go, not {expected}: look again, then confirm the new number")]
    Backfill {
        /// What the person confirmed.
        expected: u64,
        /// What would go now.
        found: u64,
    },
    /// The node's own kinds.
    #[error("`{0}` is kept by the node itself: change the communities that it is made of")]
    NotByHand(String),
}

/// To whom a new statement goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The ticked communities (CLEAR and GREEN), or nobody (RED).
    Default,
    /// One audience by its name.
    Named(String),
    /// One audience by its id.
    Id(AudienceId),
}

/// A choice turned into members.
#[derive(Debug, Clone)]
pub struct Target {
    /// As envelopes name it.
    pub at: AudienceAt,
    /// The interned set; `None` exactly for RED.
    pub set: Option<SetId>,
    /// Who is in it.
    pub members: MemberSet,
    /// Its name for people.
    pub name: String,
}

/// Finds the audience of a new statement, making the union of the ticked communities if it is new.
///
/// # Errors
/// The choice does not fit the label, or names nothing.
pub fn resolve(work: &mut Work<'_, '_>, choice: &Choice, tlp: Tlp) -> Result<Target, AudienceError> {
    match (tlp, choice) {
        (Tlp::Red, Choice::Default) => Ok(nobody()),
        (Tlp::Red, Choice::Named(_) | Choice::Id(_)) => Err(AudienceError::RedHasNone),
        (Tlp::Amber | Tlp::AmberStrict, Choice::Default) => Err(AudienceError::NeedsName(tlp)),
        (Tlp::Clear | Tlp::Green, Choice::Default) => ticked_union(work),
        (_, Choice::Named(name)) => {
            let row = own_by_name(work.tx, work, name)?;
            target(work.tx, &row)
        }
        (_, Choice::Id(id)) => {
            let row = work.tx.audience(work.me.log, id)?.ok_or_else(|| AudienceError::Unknown(id.to_string()))?;
            target(work.tx, &row)
        }
    }
}

fn nobody() -> Target {
    let members = MemberSet::empty();
    let at = AudienceAt { id: AudienceId::new([0; 16]), version: 0, members: members.digest() };
    Target { at, set: None, members, name: "nobody: named readers on this node".to_owned() }
}

fn own_by_name(db: &Db<'_>, work: &Work<'_, '_>, name: &str) -> Result<AudienceRow, AudienceError> {
    db.audience_by_name(work.me.log, name)?.ok_or_else(|| AudienceError::Unknown(name.to_owned()))
}

/// The members of one version of an audience, ready for an envelope.
///
/// # Errors
/// The database.
pub fn target(db: &Db<'_>, row: &AudienceRow) -> Result<Target, AudienceError> {
    let members = db.set_members(row.set)?;
    let at = AudienceAt { id: row.audience, version: row.version, members: members.digest() };
    Ok(Target { at, set: Some(row.set), members, name: row.name.clone() })
}

fn ticked_union(work: &mut Work<'_, '_>) -> Result<Target, AudienceError> {
    let mut rows = Vec::new();
    for id in work.tx.ticked()? {
        rows.extend(work.tx.audience(work.me.log, &id)?);
    }
    match rows.as_slice() {
        [] => Err(AudienceError::NothingTicked),
        [one] => target(work.tx, one),
        many => {
            let mut members = Vec::new();
            for row in many {
                members.extend(Vec::from(work.tx.set_members(row.set)?));
            }
            let members = MemberSet::new(members)?;
            let id = union_id(many);
            if let Some(row) = work.tx.audience(work.me.log, &id)?
                && work.tx.set_members(row.set)? == members
            {
                return target(work.tx, &row);
            }
            let names: Vec<&str> = many.iter().map(|row| row.name.as_str()).collect();
            let mut name = names.join(" + ");
            truncate(&mut name, model_limits::NAME_BYTES);
            say(work, id, &name, AudienceKind::Union, members)
        }
    }
}

/// The id of the union of some communities: made of theirs, so that it is the same each time.
fn union_id(rows: &[AudienceRow]) -> AudienceId {
    let mut ids: Vec<AudienceId> = rows.iter().map(|row| row.audience).collect();
    ids.sort();
    let mut hash = Sha256::new();
    hash.update(b"entraide/union/v1");
    for id in ids {
        hash.update(id.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    AudienceId::new(id)
}

fn truncate(text: &mut String, most: usize) {
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

/// Makes a named audience or a community, and says so to its members.
///
/// # Errors
/// The name is taken or no name; a member is no confirmed partner.
pub fn create(
    work: &mut Work<'_, '_>,
    name: &str,
    kind: AudienceKind,
    members: &[String],
) -> Result<Target, AudienceError> {
    if name.is_empty() || name.len() > model_limits::NAME_BYTES || name.chars().any(char::is_control) {
        return Err(AudienceError::Name(name.chars().take(60).collect()));
    }
    if work.tx.audience_by_name(work.me.log, name)?.is_some() {
        return Err(AudienceError::Taken(name.to_owned()));
    }
    let members = find_members(work.tx, members)?;
    let id = AudienceId::new(random_bytes(work.random));
    say(work, id, name, kind, members)
}

/// The bilateral audience of one partner, made when it is first needed.
///
/// # Errors
/// The database.
pub fn bilateral(work: &mut Work<'_, '_>, partner: &Origin) -> Result<Target, AudienceError> {
    let mut hash = Sha256::new();
    hash.update(b"entraide/bilateral/v1");
    hash.update(work.me.origin.base().to_string());
    hash.update(partner.base().to_string());
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    let id = AudienceId::new(id);
    if let Some(row) = work.tx.audience(work.me.log, &id)? {
        return target(work.tx, &row);
    }
    let members = MemberSet::new([partner.clone()])?;
    let name = format!("{} alone ({})", partner.country(), partner.root());
    say(work, id, &name, AudienceKind::Bilateral, members)
}

/// An audience that the node keeps itself under a fixed id, brought up to date if its members have changed.
///
/// # Errors
/// The database.
pub(crate) fn of_own_making(
    work: &mut Work<'_, '_>,
    id: AudienceId,
    name: &str,
    kind: AudienceKind,
    members: &MemberSet,
) -> Result<Target, AudienceError> {
    if let Some(row) = work.tx.audience(work.me.log, &id)?
        && work.tx.set_members(row.set)? == *members
    {
        return target(work.tx, &row);
    }
    say(work, id, name, kind, members.clone())
}

/// Resolves members written as countries or whole origins among the confirmed partners; `*` is all of them that
/// have a node: mail to somebody else goes to whom a person has named.
///
/// # Errors
/// One is no confirmed partner, or means several.
pub fn find_members(db: &Db<'_>, names: &[String]) -> Result<MemberSet, AudienceError> {
    let mut partners = db.partners_of_any_reach()?;
    partners.retain(|partner| matches!(partner.state, PartnerState::Active | PartnerState::Held));
    let has_node = |partner: &&PartnerRow| partner.reach == Reach::Node;
    let mut members = Vec::new();
    for name in names {
        if name == "*" {
            members.extend(partners.iter().filter(has_node).map(|partner| partner.origin.clone()));
            continue;
        }
        let country = name.parse::<Country>().ok();
        let mut found: Vec<&PartnerRow> =
            partners.iter().filter(|partner| partner::is_meant(partner, name, country)).collect();
        // Two letters mean the nation's node where it has one.
        if country.is_some() && found.iter().any(has_node) {
            found.retain(has_node);
        }
        match found.as_slice() {
            [] => return Err(AudienceError::Member(name.clone())),
            [one] => members.push(one.origin.clone()),
            _ => return Err(AudienceError::Ambiguous(name.clone())),
        }
    }
    Ok(MemberSet::new(members)?)
}

/// What a change of members would open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackfillPreview {
    /// Who would be new.
    pub joining: Vec<Origin>,
    /// Who would no longer be in it.
    pub leaving: Vec<Origin>,
    /// How many older statements the new members would get, if their history is sent too.
    pub older: u64,
}

/// What would a change of members do? The number is shown to a person before anything goes.
///
/// # Errors
/// No such audience, or a member that is no partner.
pub fn preview(work: &Work<'_, '_>, name: &str, members: &[String]) -> Result<BackfillPreview, AudienceError> {
    let row = own_by_name(work.tx, work, name)?;
    let new = find_members(work.tx, members)?;
    let old = work.tx.set_members(row.set)?;
    let missing = |from: &MemberSet, other: &MemberSet| {
        from.as_slice().iter().filter(|origin| !other.contains(origin)).cloned().collect::<Vec<_>>()
    };
    Ok(BackfillPreview {
        joining: missing(&new, &old),
        leaving: missing(&old, &new),
        older: history(work, &row)?.len() as u64,
    })
}

/// Changes the members of an audience or community. With `backfill`, the new members get the history: the number must
/// be the one that a person saw in the preview.
///
/// # Errors
/// No such audience; a member that is no partner; the number has changed since it was seen.
pub fn change(
    work: &mut Work<'_, '_>,
    name: &str,
    members: &[String],
    backfill: Option<u64>,
) -> Result<Target, AudienceError> {
    let row = own_by_name(work.tx, work, name)?;
    if matches!(row.kind, AudienceKind::Union | AudienceKind::Bilateral) {
        return Err(AudienceError::NotByHand(name.to_owned()));
    }
    let new = find_members(work.tx, members)?;
    let old = work.tx.set_members(row.set)?;
    let joining: Vec<Origin> = new.as_slice().iter().filter(|origin| !old.contains(origin)).cloned().collect();
    let older = history(work, &row)?;
    if let Some(expected) = backfill
        && expected != older.len() as u64
    {
        return Err(AudienceError::Backfill { expected, found: older.len() as u64 });
    }
    let target = say(work, row.audience, name, row.kind, new)?;
    if backfill.is_some() && !joining.is_empty() {
        let set = work.tx.intern_set(&MemberSet::new(joining)?)?;
        let kind = journal::wire::ReleaseKind::Backfill.code();
        for (lane, statement) in older {
            work.tx.release(kind, lane, statement, set, work.now)?;
        }
    }
    Ok(target)
}

/// Everything said to an audience so far, both lanes, in order.
fn history(work: &Work<'_, '_>, row: &AudienceRow) -> Result<Vec<(Lane, StatementId)>, StoreError> {
    let mut all = Vec::new();
    for lane in Lane::ALL {
        let statements = work.tx.chain_statements(work.me.log, &row.audience, lane)?;
        all.extend(statements.into_iter().map(|statement| (lane, statement)));
    }
    Ok(all)
}

/// Says a version of an audience to its members.
pub(crate) fn say(
    work: &mut Work<'_, '_>,
    id: AudienceId,
    name: &str,
    kind: AudienceKind,
    members: MemberSet,
) -> Result<Target, AudienceError> {
    let last = work.tx.audience(work.me.log, &id)?;
    let version = last.as_ref().map_or(1, |row| row.version + 1).saturating_add(gap_in_versions(work, last.as_ref())?);
    let set = work.tx.intern_set(&members)?;
    let at = AudienceAt { id, version, members: members.digest() };
    let before = match &last {
        Some(row) => work.tx.object(row.statement)?,
        None => None,
    };
    let mut common = Common::new(Audience::KIND, random_bytes(work.random), &work.me.origin, work.now)
        .map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    if let Some(object) = &before {
        common.id = object.stix_id.clone();
    }
    let audience = Audience { common, audience: id, version, name: name.to_owned(), kind, members: members.clone() };
    let after = before.map(|object| (object.thread, ThreadVersion(object.thread_version), object.commitment));
    let body = audience.to_bytes();
    say_workflow(work, at, set, after, None, &body)?;
    Ok(Target { at, set: Some(set), members, name: name.to_owned() })
}

/// Versions that are left out after a recovery: one that was lost here may be known to somebody who was not asked.
fn gap_in_versions(work: &Work<'_, '_>, last: Option<&AudienceRow>) -> Result<u32, StoreError> {
    let recovered = work.recovered();
    if recovered.gap == 0 {
        return Ok(0);
    }
    let said = match last {
        Some(row) => work.tx.statement(row.statement)?,
        None => None,
    };
    let is_new = said.is_some_and(|row| row.index.0 >= recovered.size);
    Ok(if is_new { 0 } else { u32::try_from(recovered.gap).unwrap_or(u32::MAX) })
}

/// Appends one of our own objects to the workflow lane, at AMBER+STRICT: it is for the audience's authorities. What is
/// about something behind the wall stands there too.
pub(crate) fn say_workflow(
    work: &mut Work<'_, '_>,
    at: AudienceAt,
    set: SetId,
    after: Option<(ThreadId, ThreadVersion, Commitment)>,
    walled: Option<Walled>,
    body: &[u8],
) -> Result<Appended, StoreError> {
    say_labelled(work, (at, Some(set)), after, (Tlp::AmberStrict, walled), body)
}

/// The same at RED, for nobody: what is about a RED statement tells no more of it than the statement itself.
pub(crate) fn say_red(
    work: &mut Work<'_, '_>,
    at: AudienceAt,
    walled: Option<Walled>,
    body: &[u8],
) -> Result<Appended, StoreError> {
    say_labelled(work, (at, None), None, (Tlp::Red, walled), body)
}

fn say_labelled(
    work: &mut Work<'_, '_>,
    (at, set): (AudienceAt, Option<SetId>),
    after: Option<(ThreadId, ThreadVersion, Commitment)>,
    (tlp, walled): (Tlp, Option<Walled>),
    body: &[u8],
) -> Result<Appended, StoreError> {
    // Read as every receiver and every rebuild reads it, so that the views come out the same.
    let said = Said::read(MediaType::Stix, body)
        .map_err(|error| StoreError::Corrupt { what: format!("an own object does not read: {error}") })?;
    let entry = NewEntry {
        lane: Lane::Workflow,
        after,
        audience: at,
        set,
        label: Label::from(tlp),
        walled,
        media: MediaType::Stix,
        body,
    };
    append::append(work, &entry, &said)
}
