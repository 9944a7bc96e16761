//! Foreign shapes in: a STIX or MISP file becomes the bytes of each object in it (`split`), with what each says of
//! itself (`ceiling`), the parts of an event with several labels (`parts`), whether it is classified (`classified`), of an
//! exercise (`exercise`) or new (`fate`), and the groups in which it goes on (`batch`). A duty roster comes as CSV or as
//! a calendar (`duty`). What a detector can look for in a pattern is told by `pattern`.
//!
//! Floor 1: pure, imports `model` only.
//! Received is not said: nothing here asserts, and no byte of an object is changed.

pub mod batch;
pub mod ceiling;
pub mod classified;
pub mod duty;
pub mod exercise;
pub mod fate;
pub mod limits;
pub mod mail;
pub mod parts;
pub mod pattern;
pub mod split;

pub use batch::{batches, bundle};
pub use ceiling::{Ceiling, label};
pub use classified::{Classification, ClassificationError, ClassifiedError};
pub use exercise::ExerciseError;
pub use fate::{Fate, Known, digest, fate};
pub use limits::Limits;
pub use parts::{Cut, Part, cut, join};
pub use split::{Item, Kind, Reason, Refusal, Split, SplitError, split};
