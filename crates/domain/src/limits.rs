//! The limits of what is derived, each with its reason.

/// Most lines that are matched at once: a continent's worst week; those that count most go first.
pub const MATCH_LINES: usize = 200;
/// Most capacities and cards that are matched at once: 27 states with 70 each.
pub const MATCH_SOURCES: usize = 2_000;
/// Most units that are matched for one line: as many as a line can ask for.
pub const MATCH_UNITS: u32 = 10_000;
/// Minutes of waiting that are told apart, two years: all lines of a proposal together stay below 2⁴² of them.
pub const MATCH_MINUTES: u32 = 1 << 20;
/// Cents of one unit that are told apart, a hundred million euro: all of a proposal together stay below 2⁵⁶.
pub const MATCH_CENTS: u64 = 10_000_000_000;
