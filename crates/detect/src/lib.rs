//! Finds known indicators in telemetry: any bytes against millions of values, in one pass.
//!
//! Telemetry comes as a stream of bytes in any form (JSON lines, CSV, syslog, plain text). What could be a value is found by
//! masks of 64 letters ([`classes`](mod@classes)), looked up in a filter of one cache line, and compared in full before it is
//! a hit. Values in escapes, defanged, percent-encoded, in punycode or in any spelling of IPv6 are found as well, and nothing
//! is missed where a buffer ends.
//!
//! The room knows no file and no clock: [`Scanner`] takes bytes, [`Records`] gives the values back.

mod address;
mod classes;
mod decode;
mod field;
mod filter;
mod hashing;
mod host;
mod index;
mod limits;
mod scan;
mod text;
mod value;
mod wide;

pub use field::{Shape, field_of};
pub use hashing::Key;
pub use index::{BuildError, Builder, Index, Record, Records, RecordsError, Stored};
pub use scan::{Hit, How, Scanner};
pub use value::{Kind, Value, ValueError};
