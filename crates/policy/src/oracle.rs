//! A second, naive reading of architecture §5, row by row as the table prints it. It shares no code
//! with `decide`: own match on labels, own loop over members. Property tests on every face, and the
//! demo, compare the two.

use model::{Desk, Origin};

use crate::facts::{Facts, Kind, Reader};
use crate::viewer::{Purpose, Roles, Viewer};

/// May this viewer see it, for this purpose, by the current rules?
#[must_use]
pub fn may(facts: &Facts, viewer: &Viewer, purpose: Purpose) -> bool {
    let what_for = purpose.word();
    realms_agree(facts, viewer)
        && table_admits(facts, viewer, what_for)
        && wall_is_open(facts, viewer)
        && (!facts.withdrawn || (is_owners_person(facts, viewer) && what_for == "read"))
        && (!facts.repudiated || (["read", "feed"].contains(&what_for) && !matches!(viewer, Viewer::Public)))
        && pap_allows(facts, what_for)
        && (what_for != "enforce" || is_order(facts, viewer))
}

/// "Nothing leaves across realms."
fn realms_agree(facts: &Facts, viewer: &Viewer) -> bool {
    let mut nodes = vec![&facts.owner, &facts.here];
    nodes.extend(home(viewer));
    nodes.iter().all(|node| node.realm().to_string() == facts.realm.to_string())
}

/// The TLP table: first the row, then the viewer. No label, nobody.
fn table_admits(facts: &Facts, viewer: &Viewer, what_for: &str) -> bool {
    let Some(label) = facts.label else {
        return false;
    };
    let row = label.tlp.word();
    let own = name(&facts.owner) == name(&facts.here);
    let readable = own || is_listed(&facts.here, facts.member_set.as_slice());
    let from_here = home(viewer).is_some_and(|node| name(node) == name(&facts.here));
    match (row, viewer) {
        ("RED", Viewer::NamedPerson { reader, roles, .. }) => {
            let named = facts.named_readers.contains(&Reader::Person(*reader));
            own && from_here && what_for == "read" && reads(*roles) && named
        }
        ("RED", Viewer::Guest { id, named_for }) => {
            let named = facts.named_readers.contains(&Reader::Guest(*id));
            own && what_for == "read" && named && facts.thread == Some(*named_for)
        }
        ("RED", _) | (_, Viewer::Guest { .. }) => false,
        (_, Viewer::Public) => row == "CLEAR" && own && facts.published,
        (_, Viewer::Partner { origin, .. }) => own && is_listed(origin, facts.member_set.as_slice()),
        (_, Viewer::Person { roles, .. } | Viewer::NamedPerson { roles, .. }) => from_here && readable && reads(*roles),
        ("AMBER+STRICT", Viewer::Constituent { .. }) => false,
        (_, Viewer::Constituent { entity, .. }) => {
            let admitted = facts.admitted_constituents.contains(entity);
            let audience = format!("{:?}", facts.audience);
            let community = audience == "Community" || audience == "Union";
            let plain = facts.kind == Kind::Intelligence && !facts.voluntary;
            from_here && readable && (admitted || (row != "AMBER" && community && plain))
        }
    }
}

/// "Voluntary notices, help conversations, evidence and helpers' findings never reach a supervising
/// desk except by an explicit act." A supervisor reads the public collection too.
fn wall_is_open(facts: &Facts, viewer: &Viewer) -> bool {
    let free = [Kind::Intelligence, Kind::Workflow].contains(&facts.kind) && !facts.voluntary;
    match viewer {
        Viewer::Public => free,
        Viewer::Person { desk, .. } | Viewer::NamedPerson { desk, .. } => {
            let disclosed = facts.disclosed_to.iter().any(|act| act.desk == *desk);
            *desk != Desk::CompetentAuthority || free || disclosed
        }
        Viewer::Partner { .. } | Viewer::Constituent { .. } | Viewer::Guest { .. } => true,
    }
}

/// What was taken back, the owner's own people may still read.
fn is_owners_person(facts: &Facts, viewer: &Viewer) -> bool {
    match viewer {
        Viewer::Person { authority, .. } | Viewer::NamedPerson { authority, .. } => {
            name(authority) == name(&facts.owner)
        }
        Viewer::Public | Viewer::Partner { .. } | Viewer::Constituent { .. } | Viewer::Guest { .. } => false,
    }
}

/// "PAP limits detection and blocking."
fn pap_allows(facts: &Facts, what_for: &str) -> bool {
    let pap = facts.label.and_then(|label| label.pap).map_or("none", |pap| pap.word());
    match what_for {
        "detect" => ["CLEAR", "GREEN", "AMBER"].contains(&pap),
        "block" => ["CLEAR", "GREEN"].contains(&pap),
        "export" => pap != "RED",
        _ => true,
    }
}

/// Enforced is what stands in the workflow between parties, and nothing that was told voluntarily.
fn is_order(facts: &Facts, viewer: &Viewer) -> bool {
    let constituent = matches!(viewer, Viewer::Constituent { .. });
    let party = home(viewer).is_some_and(|node| is_listed(node, facts.parties.as_slice()));
    facts.kind == Kind::Workflow && !facts.voluntary && party && !constituent
}

fn reads(roles: Roles) -> bool {
    let mut words = roles.iter().map(|role| role.word());
    words.any(|word| !["administrator", "auditor", "entity-reporter"].contains(&word))
}

fn home(viewer: &Viewer) -> Option<&Origin> {
    match viewer {
        Viewer::Partner { origin, .. } => Some(origin),
        Viewer::Constituent { of, .. } => Some(of),
        Viewer::Person { authority, .. } | Viewer::NamedPerson { authority, .. } => Some(authority),
        Viewer::Public | Viewer::Guest { .. } => None,
    }
}

fn is_listed(node: &Origin, members: &[Origin]) -> bool {
    for member in members {
        if name(member) == name(node) {
            return true;
        }
    }
    false
}

/// A node by its first four words, `entraide/<country>/<realm>/<root>`, without the epoch.
fn name(origin: &Origin) -> String {
    origin.to_string().split('/').take(4).collect::<Vec<_>>().join("/")
}
