//! What partners without a node said, as whoever asked took it down.

use model::extension::assistance::{AgreementStep, Answer, RelayWay, Relayed, RelayedOffer, RelayedWord};

use super::*;

fn relayed(by: &Origin, partner: &Origin, answers: &Citation, number: u8, said: RelayedWord) -> Word {
    Word::Relayed(Relayed {
        common: common("x-entraide-relayed", by, number),
        partner: partner.clone(),
        partner_name: "CERT".to_owned(),
        answers: answers.clone(),
        way: RelayWay::Telephone,
        said_by: "I. Popescu".to_owned(),
        said_at: NOW,
        taken_by: "anna".to_owned(),
        read_back: Some(NOW),
        original: None,
        signed_with: None,
        said,
    })
}

fn answer(cites: &Citation, answer: Answer, many: u32) -> RelayedWord {
    let offer = offer(&origin("MD"), cites, answer, many);
    RelayedWord::Offer(RelayedOffer {
        answer,
        call: offer.call,
        payer: offer.payer,
        valid_until: offer.valid_until,
        note: None,
        lines: offer.lines,
    })
}

#[test]
fn what_a_partner_without_a_node_said_goes_the_way_of_an_offer_and_stays_marked() {
    let (mut world, fr, _, place) = asked();
    let md = origin("MD");
    let made = world.say(&fr, relayed(&fr, &md, &place, 21, answer(&place, Answer::Maybe, 1)));
    assert_eq!(whole(&world).offers[0].offer.answer, Answer::Maybe);
    let yes = world.say(&fr, relayed(&fr, &md, &place, 21, answer(&place, Answer::Yes, 2)));
    assert_ne!(made, yes);
    let accepted = world.say(&fr, accept(&fr, &yes, 2));
    let sign = RelayedWord::Agreement(AgreementStep::Countersign);
    let signed = world.say(&fr, relayed(&fr, &md, &accepted, 22, sign));
    let case = whole(&world);
    let offer = &case.offers[0];
    assert_eq!((offer.provider(), case.offers.len(), case.unfit.len()), (&md, 1, 0));
    assert_eq!(offer.relayed.as_ref().map(|by| (by.way, by.taken_by.as_str())), Some((RelayWay::Telephone, "anna")));
    let agreed = &offer.agreements[0];
    assert_eq!((agreed.state, agreed.signed.clone()), (State::InForce { recalled: false }, Some(signed)));
    assert!(case.is_covered(NOW));
    let end = RelayedWord::Agreement(AgreementStep::End { fulfilled: true, reason: None });
    world.say(&fr, relayed(&fr, &md, &accepted, 23, end));
    assert_eq!(whole(&world).offers[0].agreements[0].state, State::Ended { fulfilled: true });
}

#[test]
fn nobody_takes_down_the_word_of_whoever_has_a_log_or_for_another_who_asks() {
    let (mut world, fr, ee, place) = asked();
    let md = origin("MD");
    // Another nation claims to have heard them: it is not the one that was answered.
    world.say(&ee, relayed(&ee, &md, &place, 21, answer(&place, Answer::Yes, 2)));
    // We claim to have heard Estonia, which has a log of its own in the case.
    let forged = world.say(&fr, relayed(&fr, &ee, &place, 22, answer(&place, Answer::Yes, 2)));
    let case = whole(&world);
    assert!(case.offers.is_empty());
    assert_eq!(case.unfit.len(), 2);
    assert!(case.unfit.contains(&(forged, InvalidTransition::NotYours)));
}

#[test]
fn a_second_thread_of_one_partner_has_no_effect_and_words_can_be_erased() {
    let (mut world, fr, _, place) = asked();
    let md = origin("MD");
    world.say(&fr, relayed(&fr, &md, &place, 21, answer(&place, Answer::Yes, 2)));
    let second = world.say(&fr, relayed(&fr, &md, &place, 22, answer(&place, Answer::No, 2)));
    let case = whole(&world);
    assert_eq!(case.unfit, [(second, InvalidTransition::Twice)]);
    let Word::Relayed(said) = relayed(&fr, &md, &place, 21, answer(&place, Answer::Yes, 2)) else { unreachable!() };
    let erased = Relayed::read(&Word::Relayed(said.clone()).without_words()).unwrap();
    assert_eq!((erased.partner.clone(), erased.said_by.as_str(), erased.answers.clone()), (md, "purged", said.answers));
    assert_eq!(Word::Relayed(erased.clone()).without_words(), erased.to_bytes());
}
