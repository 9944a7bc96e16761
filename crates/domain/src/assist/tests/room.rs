//! Case rooms in which anybody says anything, heard in any order.

use model::AgeRecipient;
use model::extension::assistance::{Artefact, ArtefactKind, Custody, CustodyAct, Note, Sha256Digest, Way};

use super::*;
use crate::assist::room::{self, Fate, Room, RoomWord};

fn note(by: &Origin, about: &Citation, to: &Origin) -> Word {
    let common = common(Note::KIND, by, 5);
    Word::Room(RoomWord::Note(Note { common, case: about.clone(), to: to.clone(), text: "x".into() }))
}

fn disk(by: &Origin, under: &Citation) -> Word {
    Word::Room(RoomWord::Artefact(Artefact {
        common: common(Artefact::KIND, by, 6),
        agreement: under.clone(),
        name: "disk".into(),
        kind: ArtefactKind::DiskImage,
        size: 1,
        sha256: None,
        way: Way::Courier {
            seals: vec!["A 1".into()],
            carrier: "c".into(),
            from: "f".into(),
            to: "t".into(),
            handed_over: NOW,
        },
        added_by: "anna".into(),
        destroy_by: None,
        malware: false,
        personal_data: false,
        judicial_hold: true,
    }))
}

/// The same as a sealed file.
fn file(by: &Origin, under: &Citation) -> Word {
    let Word::Room(RoomWord::Artefact(disk)) = disk(by, under) else { unreachable!() };
    let digest = Sha256Digest::new([1; 32]);
    let recipients = vec![AgeRecipient::new([9; 32])];
    let way = Way::Sealed { sealed_size: 300, sealed_sha256: digest, pieces: digest, recipients };
    Word::Room(RoomWord::Artefact(Artefact { way, ..disk }))
}

fn link(by: &Origin, of: &Citation, act: CustodyAct) -> Word {
    let common = common(Custody::KIND, by, 7);
    Word::Room(RoomWord::Custody(Custody { common, artefact: of.clone(), act, by: "b".into(), note: None }))
}

/// A case in which Estonia has signed what France accepted; with it the acceptance.
fn signed(world: &mut World) -> (Citation, Citation) {
    let [fr, ee] = ["FR", "EE"].map(origin);
    let asked = world.say(&fr, Word::Request(request(2, RequestPhase::Open)));
    let offered = world.say(&ee, Word::Offer(offer(&ee, &asked, Answer::Yes, 2)));
    let accepted = world.say(&fr, accept(&fr, &offered, 2));
    world.say(&ee, agreement(&ee, &accepted, AgreementStep::Countersign));
    (asked, accepted)
}

fn everything(world: &World) -> Vec<Heard> {
    world.logs.values().flatten().cloned().collect()
}

fn folded(heard: &[Heard]) -> Room {
    room::fold(&case::fold(heard).unwrap(), heard)
}

#[test]
fn a_message_is_between_the_one_that_asks_and_one_other() {
    let [fr, ee, lv] = ["FR", "EE", "LV"].map(origin);
    let mut world = World::new();
    let (asked, _) = signed(&mut world);
    for (from, to) in [(&fr, &lv), (&lv, &fr), (&lv, &ee), (&fr, &fr)] {
        world.say(from, note(from, &asked, to));
    }
    let room = folded(&everything(&world));
    assert_eq!((room.notes.len(), room.unfit.len()), (2, 2));
    assert!(room.unfit.iter().all(|(_, why)| *why == InvalidTransition::NotYours));
}

#[test]
fn evidence_is_given_by_the_parties_of_what_was_signed() {
    let [fr, ee, lv] = ["FR", "EE", "LV"].map(origin);
    let mut world = World::new();
    let (asked, accepted) = signed(&mut world);
    world.say(&ee, disk(&ee, &accepted));
    let stranger = world.say(&lv, disk(&lv, &accepted));
    let misplaced = world.say(&fr, disk(&fr, &asked));
    let offered = world.say(&lv, Word::Offer(offer(&lv, &asked, Answer::Yes, 2)));
    let unsigned = world.say(&fr, accept(&fr, &offered, 1));
    let early = world.say(&fr, disk(&fr, &unsigned));
    let room = folded(&everything(&world));
    assert_eq!((room.artefacts.len(), &room.artefacts[0].other), (1, &fr));
    let told: BTreeMap<&Origin, Vec<_>> = room.unfit.iter().fold(BTreeMap::new(), |mut told, (place, why)| {
        told.entry(&place.origin).or_insert_with(Vec::new).push((place.index, *why));
        told
    });
    assert_eq!(told[&lv], [(stranger.index, InvalidTransition::NotYours)]);
    let expect = [(misplaced.index, InvalidTransition::Misplaced), (early.index, InvalidTransition::NotInForce)];
    assert_eq!(told[&fr], expect);
}

fn act() -> impl Strategy<Value = CustodyAct> {
    prop_oneof![
        Just(CustodyAct::Delivered { seals: Vec::new(), intact: true }),
        Just(CustodyAct::Passed { to: "p".into() }),
        Just(CustodyAct::HandedOut),
        Just(CustodyAct::Fetched),
        Just(CustodyAct::Returned { to: "p".into(), deleted: true }),
        Just(CustodyAct::Destroyed { method: "m".into(), deleted: true }),
        Just(CustodyAct::HoldLifted),
    ]
}

/// What does not depend on the order in which it was heard.
fn shown(room: &Room) -> Vec<String> {
    let mut all: Vec<String> = room.unfit.iter().map(|one| format!("{one:?}")).collect();
    for known in &room.artefacts {
        let fates = ["FR", "EE"].map(|party| known.fate(&origin(party)));
        all.push(format!("{:?} {} {fates:?}", known.place, known.held));
        all.extend(known.custody.iter().map(|one| format!("{one:?}")));
    }
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn custody_is_the_same_in_whatever_order_it_is_heard(
        acts in proptest::collection::vec((0_usize..3, 0_usize..4, act()), 0..16),
        keys in proptest::collection::vec(any::<u32>(), 32),
    ) {
        let parties = ["FR", "EE", "LV"].map(origin);
        let mut world = World::new();
        let (_, accepted) = signed(&mut world);
        let given: Vec<Citation> = [0, 1]
            .into_iter()
            .flat_map(|by: usize| [(by, disk(&parties[by], &accepted)), (by, file(&parties[by], &accepted))])
            .map(|(by, word)| world.say(&parties[by], word))
            .collect();
        for (by, of, act) in acts {
            world.say(&parties[by], link(&parties[by], &given[of], act));
        }
        let heard = everything(&world);
        let mut other: Vec<(u32, Heard)> = keys.iter().copied().zip(heard.clone()).collect();
        other.sort_by_key(|(key, _)| *key);
        let other: Vec<Heard> = other.into_iter().map(|(_, heard)| heard).collect();
        let room = folded(&heard);
        prop_assert_eq!(shown(&folded(&other)), shown(&room));
        for known in &room.artefacts {
            // Whoever has destroyed it, or given it back, has had it; and nobody else has any part in it.
            for party in &parties[..2] {
                let own: Vec<_> = known.custody.iter().filter(|(place, _)| place.origin == *party).collect();
                let sealed = matches!(known.artefact.way, Way::Sealed { .. });
                let came = own.iter().any(|(_, said)| match said.act {
                    CustodyAct::Delivered { .. } => !sealed,
                    CustodyAct::Fetched => sealed,
                    CustodyAct::HandedOut
                    | CustodyAct::Passed { .. }
                    | CustodyAct::Returned { .. }
                    | CustodyAct::Destroyed { .. }
                    | CustodyAct::HoldLifted => false,
                });
                let came = came || (sealed && known.place.origin == *party);
                prop_assert!(came || known.fate(party) == Fate::NotHad);
            }
            prop_assert!(known.custody.iter().all(|(place, _)| place.origin != parties[2]));
            prop_assert!(known.held != known.custody.iter().any(|(_, said)| said.act == CustodyAct::HoldLifted));
        }
    }
}
