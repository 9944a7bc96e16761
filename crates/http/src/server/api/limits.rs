//! The limits of the API, each with its reason. Bytes and counts; times are `Duration`s.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Longest time for one request, bodies and answers included: 64 MiB at 2 Mbit/s, with a second for each of its 100
/// transactions.
pub const REQUEST: Duration = Duration::from_secs(600);
/// Largest JSON body of a command: 512 members with whole origins take 30 KiB.
pub const COMMAND_BYTES: usize = MIB;
/// Largest file in one request, held in memory as a whole. The listener's own limit may be lower; clients split files
/// (`intake::batches`).
pub const INTAKE_BYTES: usize = 64 * MIB;
/// Largest roster: 512 signed identities of about 2 KiB.
pub const ROSTER_BYTES: usize = 2 * MIB;
/// Passwords that are hashed at once: each takes 19 MiB and a core.
pub const HASHING: usize = 2;
/// Longest wait for one's turn to be hashed; then the caller comes back. Bounds what a flood of logins can queue.
pub const HASHING_WAIT: Duration = Duration::from_secs(5);
/// Longest login or password that is looked at, bytes.
pub const CREDENTIAL_BYTES: usize = 1_024;
/// Shortest pause between two events of one stream: four a second are more than a person sees.
pub const EVENTS_PACE: Duration = Duration::from_millis(250);
/// Every so often a stream tells the time, without an id: clocks on screens go by it, and a screen that hears nothing for
/// three of them says so (15 s: amber).
pub const EVENTS_TIME: Duration = Duration::from_secs(5);
/// A comment keeps the stream alive through middleboxes, and tells the screen that it is still fresh (15 s: amber).
pub const EVENTS_COMMENT: Duration = Duration::from_secs(15);
/// A stream ends after this long, so that a locked account or an ended session stops hearing.
pub const EVENTS_LIFE: Duration = Duration::from_secs(900);
/// Leases of one mandate that are signed in a second: a gate asks every three seconds, and a second one while it is replaced.
pub const LEASES_PER_SECOND: u32 = 5;
/// Largest list of the digests of a sealed file's pieces: 100 GB are 95,368 pieces, and a digest has 32 bytes.
pub const DIGESTS_BYTES: usize = 4 * MIB;
/// Handovers that are shown, and cases that a draft looks at: a fortnight of shifts.
pub const HANDOVERS: usize = 50;
/// How far back somebody catches up who never said that they had read anything, seconds: one shift.
pub const CATCH_UP_SECONDS: i64 = 12 * 3600;
/// Most cases that are looked at for one page: the newest.
pub const CATCH_UP_CASES: usize = 100;
/// What a brief tells of the past, statements: what fits on one sheet.
pub const BRIEF_NEWS: usize = 12;
/// How far ahead the crisis card names who is on duty, seconds: two days, after which it is printed anew.
pub const CARD_SECONDS: i64 = 48 * 3600;
