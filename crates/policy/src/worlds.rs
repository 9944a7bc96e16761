//! Random worlds for property tests: a few nations, in reality and in an exercise, who say things and ask for them.
//!
//! Few names on purpose, so that the one who asks is often the owner, a member, a party or somebody named.

use model::extension::AudienceKind;
use model::{Desk, Label, MemberSet, Origin, Pap, PartnerClass, Role, ThreadId, Tlp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::facts::{Article, Facts, Kind, Reader, WallException};
use crate::viewer::{EntityId, GuestId, Purpose, ReaderId, Roles, Viewer};

const NATIONS: [&str; 4] = ["EE", "FR", "PL", "UA"];

/// One question to the policy.
#[derive(Debug, Clone)]
pub struct World {
    /// About what.
    pub facts: Facts,
    /// By whom.
    pub viewer: Viewer,
    /// What for.
    pub purpose: Purpose,
}

/// A node: one of four nations, mostly in reality, at one of three epochs.
pub fn origin() -> impl Strategy<Value = Origin> {
    let realm = prop_oneof![9 => Just("REAL"), 1 => Just("EX-BLUE")];
    (select(&NATIONS[..]), realm, 0..3_u32).prop_filter_map("an origin", |(country, realm, epoch)| {
        let origin: Origin = format!("entraide/{country}/{realm}/0123456789abcdef").parse().ok()?;
        Some(origin.with_epoch(epoch))
    })
}

/// Up to four nodes.
pub fn member_set() -> impl Strategy<Value = MemberSet> {
    vec(origin(), 0..5).prop_map(|nodes| MemberSet::new(nodes).unwrap_or_else(|_| MemberSet::empty()))
}

/// Any label, with or without a PAP.
pub fn label() -> impl Strategy<Value = Label> {
    (select(&Tlp::ALL[..]), option::of(select(&Pap::ALL[..]))).prop_map(|(tlp, pap)| Label { tlp, pap })
}

/// Any purpose, reading and enforcing more often: the first has the most rules, the second is the
/// hardest to be allowed.
pub fn purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![2 => Just(Purpose::Read), 1 => Just(Purpose::Enforce), 4 => select(&Purpose::ALL[..])]
}

/// One of three entities.
pub fn entity() -> impl Strategy<Value = EntityId> {
    (0..3_u8).prop_map(|number| EntityId::new([number; 16]))
}

/// One of two threads.
pub fn thread() -> impl Strategy<Value = ThreadId> {
    (0..2_u8).prop_map(|number| ThreadId::new([number; 16]))
}

/// One of four named readers.
pub fn reader() -> impl Strategy<Value = Reader> {
    prop_oneof![
        (0..2_i64).prop_map(|number| Reader::Person(ReaderId(number))),
        (0..2_u8).prop_map(|number| Reader::Guest(GuestId::new([number; 16]))),
    ]
}

/// Any desk, the supervising one more often: the wall is what goes wrong most easily.
pub fn desk() -> impl Strategy<Value = Desk> {
    prop_oneof![Just(Desk::CompetentAuthority), Just(Desk::Csirt), select(Desk::ALL)]
}

/// Up to two roles.
pub fn roles() -> impl Strategy<Value = Roles> {
    vec(select(Role::ALL), 0..3).prop_map(Roles::new)
}

/// Anybody.
pub fn viewer() -> impl Strategy<Value = Viewer> {
    prop_oneof![
        1 => Just(Viewer::Public),
        3 => (origin(), select(PartnerClass::ALL)).prop_map(|(origin, class)| Viewer::Partner { origin, class }),
        2 => (entity(), origin()).prop_map(|(entity, of)| Viewer::Constituent { entity, of }),
        3 => (origin(), desk(), roles())
            .prop_map(|(authority, desk, roles)| Viewer::Person { authority, desk, roles }),
        3 => (0..2_i64, origin(), desk(), roles()).prop_map(|(number, authority, desk, roles)| {
            Viewer::NamedPerson { reader: ReaderId(number), authority, desk, roles }
        }),
        1 => (0..2_u8, thread())
            .prop_map(|(number, named_for)| Viewer::Guest { id: GuestId::new([number; 16]), named_for }),
    ]
}

/// Any statement, of an own log half of the time.
pub fn facts() -> impl Strategy<Value = Facts> {
    let audience =
        select(&[AudienceKind::Named, AudienceKind::Community, AudienceKind::Union, AudienceKind::Bilateral][..]);
    let kind = prop_oneof![Just(Kind::Intelligence), Just(Kind::Workflow), select(&Kind::ALL[..])];
    let who = (origin(), option::of(origin()), member_set(), member_set(), audience);
    let what = (kind, option::weighted(0.9, label()), option::weighted(0.9, thread()));
    let rarely = || prop::bool::weighted(0.15);
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2), any::<bool>(), rarely(), rarely());
    let lists = (vec(entity(), 0..3), vec(reader(), 0..4), vec(wall_exception(), 0..2));
    (who, what, flags, lists).prop_map(|(who, what, flags, lists)| {
        let (here, other, member_set, parties, audience) = who;
        let (kind, label, thread) = what;
        let (voluntary, withdrawn, published, other_realm, repudiated) = flags;
        let (admitted_constituents, named_readers, disclosed_to) = lists;
        let owner = other.unwrap_or_else(|| here.clone());
        // An envelope may claim another realm than its log's; nobody may then see it.
        let realm = if other_realm { here.realm() } else { owner.realm() }.clone();
        Facts {
            owner,
            realm,
            label,
            audience,
            member_set: member_set.into(),
            admitted_constituents,
            parties: parties.into(),
            voluntary,
            withdrawn,
            repudiated,
            published,
            thread,
            named_readers,
            disclosed_to,
            ..Facts::of_intake(&here, kind, None)
        }
    })
}

/// Any statement, anybody, any purpose.
pub fn world() -> impl Strategy<Value = World> {
    // People and entities mostly ask their own node; elsewhere nearly every answer is the same no.
    (facts(), viewer(), purpose(), prop::bool::weighted(0.7)).prop_map(|(facts, mut viewer, purpose, at_home)| {
        match &mut viewer {
            Viewer::Person { authority: node, .. }
            | Viewer::NamedPerson { authority: node, .. }
            | Viewer::Constituent { of: node, .. }
                if at_home =>
            {
                *node = facts.here.clone();
            }
            Viewer::Public
            | Viewer::Partner { .. }
            | Viewer::Constituent { .. }
            | Viewer::Person { .. }
            | Viewer::NamedPerson { .. }
            | Viewer::Guest { .. } => {}
        }
        World { facts, viewer, purpose }
    })
}

fn wall_exception() -> impl Strategy<Value = WallException> {
    desk().prop_filter_map("an article", |desk| {
        Some(WallException { desk, article: "NIS2 Art 32(4)".parse::<Article>().ok()? })
    })
}
