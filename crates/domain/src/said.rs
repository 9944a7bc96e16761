//! What a statement's body says, read once: an object of the field, or one of our own words about sharing.

use model::extension::assistance::{
    Acknowledgement, Agreement, Artefact, Capacity, Card, Custody, Dossier, Mandate, MandateHelpers, Mission, Note,
    Offer, Relayed, Request,
};
use model::extension::{Audience, Extension, ExtensionError, Lost, Pointer, Receipt, Withdrawal};
use model::{Head, MediaType};

use crate::assist::room::RoomWord;
use crate::assist::{PURGED, Word};

/// A body that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// An object of the field, STIX or MISP: intelligence.
    Object(Head),
    /// Who is in an audience.
    Audience(Head, Audience),
    /// Something is taken back.
    Withdrawal(Head, Withdrawal),
    /// A withdrawal was obeyed.
    Receipt(Head, Receipt),
    /// Entries of the owner's own log were lost.
    Lost(Head, Lost),
    /// A classified annex exists, and whom to call.
    Pointer(Head, Pointer),
    /// Help is asked, offered, agreed or given.
    Assist(Head, Box<Word>),
    /// What we can lend: for ourselves alone.
    Capacity(Head, Box<Capacity>),
    /// The same in bands, for others.
    Card(Head, Card),
    /// Our request to the Reserve: for ourselves alone.
    Dossier(Head, Box<Dossier>),
}

/// Why a body was not read. It is kept raw as `Unfit`, and read again after an upgrade.
#[derive(Debug, thiserror::Error)]
pub enum SaidError {
    /// The bytes are not an object.
    #[error("the body is not a valid object: {0}")]
    Body(String),
    /// One of our own types with a shape that this version does not read.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// One of our own types that this version does not know.
    #[error("`{0}` is a type of a newer version")]
    NewerType(String),
}

impl Said {
    /// Reads a body of a media type.
    ///
    /// # Errors
    /// Not an object, or one of our own types that is malformed or newer.
    pub fn read(media: MediaType, body: &[u8]) -> Result<Self, SaidError> {
        let bad = |error: &dyn std::fmt::Display| SaidError::Body(error.to_string());
        let head = match media {
            MediaType::Stix => model::stix::head(body).map_err(|error| bad(&error))?,
            MediaType::MispEvent => model::misp::head(body).map_err(|error| bad(&error))?,
        };
        match head.id.type_name() {
            Audience::KIND => Ok(Self::Audience(head, Audience::read(body)?)),
            Withdrawal::KIND => Ok(Self::Withdrawal(head, Withdrawal::read(body)?)),
            Receipt::KIND => Ok(Self::Receipt(head, Receipt::read(body)?)),
            Lost::KIND => Ok(Self::Lost(head, Lost::read(body)?)),
            Pointer::KIND => Ok(Self::Pointer(head, Pointer::read(body)?)),
            Request::KIND => Ok(Self::assist(head, Word::Request(Request::read(body)?))),
            Offer::KIND => Ok(Self::assist(head, Word::Offer(Offer::read(body)?))),
            Agreement::KIND => Ok(Self::assist(head, Word::Agreement(Agreement::read(body)?))),
            Acknowledgement::KIND => Ok(Self::assist(head, Word::Acknowledgement(Acknowledgement::read(body)?))),
            Relayed::KIND => Ok(Self::assist(head, Word::Relayed(Relayed::read(body)?))),
            Mission::KIND => Ok(Self::assist(head, Word::Mission(Mission::read(body)?))),
            Note::KIND => Ok(Self::assist(head, Word::Room(RoomWord::Note(Note::read(body)?)))),
            Artefact::KIND => Ok(Self::assist(head, Word::Room(RoomWord::Artefact(Artefact::read(body)?)))),
            Custody::KIND => Ok(Self::assist(head, Word::Room(RoomWord::Custody(Custody::read(body)?)))),
            Capacity::KIND => Ok(Self::Capacity(head, Box::new(Capacity::read(body)?))),
            Card::KIND => Ok(Self::Card(head, Card::read(body)?)),
            Dossier::KIND => Ok(Self::Dossier(head, Box::new(Dossier::read(body)?))),
            Mandate::KIND => Ok(Self::assist(head, Word::Mandate(Mandate::read(body)?))),
            MandateHelpers::KIND => Ok(Self::assist(head, Word::Helpers(MandateHelpers::read(body)?))),
            newer if newer.starts_with("x-entraide-") => Err(SaidError::NewerType(newer.to_owned())),
            _ => Ok(Self::Object(head)),
        }
    }

    fn assist(head: Head, word: Word) -> Self {
        Self::Assist(head, Box::new(word))
    }

    /// The head, whatever it is.
    #[must_use]
    pub fn head(&self) -> &Head {
        match self {
            Self::Object(head)
            | Self::Audience(head, _)
            | Self::Withdrawal(head, _)
            | Self::Receipt(head, _)
            | Self::Lost(head, _)
            | Self::Pointer(head, _)
            | Self::Assist(head, _)
            | Self::Capacity(head, _)
            | Self::Card(head, _)
            | Self::Dossier(head, _) => head,
        }
    }

    /// What a fold still needs of a statement about sharing once its words are erased: whom an audience has, what is
    /// taken back, what a receipt covers. `None` for what is said of the world, of which nothing remains.
    #[must_use]
    pub fn without_words(&self) -> Option<Vec<u8>> {
        match self {
            Self::Object(_) | Self::Pointer(..) | Self::Card(..) => None,
            Self::Assist(_, word) => Some(word.without_words()),
            Self::Capacity(_, capacity) => Some(capacity.without_words(PURGED).to_bytes()),
            Self::Dossier(_, dossier) => Some(dossier.without_words(PURGED).to_bytes()),
            Self::Audience(_, audience) => {
                let name = Self::nameless(audience);
                Some(Audience { common: audience.common.without_words(), name, ..audience.clone() }.to_bytes())
            }
            Self::Withdrawal(_, withdrawal) => {
                let common = withdrawal.common.without_words();
                Some(Withdrawal { common, reason: String::new(), ..withdrawal.clone() }.to_bytes())
            }
            Self::Lost(_, lost) => Some(Lost { common: lost.common.without_words(), ..lost.clone() }.to_bytes()),
            Self::Receipt(_, receipt) => {
                Some(Receipt { common: receipt.common.without_words(), ..receipt.clone() }.to_bytes())
            }
        }
    }

    /// The name that an audience has once its own is erased: by it people still choose it.
    #[must_use]
    pub fn nameless(audience: &Audience) -> String {
        let id = audience.audience.to_string();
        format!("purged-{}", id.get(..8).unwrap_or(&id))
    }

    /// Is it one of the words that the node itself makes? Nobody asserts such an object by hand.
    #[must_use]
    pub fn is_own_word(&self) -> bool {
        !matches!(self, Self::Object(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_types_of_later_versions_are_told_apart() {
        let body = br#"{"type":"x-entraide-crisis","id":"x-entraide-crisis--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}"#;
        let error = Said::read(MediaType::Stix, body).unwrap_err();
        assert!(matches!(error, SaidError::NewerType(ref kind) if kind == "x-entraide-crisis"), "{error}");
    }

    #[test]
    fn rubbish_is_an_error_with_a_reason() {
        assert!(matches!(Said::read(MediaType::Stix, b"{"), Err(SaidError::Body(_))));
        let short = br#"{"type":"x-entraide-receipt","id":"x-entraide-receipt--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}"#;
        assert!(matches!(Said::read(MediaType::Stix, short), Err(SaidError::Extension(_))));
    }
}
