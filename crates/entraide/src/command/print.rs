//! What goes to standard output: lines, tables, JSON. Words of others are stripped of what could drive a terminal.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::Failure;

/// Writes one line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    raw(format!("{text}\n").as_bytes())
}

/// Writes bytes as they are.
pub(super) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Gone),
        Err(error) => Err(Failure::Refused(format!("standard output can't be written: {error}"))),
    }
}

/// Writes a value as JSON on one line.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Refused(error.to_string()))?;
    line(&text)
}

/// Writes rows in columns as wide as their widest cell; the last is not padded.
pub(super) fn table(rows: &[Vec<String>]) -> Result<(), Failure> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let mut text = String::new();
        for (at, cell) in row.iter().enumerate() {
            text.push_str(cell);
            if at + 1 < row.len() {
                let gap = widths[at].saturating_sub(cell.chars().count()) + 2;
                text.extend(std::iter::repeat_n(' ', gap));
            }
        }
        line(text.trim_end())?;
    }
    Ok(())
}

/// Text of others on one line: control characters, which can drive a terminal, and those that turn the direction of
/// writing, which can make one name look like another, become spaces.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|letter| if is_hostile(letter) { ' ' } else { letter }).collect()
}

/// The same, with its line breaks kept.
pub(super) fn clean_lines(text: &str) -> String {
    text.chars().map(|letter| if letter != '\n' && is_hostile(letter) { ' ' } else { letter }).collect()
}

fn is_hostile(letter: char) -> bool {
    // The bidirectional controls of Unicode (UAX #9 §2), and the line and paragraph separators.
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_drive_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e"), "a [2Jb c d e");
        assert_eq!(clean("Équipe 27"), "Équipe 27");
        assert_eq!(clean_lines("a\nb\u{7}"), "a\nb ");
    }
}
