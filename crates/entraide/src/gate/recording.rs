//! What passes between a session and the daemon that writes it down, and the recording itself: an asciicast v2 file, which
//! any player of those shows again.
//!
//! The session says one line of JSON ([`Hello`]), the daemon answers one ([`Answer`]); then the session sends frames:
//! what it is (`o` shown to the helper, `i` sent by the helper where there is no terminal that shows it), the length as
//! four bytes, the bytes.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::limits;

/// How a session or a request for a certificate begins. Which account it is of the system says, not the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The base64 of the helper's key.
    pub key: String,
    /// A session, or else a certificate alone.
    pub session: bool,
    /// What the helper asked for.
    pub asked: Option<String>,
    /// Columns and rows of the terminal, if there is one.
    pub terminal: Option<(u16, u16)>,
}

/// What the daemon answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Begin; with what the entity runs in place of a shell.
    Go {
        /// A command of the entity's.
        command: Option<String>,
    },
    /// A certificate.
    Certificate(String),
    /// Nobody comes in.
    No(String),
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Shown to the helper.
    Out,
    /// Sent by the helper.
    In,
}

impl Stream {
    const fn letter(self) -> u8 {
        match self {
            Self::Out => b'o',
            Self::In => b'i',
        }
    }
    fn of(letter: u8) -> Option<Self> {
        [Self::Out, Self::In].into_iter().find(|one| one.letter() == letter)
    }
}

/// The head of a frame.
#[must_use]
pub fn head(stream: Stream, length: usize) -> [u8; 5] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [stream.letter(), a, b, c, d]
}

/// Reads a head; `None` is not one that a session sends.
#[must_use]
pub fn read_head(head: [u8; 5]) -> Option<(Stream, usize)> {
    let [letter, length @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    Some((Stream::of(letter)?, length)).filter(|_| length <= limits::FRAME_BYTES)
}

/// Writes a recording.
pub struct Recording<W> {
    to: W,
    /// What of a letter has come so far, by stream.
    rest: [Vec<u8>; 2],
    written: u64,
}

impl<W: Write> Recording<W> {
    /// Begins one: the title says who does what where.
    ///
    /// # Errors
    /// It can't be written.
    pub fn begin(mut to: W, title: &str, hello: &Hello, seconds: i64) -> io::Result<Self> {
        let (columns, rows) = hello.terminal.unwrap_or((80, 24));
        let head = serde_json::json!({
            "version": 2, "width": columns, "height": rows, "timestamp": seconds, "title": title,
            "command": hello.asked, "helper": hello.key,
        });
        writeln!(to, "{head}")?;
        Ok(Self { to, rest: [Vec::new(), Vec::new()], written: 0 })
    }

    /// Writes what came at a time, microseconds since the beginning.
    ///
    /// # Errors
    /// It can't be written, or the recording is as large as it may be: what is not recorded does not go on.
    pub fn add(&mut self, stream: Stream, bytes: &[u8], micros: u64) -> io::Result<()> {
        let rest = &mut self.rest[usize::from(stream == Stream::In)];
        rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(rest) {
            // A letter of which a part has come waits for the other; what is none is replaced.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(_) | Err(_) => rest.len(),
        };
        let text = String::from_utf8_lossy(&rest[..whole]).into_owned();
        rest.drain(..whole);
        if text.is_empty() {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "a recording is shorter than 200 years")]
        let line = serde_json::json!([micros as f64 / 1e6, char::from(stream.letter()).to_string(), text]);
        let line = format!("{line}\n");
        self.written += line.len() as u64;
        if self.written > limits::RECORDING_BYTES {
            return Err(io::Error::other("the recording is as large as it may be"));
        }
        self.to.write_all(line.as_bytes())?;
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello() -> Hello {
        Hello { key: "AAAA".into(), session: true, asked: Some("id".into()), terminal: Some((120, 40)) }
    }

    #[test]
    fn a_recording_is_read_by_players_and_keeps_letters_whole() {
        let mut bytes = Vec::new();
        let mut recording = Recording::begin(&mut bytes, "m:mail1:read", &hello(), 1_790_000_000).unwrap();
        recording.add(Stream::Out, "caf\u{e9}".as_bytes().split_at(4).0, 500_000).unwrap();
        recording.add(Stream::Out, &"caf\u{e9}".as_bytes()[4..], 600_000).unwrap();
        recording.add(Stream::In, b"\xff\n", 700_000).unwrap();
        let lines: Vec<serde_json::Value> =
            String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (&lines[0]["version"], &lines[0]["width"], &lines[0]["helper"]),
            (&2.into(), &120.into(), &"AAAA".into())
        );
        assert_eq!(lines[1], serde_json::json!([0.5, "o", "caf"]));
        assert_eq!(lines[2], serde_json::json!([0.6, "o", "\u{e9}"]));
        assert_eq!(lines[3], serde_json::json!([0.7, "i", "\u{fffd}\n"]));
    }

    #[test]
    fn a_recording_ends_at_its_limit() {
        let mut recording = Recording::begin(io::sink(), "", &hello(), 0).unwrap();
        recording.written = limits::RECORDING_BYTES - 10;
        assert!(recording.add(Stream::Out, b"more than is left", 0).is_err());
    }

    proptest! {
        #[test]
        fn a_head_reads_back_and_nothing_long_is_read(bytes in any::<[u8; 5]>(), length in 0..=limits::FRAME_BYTES) {
            prop_assert_eq!(read_head(head(Stream::In, length)), Some((Stream::In, length)));
            if let Some((stream, length)) = read_head(bytes) {
                prop_assert!(length <= limits::FRAME_BYTES);
                prop_assert_eq!(head(stream, length), bytes);
            }
        }
    }
}
