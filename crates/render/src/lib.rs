//! Shapes out, from [`policy::Released`] only: STIX objects and bundles (`stix`), MISP events (`misp`), tables (`csv`).
//!
//! Floor 1: pure. A body leaves as its author wrote it, byte for byte; every face other than federation adds the
//! envelope's marking by inserting bytes (`splice`), never by writing the object anew.

pub mod csv;
mod error;
pub mod limits;
pub mod misp;
mod splice;
pub mod stix;

pub use error::RenderError;

use model::{Label, MediaType, Realm};

/// A released statement as the faces take it: what its envelope says, beside its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The envelope's label.
    pub label: Label,
    /// What the bytes are.
    pub media: MediaType,
    /// In which realm it was said: what leaves an exercise carries the exercise's mark.
    pub realm: Realm,
    /// The bytes as they came.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Rendered {
    // Content never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rendered({}, {} bytes)", self.label.tlp, self.body.len())
    }
}

#[cfg(test)]
mod testing;
