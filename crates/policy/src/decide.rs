//! The rules. Deny by default: every viewer has one function that says when it may see, and everything else is denied.
//!
//! Order: version, realm, label, then who asks, then withdrawal, then what for. The order picks the reason that is
//! logged; it never changes the answer, which `oracle` reads in another order.

use model::extension::AudienceKind;
use model::{Desk, Label, Origin, Pap, ThreadId, Tlp};
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, Kind, Reader};
use crate::verdict::{Because, Verdict};
use crate::viewer::{EntityId, GuestId, Purpose, ReaderId, Roles, Viewer};

/// Which rules: a verdict in the audit log stays explainable after the rules have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyVersion(u32);

impl PolicyVersion {
    /// The rules of this program.
    pub const CURRENT: Self = Self(1);

    /// A version as it was logged. Rules that this program does not have deny everything.
    #[must_use]
    pub const fn of(number: u32) -> Self {
        Self(number)
    }
    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// May this viewer see it, for this purpose? Pure; the only place where the rules of architecture §5 are applied.
pub fn decide(facts: &Facts, viewer: &Viewer, purpose: Purpose, version: &PolicyVersion) -> Verdict {
    match ruling(facts, viewer, purpose, *version) {
        Ok(because) => Verdict::Allow { because },
        Err(because) => Verdict::Deny { because },
    }
}

/// `Ok` is a reason to allow, `Err` a reason to deny.
type Ruling = Result<Because, Because>;

fn ruling(facts: &Facts, viewer: &Viewer, purpose: Purpose, version: PolicyVersion) -> Ruling {
    if version != PolicyVersion::CURRENT {
        return Err(Because::UnknownPolicy);
    }
    one_realm(facts, viewer)?;
    let label = facts.label.ok_or(Because::Unlabelled)?;
    let because = match viewer {
        Viewer::Public => public(facts, label.tlp),
        Viewer::Partner { origin, class: _ } => partner(facts, label.tlp, origin),
        Viewer::Constituent { entity, of } => constituent(facts, label.tlp, *entity, of),
        Viewer::Person { authority, desk, roles } => person(facts, label.tlp, authority, *desk, *roles),
        Viewer::NamedPerson { reader, authority, desk, roles } => {
            named_person(facts, label.tlp, *reader, (authority, *desk, *roles), purpose)
        }
        Viewer::Guest { id, named_for } => guest(facts, label.tlp, *id, *named_for, purpose),
    }?;
    still_said(facts, viewer, purpose)?;
    permitted(label, purpose)?;
    if purpose == Purpose::Enforce {
        enforceable(facts, viewer)?;
    }
    Ok(because)
}

/// Reality and exercises never meet: the log, the node that asks and the viewer are all of the statement's realm.
fn one_realm(facts: &Facts, viewer: &Viewer) -> Result<(), Because> {
    let same = |node: &Origin| *node.realm() == facts.realm;
    if same(&facts.owner) && same(&facts.here) && viewer.node().is_none_or(same) {
        return Ok(());
    }
    Err(Because::OtherRealm { realm: facts.realm.clone() })
}

/// The public sees a CLEAR statement of ours after an act of publishing. What stands behind the wall is never
/// published: supervisors are part of the public.
fn public(facts: &Facts, tlp: Tlp) -> Ruling {
    if !same_node(&facts.owner, &facts.here) {
        return Err(Because::NotOurs);
    }
    if facts.published && tlp == Tlp::Clear && !walled(facts) {
        return Ok(Because::Published);
    }
    Err(Because::NotPublished)
}

/// A partner sees what we said to an audience that it is in, and nothing that another nation said.
fn partner(facts: &Facts, tlp: Tlp, origin: &Origin) -> Ruling {
    if !same_node(&facts.owner, &facts.here) {
        return Err(Because::NotOurs);
    }
    match tlp {
        Tlp::Red => Err(Because::RedStaysHome),
        Tlp::Clear | Tlp::Green | Tlp::Amber | Tlp::AmberStrict => {
            if facts.member_set.contains(origin) {
                Ok(Because::InAudience)
            } else {
                Err(Because::NotInAudience)
            }
        }
    }
}

/// An entity sees, on the node of its own authority, the intelligence of communities up to GREEN and what it was
/// admitted to up to AMBER.
fn constituent(facts: &Facts, tlp: Tlp, entity: EntityId, of: &Origin) -> Ruling {
    if !same_node(of, &facts.here) {
        return Err(Because::OtherAuthority);
    }
    if !reached_us(facts) {
        return Err(Because::NotOpenedToUs);
    }
    let community = match facts.audience {
        AudienceKind::Community | AudienceKind::Union => true,
        AudienceKind::Named | AudienceKind::Bilateral => false,
    };
    let admitted = facts.admitted_constituents.contains(&entity);
    match tlp {
        Tlp::Clear | Tlp::Green if community && facts.kind == Kind::Intelligence && !walled(facts) => {
            Ok(Because::CommunityConstituent)
        }
        Tlp::Clear | Tlp::Green | Tlp::Amber if admitted => Ok(Because::AdmittedConstituent),
        Tlp::Clear | Tlp::Green | Tlp::Amber => Err(Because::NotAdmitted),
        Tlp::AmberStrict | Tlp::Red => Err(Because::AuthoritiesOnly),
    }
}

/// A person of this node sees our own statements and those opened to us, up to the wall, and no RED.
fn person(facts: &Facts, tlp: Tlp, authority: &Origin, desk: Desk, roles: Roles) -> Ruling {
    let through_the_wall = staff(facts, authority, desk, roles)?;
    if tlp == Tlp::Red {
        return Err(Because::NotNamed);
    }
    opened(facts, through_the_wall)
}

/// The same in the person's own name, who reads RED if named.
fn named_person(
    facts: &Facts,
    tlp: Tlp,
    reader: ReaderId,
    (authority, desk, roles): (&Origin, Desk, Roles),
    purpose: Purpose,
) -> Ruling {
    let through_the_wall = staff(facts, authority, desk, roles)?;
    if tlp == Tlp::Red {
        return red(facts, Reader::Person(reader), purpose);
    }
    opened(facts, through_the_wall)
}

/// A guest reads the one RED thread that names the guest, on the owner's node.
fn guest(facts: &Facts, tlp: Tlp, id: GuestId, named_for: ThreadId, purpose: Purpose) -> Ruling {
    if tlp != Tlp::Red || facts.thread != Some(named_for) {
        return Err(Because::NotNamed);
    }
    red(facts, Reader::Guest(id), purpose)
}

/// What every person of this node must pass; the reason is that of an act which opened the wall.
fn staff(facts: &Facts, authority: &Origin, desk: Desk, roles: Roles) -> Result<Option<Because>, Because> {
    if !same_node(authority, &facts.here) {
        return Err(Because::OtherAuthority);
    }
    if !roles.read_content() {
        return Err(Because::NoContentRole);
    }
    if !(walled(facts) && desk.supervises()) {
        return Ok(None);
    }
    let act = facts.disclosed_to.iter().find(|act| act.desk == desk).ok_or(Because::Wall)?;
    Ok(Some(Because::Disclosed(act.article.clone())))
}

fn opened(facts: &Facts, through_the_wall: Option<Because>) -> Ruling {
    if !reached_us(facts) {
        return Err(Because::NotOpenedToUs);
    }
    Ok(through_the_wall.unwrap_or(if same_node(&facts.owner, &facts.here) {
        Because::OwnStatement
    } else {
        Because::OpenedToUs
    }))
}

/// RED: named persons, on the owner's node, for reading alone.
fn red(facts: &Facts, reader: Reader, purpose: Purpose) -> Ruling {
    if !same_node(&facts.owner, &facts.here) {
        return Err(Because::RedStaysHome);
    }
    if purpose != Purpose::Read {
        return Err(Because::RedIsOnlyRead(purpose));
    }
    if facts.named_readers.contains(&reader) {
        return Ok(Because::NamedReader);
    }
    Err(Because::NotNamed)
}

/// What was taken back is still read by the owner's own people, so that they can account for it.
fn still_said(facts: &Facts, viewer: &Viewer, purpose: Purpose) -> Result<(), Because> {
    let own_person = match viewer {
        Viewer::Person { authority, .. } | Viewer::NamedPerson { authority, .. } => same_node(authority, &facts.owner),
        Viewer::Public | Viewer::Partner { .. } | Viewer::Constituent { .. } | Viewer::Guest { .. } => false,
    };
    if facts.withdrawn && !(own_person && purpose == Purpose::Read) {
        return Err(Because::Withdrawn);
    }
    // A feed carries it on, so that partners hold the whole log; they mark it as their own nodes do.
    let use_of_it = !matches!(purpose, Purpose::Read | Purpose::Feed);
    if facts.repudiated && (use_of_it || *viewer == Viewer::Public) {
        return Err(Because::Repudiated);
    }
    Ok(())
}

/// The Permissible Actions Protocol. Detection and blocking need a permission; PAP:RED does not leave the desk either.
fn permitted(label: Label, purpose: Purpose) -> Result<(), Because> {
    let strictest = match purpose {
        Purpose::Detect => Pap::Amber,
        Purpose::Block => Pap::Green,
        Purpose::Export => {
            return match label.pap {
                Some(Pap::Red) => Err(Because::PapForbids(Pap::Red, purpose)),
                Some(Pap::Clear | Pap::Green | Pap::Amber) | None => Ok(()),
            };
        }
        Purpose::Read | Purpose::Feed | Purpose::Enforce => return Ok(()),
    };
    match label.pap {
        None => Err(Because::PapMissing(purpose)),
        Some(pap) if pap > strictest => Err(Because::PapForbids(pap, purpose)),
        Some(_) => Ok(()),
    }
}

/// Only what two parties have agreed or asked can be acted on as an order, and only by them.
fn enforceable(facts: &Facts, viewer: &Viewer) -> Result<(), Because> {
    if facts.voluntary {
        return Err(Because::VoluntaryBindsNobody);
    }
    if facts.kind != Kind::Workflow {
        return Err(Because::NothingToEnforce);
    }
    let party = match viewer {
        Viewer::Partner { origin: node, .. }
        | Viewer::Person { authority: node, .. }
        | Viewer::NamedPerson { authority: node, .. } => facts.parties.contains(node),
        Viewer::Public | Viewer::Constituent { .. } | Viewer::Guest { .. } => false,
    };
    if party { Ok(()) } else { Err(Because::NotAParty) }
}

/// Is it our own, or was it opened to us?
fn reached_us(facts: &Facts) -> bool {
    same_node(&facts.owner, &facts.here) || facts.member_set.contains(&facts.here)
}

fn walled(facts: &Facts) -> bool {
    facts.voluntary || facts.kind.is_walled()
}

/// The same nation in the same realm, at whatever epoch of its log.
fn same_node(one: &Origin, other: &Origin) -> bool {
    one.root() == other.root() && one.country() == other.country() && one.realm() == other.realm()
}

#[cfg(test)]
mod tests;
