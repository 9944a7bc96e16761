//! The limits of this room, each with its reason.

/// Longest citation of an article, bytes: `Regulation (EU) 2024/2847 Art 14(2)(a)` with an annex fits three times.
pub const ARTICLE_BYTES: usize = 120;
/// Most members that a refusal names: a line on a screen. The others are in the error as data.
pub const NAMED_MEMBERS: usize = 10;
