//! The limits of what one file may be, each with its reason.

use crate::classified::Classification;

/// Largest file that is taken in, bytes. All of enterprise ATT&CK is 50 MB, a year of a busy MISP's export 200 MB.
pub const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;
/// Most objects of one file: each has a head in memory (about 400 bytes) and a row in intake. ATT&CK has 25,000.
pub const MAX_OBJECTS: usize = 200_000;
/// Longest line that is compared with marking lines, bytes: the longest marking with a release note has under 200.
pub const MARKING_LINE_BYTES: usize = 400;
/// Largest file of a duty roster, bytes: a year of shifts of a large desk is 200 kB; with JSON around it a command holds it.
pub const DUTY_BYTES: usize = 512 * 1024;
/// Most shifts and persons of one such file, recurring ones counted one by one: four posts in three shifts a day for a year.
pub const DUTY_ROWS: usize = 5_000;
/// Longest field or line of a calendar that is read, bytes: descriptions are passed over.
pub const DUTY_FIELD_BYTES: usize = 8 * 1024;
/// Longest step of a recurring shift, days or weeks: a year.
pub const DUTY_INTERVAL: u32 = 366;

/// The limits of one call; a node's configuration may lower them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, bytes.
    pub file_bytes: usize,
    /// Most objects in it.
    pub objects: usize,
    /// The highest marking in it.
    pub ceiling: Classification,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: MAX_FILE_BYTES, objects: MAX_OBJECTS, ceiling: Classification::Unclassified }
    }
}
/// Largest mail that is read: an encrypted answer with a signed file is a hundredth of it.
pub const MAIL_BYTES: usize = 2 * 1024 * 1024;
/// Most parts of a mail that are looked at, and most files of it.
pub const MAIL_PARTS: usize = 32;
/// Longest address or subject that is kept, bytes.
pub const MAIL_HEADER_BYTES: usize = 200;
/// Longest text of a mail that is kept, bytes: what is longer is cut.
pub const MAIL_TEXT_BYTES: usize = 64 * 1024;
