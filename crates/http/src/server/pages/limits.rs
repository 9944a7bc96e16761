//! The limits of the pages, each with its reason.

/// Longest code of a notice that is looked at, bytes: the fourteen of one, typed with spaces.
pub const CODE_BYTES: usize = 40;
/// Largest form, bytes: a reason of 4,000 bytes, percent-encoded, and what is around it.
pub const FORM_BYTES: usize = 32 * 1024;
/// Longest address to which a login sends back: the longest that our own links make, with room.
pub const RETURN_BYTES: usize = 2 * 1024;
/// Largest problem that is turned into a page: our own are below 8 KiB.
pub const PROBLEM_BYTES: usize = 64 * 1024;
/// Deepest indentation of a printed body; what is nested deeper is still shown, only not moved further right.
pub const INDENT_LEVELS: usize = 24;
/// Letters of a commitment that are shown in a table; the whole is one click away.
pub const SHORT_HEX: usize = 12;
/// Items of a plan of retention that a page lists: more are looked through in a file.
pub const PLAN_ROWS: usize = 200;
/// Most items of a handover that a form has: as many as one may have.
pub const HANDOVER_FIELDS: usize = 200;
