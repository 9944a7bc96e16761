//! The limits of this room, each with its reason.

/// Longest body that is rendered, bytes: what a log takes.
pub const BODY_BYTES: usize = model::limits::BODY_BYTES;
/// Most markings or tags that are read on one object or event. A published MISP event has a hundred at most; a body
/// with more is refused instead of read, because each of them is looked at.
pub const MARKINGS: usize = 4_096;
/// Longest property name that is compared, bytes of JSON: `object_marking_refs` with every letter escaped has 114.
pub const NAME_BYTES: usize = 128;
