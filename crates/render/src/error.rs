//! Why something was not rendered. An object that cannot carry its marking does not leave.

use model::MediaType;

/// Why a body was not rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Another face renders this media type.
    #[error("the body is `{found}`: ask for it in that form", found = .0.as_str())]
    Media(MediaType),
    /// The bytes are not one JSON object.
    #[error("the body is not one JSON object ({0}): assert a corrected version")]
    NotAnObject(String),
    /// A property that the marking goes into has another shape than the standard gives it.
    #[error("`{property}` of the body is not {expected}: assert a corrected version")]
    Shape {
        /// Which property.
        property: &'static str,
        /// What the standard says.
        expected: &'static str,
    },
    /// Longer than a body may be.
    #[error("the body has `{0}` bytes, more than a log takes: assert a shorter version")]
    TooLong(usize),
    /// A bundle's id of another type.
    #[error("`{0}` is not the id of a bundle: write bundle--uuid")]
    BundleId(String),
}
