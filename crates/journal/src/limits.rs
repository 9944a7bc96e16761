//! The limits of the log core, each with its reason. Those of the federation stand in `wire`, `peering` and `identity`.

/// Largest note (a checkpoint with its signatures), bytes: 64 cosignatures fit.
pub const NOTE_BYTES: usize = 16 * 1024;
/// Most signatures on one note: a log has at most 5 witnesses.
pub const NOTE_SIGNATURES: usize = 64;
/// Largest envelope, bytes: the fixed form has at most 300.
pub const ENVELOPE_BYTES: usize = 1_024;
/// Longest way from a leaf to the root: a log of 2^63 entries.
pub const PROOF_HASHES: usize = 64;
/// Largest proof file, bytes: the largest body in base64, with room for the rest.
pub const PROOF_BYTES: usize = model::limits::BODY_BYTES / 3 * 4 + 64 * 1024;
/// Most keys in a file of keys: every nation twenty times.
pub const KEYS: usize = 1_024;
/// Most heads of chains in one note: they take less than 4 kB, the largest note of a page.
pub const HEADS: usize = 24;
/// Largest manifest of a backup, bytes: ten times that of a backup of today.
pub const MANIFEST_BYTES: usize = 16 * 1024;
