//! The case room, derived like the case from the logs of its two parties: the messages, and each piece of
//! evidence with its chain of custody.
//!
//! What one party did with a piece of evidence is decided by the order of its own log alone, so that all nodes which hold
//! the same statements show the same custody, in whatever order they came.

use model::extension::Extension;
use model::extension::assistance::{Artefact, Custody, CustodyAct, Note, Sha256Digest, Way};
use model::{AgeRecipient, Citation, Origin};

use super::case::{AgreementCase, Case};
use super::{Heard, InvalidTransition, PURGED, Word};

/// The type names of what is said in a case room.
pub const TYPES: [&str; 3] = [Note::KIND, Artefact::KIND, Custody::KIND];

/// What is said in a case room.
#[derive(Debug, Clone, PartialEq)]
pub enum RoomWord {
    /// A short message.
    Note(Note),
    /// A piece of evidence.
    Artefact(Artefact),
    /// What was done with one.
    Custody(Custody),
}

impl RoomWord {
    /// The statement that it answers.
    #[must_use]
    pub const fn answers(&self) -> &Citation {
        match self {
            Self::Note(note) => &note.case,
            Self::Artefact(artefact) => &artefact.agreement,
            Self::Custody(custody) => &custody.artefact,
        }
    }

    /// The statement without its free text, once that is erased.
    #[must_use]
    pub fn without_words(&self) -> Vec<u8> {
        let purged = || PURGED.to_owned();
        match self {
            Self::Note(note) => Note { common: note.common.without_words(), text: purged(), ..note.clone() }.to_bytes(),
            Self::Artefact(artefact) => {
                let mut way = artefact.way.clone();
                match &mut way {
                    // Without the name of its bytes nobody finds them: the depot deletes what nothing names.
                    Way::Sealed { sealed_sha256, pieces, recipients, sealed_size: _ } => {
                        *sealed_sha256 = Sha256Digest::new([0; 32]);
                        *pieces = Sha256Digest::new([0; 32]);
                        *recipients = vec![AgeRecipient::new([0; 32])];
                    }
                    Way::Courier { seals, carrier, from, to, handed_over: _ } => {
                        *seals = vec![purged()];
                        (*carrier, *from, *to) = (purged(), purged(), purged());
                    }
                }
                let common = artefact.common.without_words();
                Artefact { common, name: purged(), added_by: purged(), sha256: None, way, ..artefact.clone() }
                    .to_bytes()
            }
            Self::Custody(custody) => {
                let mut act = custody.act.clone();
                match &mut act {
                    CustodyAct::Passed { to: words }
                    | CustodyAct::Returned { to: words, deleted: _ }
                    | CustodyAct::Destroyed { method: words, deleted: _ } => *words = purged(),
                    CustodyAct::Delivered { seals, intact: _ } => seals.clear(),
                    CustodyAct::HandedOut | CustodyAct::Fetched | CustodyAct::HoldLifted => {}
                }
                let common = custody.common.without_words();
                Custody { common, act, by: purged(), note: None, ..custody.clone() }.to_bytes()
            }
        }
    }
}

/// A case room as it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Room {
    /// The messages, in the order in which they were heard.
    pub notes: Vec<(Citation, Note)>,
    /// The evidence, in the order in which it was heard.
    pub artefacts: Vec<ArtefactCase>,
    /// Statements that change nothing, and why.
    pub unfit: Vec<(Citation, InvalidTransition)>,
}

/// What a party has of a piece of evidence, by its own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It has not had it.
    NotHad,
    /// It has it.
    Has,
    /// It gave it back, and has no copy.
    Returned,
    /// It destroyed it.
    Destroyed,
}

/// A piece of evidence and its chain of custody.
#[derive(Debug, Clone, PartialEq)]
pub struct ArtefactCase {
    /// Where it stands; its owner's log.
    pub place: Citation,
    /// What it is.
    pub artefact: Artefact,
    /// To whom it is given.
    pub other: Origin,
    /// What was done with it, in the order in which it was heard.
    pub custody: Vec<(Citation, Custody)>,
    /// Does a court or prosecutor want it kept, as its owner says?
    pub held: bool,
    owner_fate: Fate,
    other_fate: Fate,
}

impl ArtefactCase {
    /// What a party has of it.
    #[must_use]
    pub fn fate(&self, party: &Origin) -> Fate {
        if *party == self.place.origin { self.owner_fate } else { self.other_fate }
    }

    fn apply(&mut self, party: &Origin, act: &CustodyAct) -> Result<(), InvalidTransition> {
        let owns = *party == self.place.origin;
        if !owns && *party != self.other {
            return Err(InvalidTransition::NotYours);
        }
        if matches!(act, CustodyAct::HoldLifted) {
            if !owns {
                return Err(InvalidTransition::NotYours);
            }
            self.held = false;
            return Ok(());
        }
        let fits = match (act, &self.artefact.way) {
            (CustodyAct::HandedOut | CustodyAct::Fetched, Way::Courier { .. })
            | (CustodyAct::Delivered { .. }, Way::Sealed { .. }) => false,
            (
                CustodyAct::HandedOut
                | CustodyAct::Fetched
                | CustodyAct::Delivered { .. }
                | CustodyAct::Passed { .. }
                | CustodyAct::Returned { .. }
                | CustodyAct::Destroyed { .. }
                | CustodyAct::HoldLifted,
                Way::Sealed { .. } | Way::Courier { .. },
            ) => true,
        };
        if !fits {
            return Err(InvalidTransition::Misplaced);
        }
        let fate = if owns { self.owner_fate } else { self.other_fate };
        let next = next(fate, owns, act)?;
        if owns {
            self.owner_fate = next
        } else {
            self.other_fate = next
        }
        Ok(())
    }
}

/// What a party has after an act.
///
/// # Errors
/// The act has no place there.
pub fn next(fate: Fate, owns: bool, act: &CustodyAct) -> Result<Fate, InvalidTransition> {
    match (act, fate) {
        (CustodyAct::HoldLifted, fate) => Ok(fate),
        (CustodyAct::Returned { .. }, _) if owns => Err(InvalidTransition::NotYours),
        (CustodyAct::HandedOut, _) if !owns => Err(InvalidTransition::NotYours),
        // What the other party gave back or destroyed it may fetch once more, while its owner still has it.
        (CustodyAct::Fetched, _) if !owns => Ok(Fate::Has),
        (CustodyAct::HandedOut | CustodyAct::Fetched, Fate::Has) => Ok(Fate::Has),
        // What was given back comes to its owner, and may come once more.
        (CustodyAct::Delivered { .. }, _) => Ok(Fate::Has),
        (CustodyAct::Passed { .. }, Fate::Has) => Ok(Fate::Has),
        (CustodyAct::Returned { .. }, Fate::Has) => Ok(Fate::Returned),
        (CustodyAct::Destroyed { .. }, Fate::Has) => Ok(Fate::Destroyed),
        (_, Fate::NotHad) => Err(InvalidTransition::Misplaced),
        (_, Fate::Returned | Fate::Destroyed) => Err(InvalidTransition::TooLate),
    }
}

/// The case room of a case, from everything that is heard of it, in the order in which it was heard.
#[must_use]
pub fn fold(case: &Case, heard: &[Heard]) -> Room {
    let mut room = Room::default();
    let mut acts: Vec<(&Citation, &Custody)> = Vec::new();
    for one in heard {
        let Word::Room(word) = &one.word else { continue };
        let read = match word {
            RoomWord::Note(note) => {
                between(case, &one.place.origin, &note.to).map(|()| room.notes.push((one.place.clone(), note.clone())))
            }
            RoomWord::Artefact(said) => other_party(case, &said.agreement, &one.place.origin)
                .map(|other| room.artefacts.push(artefact(one.place.clone(), said, other))),
            RoomWord::Custody(said) => {
                acts.push((&one.place, said));
                Ok(())
            }
        };
        if let Err(why) = read {
            room.unfit.push((one.place.clone(), why));
        }
    }
    custody(&mut room, &acts);
    room
}

fn artefact(place: Citation, said: &Artefact, other: Origin) -> ArtefactCase {
    let held = said.judicial_hold;
    let owner_fate = match said.way {
        // It stays at its owner's node, from which it is fetched.
        Way::Sealed { .. } => Fate::Has,
        // Its owner handed it over: it is with the courier, or there.
        Way::Courier { .. } => Fate::NotHad,
    };
    let artefact = said.clone();
    ArtefactCase { place, artefact, other, custody: Vec::new(), held, owner_fate, other_fate: Fate::NotHad }
}

/// Puts what was done beside what it was done with: effects in the order of each log, the list in the order of hearing.
fn custody(room: &mut Room, acts: &[(&Citation, &Custody)]) {
    let mut sorted = acts.to_vec();
    sorted.sort_by_key(|(place, _)| (place.origin.clone(), place.index));
    let mut without: Vec<&Citation> = Vec::new();
    for (place, said) in sorted {
        let known = room.artefacts.iter_mut().find(|known| known.place == said.artefact);
        let done = known.map_or(Err(InvalidTransition::Misplaced), |known| known.apply(&place.origin, &said.act));
        if let Err(why) = done {
            room.unfit.push((place.clone(), why));
            without.push(place);
        }
    }
    for (place, said) in acts.iter().filter(|(place, _)| !without.contains(place)) {
        if let Some(known) = room.artefacts.iter_mut().find(|known| known.place == said.artefact) {
            known.custody.push(((*place).clone(), (*said).clone()));
        }
    }
}

/// A message is between the one that asks and one other.
fn between(case: &Case, from: &Origin, to: &Origin) -> Result<(), InvalidTransition> {
    let asks = |party: &Origin| *party == case.place.origin;
    if asks(from) == asks(to) { Err(InvalidTransition::NotYours) } else { Ok(()) }
}

/// The other party of an agreement that was signed.
fn other_party(case: &Case, acceptance: &Citation, party: &Origin) -> Result<Origin, InvalidTransition> {
    let (provider, agreed) = agreement(case, acceptance).ok_or(InvalidTransition::Misplaced)?;
    let owner = &case.place.origin;
    if agreed.signed.is_none() {
        return Err(InvalidTransition::NotInForce);
    }
    match (party == owner, party == provider) {
        (true, _) => Ok(provider.clone()),
        (_, true) => Ok(owner.clone()),
        (false, false) => Err(InvalidTransition::NotYours),
    }
}

/// An acceptance of a case and whose offer it takes.
#[must_use]
pub fn agreement<'c>(case: &'c Case, acceptance: &Citation) -> Option<(&'c Origin, &'c AgreementCase)> {
    let mut all =
        case.offers.iter().flat_map(|offer| offer.agreements.iter().map(move |agreed| (offer.provider(), agreed)));
    all.find(|(_, agreed)| agreed.place == *acceptance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn what_a_party_has_follows_from_what_it_did() {
        let destroyed = || CustodyAct::Destroyed { method: words("shredded"), deleted: false };
        let returned = || CustodyAct::Returned { to: words("CERT-FR"), deleted: false };
        let check =
            |fate, owns, act: CustodyAct, expect| assert_eq!(next(fate, owns, &act), expect, "{fate:?} {act:?}");
        let delivered = || CustodyAct::Delivered { seals: Vec::new(), intact: true };
        let passed = || CustodyAct::Passed { to: words("M. Tamm") };
        check(Fate::NotHad, false, delivered(), Ok(Fate::Has));
        check(Fate::NotHad, false, passed(), Err(InvalidTransition::Misplaced));
        check(Fate::NotHad, false, destroyed(), Err(InvalidTransition::Misplaced));
        check(Fate::Has, false, passed(), Ok(Fate::Has));
        check(Fate::Has, false, returned(), Ok(Fate::Returned));
        check(Fate::Has, true, returned(), Err(InvalidTransition::NotYours));
        check(Fate::NotHad, true, delivered(), Ok(Fate::Has));
        check(Fate::Has, true, destroyed(), Ok(Fate::Destroyed));
        check(Fate::Destroyed, false, returned(), Err(InvalidTransition::TooLate));
        check(Fate::Returned, false, delivered(), Ok(Fate::Has));
        check(Fate::Has, true, CustodyAct::HandedOut, Ok(Fate::Has));
        check(Fate::Has, false, CustodyAct::HandedOut, Err(InvalidTransition::NotYours));
        check(Fate::Destroyed, true, CustodyAct::HandedOut, Err(InvalidTransition::TooLate));
        check(Fate::NotHad, false, CustodyAct::Fetched, Ok(Fate::Has));
        check(Fate::Destroyed, false, CustodyAct::Fetched, Ok(Fate::Has));
        check(Fate::Destroyed, true, CustodyAct::Fetched, Err(InvalidTransition::TooLate));
    }

    #[test]
    fn what_is_left_of_a_purged_statement_is_read_again_and_has_no_words() {
        let origin: Origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let place =
            Citation { origin: origin.clone(), index: model::Index(3), commitment: model::Commitment::new([7; 32]) };
        let at = model::Timestamp::from_micros(0);
        let common = |kind| model::extension::Common::new(kind, [1; 16], &origin, at).unwrap();
        let said = [
            RoomWord::Note(Note {
                common: common(Note::KIND),
                case: place.clone(),
                to: origin.clone(),
                text: words("secret"),
            }),
            RoomWord::Artefact(Artefact {
                common: common(Artefact::KIND),
                agreement: place.clone(),
                name: words("secret"),
                kind: model::extension::assistance::ArtefactKind::Logs,
                size: 1,
                sha256: None,
                way: Way::Courier {
                    seals: vec![words("secret")],
                    carrier: words("secret"),
                    from: words("secret"),
                    to: words("secret"),
                    handed_over: at,
                },
                added_by: words("secret"),
                destroy_by: None,
                malware: false,
                personal_data: false,
                judicial_hold: false,
            }),
            RoomWord::Custody(Custody {
                common: common(Custody::KIND),
                artefact: place,
                act: CustodyAct::Delivered { seals: vec![words("secret")], intact: true },
                by: words("secret"),
                note: Some(words("secret")),
            }),
        ];
        for word in said {
            let left = Word::Room(word.clone()).without_words();
            assert!(!String::from_utf8(left.clone()).unwrap().contains("secret"));
            let read = crate::said::Said::read(model::MediaType::Stix, &left).unwrap();
            let crate::said::Said::Assist(_, read) = read else { panic!("another sort") };
            assert_eq!(read.answers(), Some(word.answers()));
        }
    }
}
