//! Every row of the TLP table, the wall, PAP, withdrawal and enforcement as tables; and `decide` against the oracle.

use model::{MemberSet, PartnerClass, Role};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::facts::WallException;
use crate::{oracle, worlds};

fn origin(country: &str) -> Origin {
    format!("entraide/{country}/REAL/0123456789abcdef").parse().unwrap()
}

fn entity(number: u8) -> EntityId {
    EntityId::new([number; 16])
}

/// France says it to Estonia and Poland, as a community; it admits entity 1 and names account 1 and guest 1.
fn said(tlp: Tlp, pap: Option<Pap>) -> Facts {
    let fr = origin("FR");
    let members = MemberSet::new([origin("EE"), origin("PL")]).unwrap();
    Facts {
        admitted_constituents: vec![entity(1)],
        named_readers: vec![Reader::Person(ReaderId(1)), Reader::Guest(GuestId::new([1; 16]))],
        ..Facts::of_statement(
            &fr,
            &fr,
            Kind::Intelligence,
            Label { tlp, pap },
            AudienceKind::Community,
            members,
            ThreadId::new([1; 16]),
        )
    }
}

fn partner(country: &str) -> Viewer {
    Viewer::Partner { origin: origin(country), class: PartnerClass::EuState }
}

fn constituent(number: u8) -> Viewer {
    Viewer::Constituent { entity: entity(number), of: origin("FR") }
}

fn at(desk: Desk, role: Role) -> Viewer {
    Viewer::Person { authority: origin("FR"), desk, roles: Roles::new([role]) }
}

fn analyst() -> Viewer {
    at(Desk::Csirt, Role::Analyst)
}

fn supervisor() -> Viewer {
    at(Desk::CompetentAuthority, Role::Analyst)
}

fn account(number: i64) -> Viewer {
    let roles = Roles::new([Role::Analyst]);
    Viewer::NamedPerson { reader: ReaderId(number), authority: origin("FR"), desk: Desk::Csirt, roles }
}

fn guest(number: u8, thread: u8) -> Viewer {
    Viewer::Guest { id: GuestId::new([number; 16]), named_for: ThreadId::new([thread; 16]) }
}

#[track_caller]
fn check(facts: &Facts, viewer: &Viewer, purpose: Purpose, expect: Ruling) {
    let want = match expect {
        Ok(because) => Verdict::Allow { because },
        Err(because) => Verdict::Deny { because },
    };
    assert_eq!(decide(facts, viewer, purpose, &PolicyVersion::CURRENT), want, "{viewer:?}");
    assert_eq!(oracle::may(facts, viewer, purpose), want.is_allowed(), "the oracle: {viewer:?}");
}

#[track_caller]
fn row(tlp: Tlp, expect: &[(Viewer, Ruling)]) {
    for (viewer, ruling) in expect {
        check(&said(tlp, None), viewer, Purpose::Read, ruling.clone());
    }
}

#[test]
fn clear_goes_to_whom_the_community_admits_and_to_the_public_only_when_published() {
    row(
        Tlp::Clear,
        &[
            (Viewer::Public, Err(Because::NotPublished)),
            (partner("EE"), Ok(Because::InAudience)),
            (partner("LV"), Err(Because::NotInAudience)),
            (constituent(1), Ok(Because::CommunityConstituent)),
            (constituent(2), Ok(Because::CommunityConstituent)),
            (analyst(), Ok(Because::OwnStatement)),
            (guest(1, 1), Err(Because::NotNamed)),
        ],
    );
    let published = |tlp| Facts { published: true, ..said(tlp, None) };
    check(&published(Tlp::Clear), &Viewer::Public, Purpose::Read, Ok(Because::Published));
    check(&published(Tlp::Green), &Viewer::Public, Purpose::Read, Err(Because::NotPublished));
    let notice = Facts { voluntary: true, ..published(Tlp::Clear) };
    check(&notice, &Viewer::Public, Purpose::Read, Err(Because::NotPublished));
    let theirs = Facts { owner: origin("EE"), ..published(Tlp::Clear) };
    check(&theirs, &Viewer::Public, Purpose::Read, Err(Because::NotOurs));
}

#[test]
fn green_goes_to_the_communities_and_their_constituents() {
    row(
        Tlp::Green,
        &[
            (Viewer::Public, Err(Because::NotPublished)),
            (partner("PL"), Ok(Because::InAudience)),
            (partner("LV"), Err(Because::NotInAudience)),
            (constituent(2), Ok(Because::CommunityConstituent)),
            (account(2), Ok(Because::OwnStatement)),
        ],
    );
    let named = Facts { audience: AudienceKind::Named, ..said(Tlp::Green, None) };
    check(&named, &constituent(1), Purpose::Read, Ok(Because::AdmittedConstituent));
    check(&named, &constituent(2), Purpose::Read, Err(Because::NotAdmitted));
    let elsewhere = Viewer::Constituent { entity: entity(1), of: origin("EE") };
    check(&said(Tlp::Green, None), &elsewhere, Purpose::Read, Err(Because::OtherAuthority));
}

#[test]
fn amber_goes_to_authorities_and_the_constituents_whom_they_admit() {
    row(
        Tlp::Amber,
        &[
            (partner("EE"), Ok(Because::InAudience)),
            (partner("LV"), Err(Because::NotInAudience)),
            (constituent(1), Ok(Because::AdmittedConstituent)),
            (constituent(2), Err(Because::NotAdmitted)),
            (analyst(), Ok(Because::OwnStatement)),
        ],
    );
}

#[test]
fn amber_strict_goes_to_authorities() {
    row(
        Tlp::AmberStrict,
        &[
            (partner("EE"), Ok(Because::InAudience)),
            (partner("LV"), Err(Because::NotInAudience)),
            (constituent(1), Err(Because::AuthoritiesOnly)),
            (analyst(), Ok(Because::OwnStatement)),
        ],
    );
}

#[test]
fn red_goes_to_named_readers_on_the_owners_node() {
    row(
        Tlp::Red,
        &[
            (Viewer::Public, Err(Because::NotPublished)),
            (partner("EE"), Err(Because::RedStaysHome)),
            (constituent(1), Err(Because::AuthoritiesOnly)),
            (analyst(), Err(Because::NotNamed)),
            (account(1), Ok(Because::NamedReader)),
            (account(2), Err(Because::NotNamed)),
            (guest(1, 1), Ok(Because::NamedReader)),
            (guest(1, 2), Err(Because::NotNamed)),
            (guest(2, 1), Err(Because::NotNamed)),
        ],
    );
    for purpose in Purpose::ALL.into_iter().filter(|purpose| *purpose != Purpose::Read) {
        check(&said(Tlp::Red, Some(Pap::Clear)), &account(1), purpose, Err(Because::RedIsOnlyRead(purpose)));
    }
    let theirs = Facts { owner: origin("EE"), ..said(Tlp::Red, None) };
    check(&theirs, &account(1), Purpose::Read, Err(Because::RedStaysHome));
}

#[test]
fn without_a_label_it_is_for_nobody() {
    let unlabelled = Facts { label: None, published: true, ..said(Tlp::Clear, None) };
    for viewer in [Viewer::Public, partner("EE"), constituent(1), analyst(), account(1), guest(1, 1)] {
        check(&unlabelled, &viewer, Purpose::Read, Err(Because::Unlabelled));
    }
}

#[test]
fn what_a_partner_said_is_read_here_and_not_passed_on() {
    let opened = Facts {
        owner: origin("EE"),
        member_set: MemberSet::new([origin("FR"), origin("PL")]).unwrap().into(),
        ..said(Tlp::Green, None)
    };
    check(&opened, &analyst(), Purpose::Read, Ok(Because::OpenedToUs));
    check(&opened, &constituent(2), Purpose::Read, Ok(Because::CommunityConstituent));
    check(&opened, &partner("PL"), Purpose::Feed, Err(Because::NotOurs));
    check(&opened, &partner("EE"), Purpose::Feed, Err(Because::NotOurs));
    let closed = Facts { owner: origin("EE"), ..said(Tlp::Green, None) };
    check(&closed, &analyst(), Purpose::Read, Err(Because::NotOpenedToUs));
    check(&closed, &constituent(1), Purpose::Read, Err(Because::NotOpenedToUs));
    let estonian = Viewer::Person { authority: origin("EE"), desk: Desk::Csirt, roles: Roles::new([Role::Analyst]) };
    check(&said(Tlp::Clear, None), &estonian, Purpose::Read, Err(Because::OtherAuthority));
}

#[test]
fn the_wall_stands_before_supervising_desks() {
    for kind in Kind::ALL {
        let facts = Facts { kind, ..said(Tlp::Amber, None) };
        let expect = if kind.is_walled() { Err(Because::Wall) } else { Ok(Because::OwnStatement) };
        check(&facts, &supervisor(), Purpose::Read, expect);
        check(&facts, &analyst(), Purpose::Read, Ok(Because::OwnStatement));
    }
    let notice = Facts { voluntary: true, ..said(Tlp::Clear, None) };
    check(&notice, &supervisor(), Purpose::Read, Err(Because::Wall));
    let article: crate::Article = "NIS2 Art 32(4)".parse().unwrap();
    let act = |desk| Facts {
        disclosed_to: vec![WallException { desk, article: article.clone() }],
        kind: Kind::Evidence,
        ..said(Tlp::Amber, None)
    };
    check(&act(Desk::CompetentAuthority), &supervisor(), Purpose::Read, Ok(Because::Disclosed(article.clone())));
    check(&act(Desk::CrisisAuthority), &supervisor(), Purpose::Read, Err(Because::Wall));
    // Other entities of a community see none of it either, unless they were admitted.
    check(&act(Desk::Csirt), &constituent(1), Purpose::Read, Ok(Because::AdmittedConstituent));
    check(&act(Desk::Csirt), &constituent(2), Purpose::Read, Err(Because::NotAdmitted));
}

#[test]
fn content_is_for_roles_that_read_it() {
    for role in Role::ALL {
        let expect = match role {
            Role::Administrator | Role::Auditor | Role::EntityReporter => Err(Because::NoContentRole),
            Role::Viewer | Role::Analyst | Role::DutyOfficer | Role::Liaison | Role::CrisisOfficer => {
                Ok(Because::OwnStatement)
            }
        };
        check(&said(Tlp::Clear, None), &at(Desk::Csirt, *role), Purpose::Read, expect);
    }
}

#[test]
fn pap_limits_what_may_be_done() {
    let check_pap = |pap: Option<Pap>, allowed: &[Purpose]| {
        for purpose in [Purpose::Read, Purpose::Feed, Purpose::Export, Purpose::Detect, Purpose::Block] {
            for viewer in [analyst(), partner("EE")] {
                let verdict = decide(&said(Tlp::Amber, pap), &viewer, purpose, &PolicyVersion::CURRENT);
                assert_eq!(verdict.is_allowed(), allowed.contains(&purpose), "{pap:?} {purpose:?} {verdict:?}");
            }
        }
    };
    let (read, feed, export) = (Purpose::Read, Purpose::Feed, Purpose::Export);
    check_pap(None, &[read, feed, export]);
    check_pap(Some(Pap::Clear), &[read, feed, export, Purpose::Detect, Purpose::Block]);
    check_pap(Some(Pap::Green), &[read, feed, export, Purpose::Detect, Purpose::Block]);
    check_pap(Some(Pap::Amber), &[read, feed, export, Purpose::Detect]);
    check_pap(Some(Pap::Red), &[read, feed]);
}

#[test]
fn what_was_withdrawn_is_read_by_the_owners_people_alone() {
    let gone = Facts { withdrawn: true, published: true, ..said(Tlp::Clear, Some(Pap::Clear)) };
    check(&gone, &analyst(), Purpose::Read, Ok(Because::OwnStatement));
    check(&gone, &analyst(), Purpose::Export, Err(Because::Withdrawn));
    for viewer in [Viewer::Public, partner("EE"), constituent(1)] {
        check(&gone, &viewer, Purpose::Read, Err(Because::Withdrawn));
    }
    let theirs = Facts { owner: origin("EE"), member_set: MemberSet::new([origin("FR")]).unwrap().into(), ..gone };
    check(&theirs, &analyst(), Purpose::Read, Err(Because::Withdrawn));
}

#[test]
fn what_a_thief_said_is_read_and_carried_on_and_used_for_nothing() {
    let thiefs = Facts { repudiated: true, published: true, ..said(Tlp::Clear, Some(Pap::Clear)) };
    check(&thiefs, &analyst(), Purpose::Read, Ok(Because::OwnStatement));
    check(&thiefs, &partner("EE"), Purpose::Feed, Ok(Because::InAudience));
    for purpose in [Purpose::Export, Purpose::Detect, Purpose::Block, Purpose::Enforce] {
        check(&thiefs, &analyst(), purpose, Err(Because::Repudiated));
    }
    check(&thiefs, &Viewer::Public, Purpose::Read, Err(Because::Repudiated));
}

#[test]
fn only_parties_enforce_and_never_what_was_told_voluntarily() {
    let parties = MemberSet::new([origin("FR"), origin("EE")]).unwrap();
    let mandate = Facts { kind: Kind::Workflow, parties: parties.into(), ..said(Tlp::Amber, None) };
    check(&mandate, &partner("EE"), Purpose::Enforce, Ok(Because::InAudience));
    check(&mandate, &analyst(), Purpose::Enforce, Ok(Because::OwnStatement));
    check(&mandate, &partner("PL"), Purpose::Enforce, Err(Because::NotAParty));
    check(&mandate, &constituent(1), Purpose::Enforce, Err(Because::NotAParty));
    let notice = Facts { voluntary: true, ..mandate.clone() };
    check(&notice, &analyst(), Purpose::Enforce, Err(Because::VoluntaryBindsNobody));
    let evidence = Facts { kind: Kind::Evidence, ..mandate };
    check(&evidence, &analyst(), Purpose::Enforce, Err(Because::NothingToEnforce));
}

#[test]
fn realms_never_meet_and_epochs_do() {
    let blue: Origin = "entraide/EE/EX-BLUE/0123456789abcdef".parse().unwrap();
    let exercise = Viewer::Partner { origin: blue.clone(), class: PartnerClass::EuState };
    let facts = said(Tlp::Clear, None);
    let other = || Err(Because::OtherRealm { realm: facts.realm.clone() });
    check(&facts, &exercise, Purpose::Feed, other());
    let claimed = Facts { realm: blue.realm().clone(), ..facts.clone() };
    check(&claimed, &analyst(), Purpose::Read, Err(Because::OtherRealm { realm: blue.realm().clone() }));
    // A log of an exercise cannot say something real, whatever its envelope claims.
    let opened = MemberSet::new([origin("FR")]).unwrap();
    let smuggled = Facts { owner: blue, member_set: opened.into(), ..facts.clone() };
    check(&smuggled, &analyst(), Purpose::Read, other());
    let successor = Viewer::Partner { origin: origin("EE").with_epoch(2), class: PartnerClass::EuState };
    check(&facts, &successor, Purpose::Feed, Ok(Because::InAudience));
    let restored = Facts { here: origin("FR").with_epoch(1), ..facts.clone() };
    check(&restored, &analyst(), Purpose::Read, Ok(Because::OwnStatement));
}

#[test]
fn a_nation_is_its_root_key_and_not_its_letters() {
    let impostor = |country: &str| -> Origin { format!("entraide/{country}/REAL/ffffffffffffffff").parse().unwrap() };
    let facts = said(Tlp::Clear, None);
    let partner = Viewer::Partner { origin: impostor("EE"), class: PartnerClass::EuState };
    check(&facts, &partner, Purpose::Feed, Err(Because::NotInAudience));
    let roles = Roles::new([Role::Analyst]);
    let person = Viewer::Person { authority: impostor("FR"), desk: Desk::Csirt, roles };
    check(&facts, &person, Purpose::Read, Err(Because::OtherAuthority));
}

#[test]
fn rules_that_this_program_does_not_have_deny_everything() {
    let verdict = decide(&said(Tlp::Clear, None), &analyst(), Purpose::Read, &PolicyVersion::of(2));
    assert_eq!(verdict, Verdict::Deny { because: Because::UnknownPolicy });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn the_oracle_agrees(worlds in proptest::collection::vec(worlds::world(), 64)) {
        for world in worlds {
            let verdict = decide(&world.facts, &world.viewer, world.purpose, &PolicyVersion::CURRENT);
            let oracle = oracle::may(&world.facts, &world.viewer, world.purpose);
            prop_assert_eq!(verdict.is_allowed(), oracle, "{:?} {:?}", verdict, world);
        }
    }
}

#[test]
fn random_worlds_reach_every_reason() {
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40_000 {
        let world = worlds::world().new_tree(&mut runner).unwrap().current();
        let verdict = decide(&world.facts, &world.viewer, world.purpose, &PolicyVersion::CURRENT);
        let name = format!("{:?}", verdict.because());
        seen.insert(name.split([' ', '(', '{']).next().unwrap_or_default().to_owned());
    }
    // 30 reasons, without that of an unknown version.
    assert_eq!(seen.len(), 29, "{seen:?}");
}
