//! Warn: intelligence is shared, and can be taken back.

pub mod sharing;
