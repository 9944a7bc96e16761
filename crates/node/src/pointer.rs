//! Pointers: we say that a classified annex exists and whom to call, and nothing of what stands in it.

use domain::said::Said;
use model::extension::{AnnexReference, Common, Extension, Pointer};
use model::party::AnnexLevel;
use model::{Index, Label, Lane, MediaType, Tlp};
use store::StoreError;

use crate::append::{self, NewEntry};
use crate::audience::{self, AudienceError, Choice};
use crate::ports::random_bytes;
use crate::work::Work;

/// What a pointer says, and to whom.
#[derive(Debug, Clone)]
pub struct NewPointer {
    /// How high the annex is classified.
    pub level: AnnexLevel,
    /// The system or registry in which it is kept.
    pub held_at: String,
    /// Whom to ask for.
    pub desk: String,
    /// The telephone number.
    pub telephone: String,
    /// What it is about, in one line of English.
    pub summary: String,
    /// Who may see the pointer.
    pub tlp: Tlp,
    /// To whom.
    pub audience: Choice,
}

/// Why a pointer was not said.
#[derive(Debug, thiserror::Error)]
pub enum PointerError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audience.
    #[error(transparent)]
    Audience(#[from] AudienceError),
    /// Something in it is classified itself: whatever the node's ceiling, a pointer holds nothing classified.
    #[error(transparent)]
    Classified(#[from] intake::ClassifiedError),
    /// A line is missing or too long.
    #[error("{0}: correct it")]
    Shape(String),
    /// RED.
    #[error("a pointer at TLP:RED is opened to no node, so nobody would call: choose another label")]
    Red,
}

/// Says a pointer. Its reference is made of chance.
///
/// # Errors
/// See [`PointerError`]; nothing is said then.
pub fn say(work: &mut Work<'_, '_>, new: &NewPointer) -> Result<(Index, AnnexReference), PointerError> {
    if new.tlp == Tlp::Red {
        return Err(PointerError::Red);
    }
    let reference = AnnexReference::from_random(random_bytes(work.random));
    let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt { what: error.to_string() };
    let common = Common::new(Pointer::KIND, random_bytes(work.random), &work.me.origin, work.now)
        .map_err(|error| corrupt(&error))?;
    let pointer = Pointer {
        common,
        name: Pointer::name_of(&reference),
        reference: reference.clone(),
        level: new.level,
        held_at: new.held_at.trim().to_owned(),
        desk: new.desk.trim().to_owned(),
        telephone: new.telephone.trim().to_owned(),
        summary: new.summary.trim().to_owned(),
    };
    pointer.validate().map_err(PointerError::Shape)?;
    let body = pointer.to_bytes();
    intake::classified::check(&body, intake::Classification::Unclassified)?;
    let target = audience::resolve(work, &new.audience, new.tlp)?;
    // Read as every receiver and every rebuild reads it, so that the views come out the same.
    let said = Said::read(MediaType::Stix, &body).map_err(|error| corrupt(&error))?;
    let entry = NewEntry {
        lane: Lane::Intelligence,
        after: None,
        audience: target.at,
        set: target.set,
        label: Label::from(new.tlp),
        walled: None,
        media: MediaType::Stix,
        body: &body,
    };
    Ok((append::append(work, &entry, &said)?.index, reference))
}
