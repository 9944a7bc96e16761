//! In which field of its line something stands: looked for only where something was found.

/// How lines are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// JSON, one object a line: the field is its path, `a.b[2]`.
    Json,
    /// Commas, with the names of the first line if it has some: the field is a name or a number from 1.
    Csv(Vec<String>),
    /// Anything else: `key=value` is a field.
    Plain,
}

impl Shape {
    /// What a stream is, by its first line.
    #[must_use]
    pub fn of(first: &[u8]) -> Self {
        let first = first.trim_ascii();
        if first.starts_with(b"{") {
            return Self::Json;
        }
        let cells = cells(first);
        let is_name = |cell: &&[u8]| {
            !cell.is_empty() && cell.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-. #".contains(byte))
        };
        let lettered = |cell: &&[u8]| cell.iter().any(u8::is_ascii_alphabetic) && !cell.contains(&b'.');
        if cells.len() > 2 && cells.iter().all(|cell| is_name(cell) && lettered(cell)) {
            return Self::Csv(cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
        }
        if cells.len() > 4 { Self::Csv(Vec::new()) } else { Self::Plain }
    }
}

/// The field of what starts at `at` in a line; `None` if there is none to name.
#[must_use]
pub fn field_of(shape: &Shape, line: &[u8], at: usize) -> Option<String> {
    let before = line.get(..at)?;
    match shape {
        Shape::Json => json(before),
        Shape::Csv(names) => {
            let cell = cells(before).len();
            let name = names.get(cell - 1).cloned();
            Some(name.unwrap_or_else(|| cell.to_string()))
        }
        Shape::Plain => key(before),
    }
}

/// The cells of a line (RFC 4180); the last may be open.
fn cells(line: &[u8]) -> Vec<&[u8]> {
    let (mut out, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                out.push(line.get(start..at).unwrap_or_default().trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(line.get(start..).unwrap_or_default().trim_ascii());
    out
}

/// Letters of a key that is shown.
const KEY: usize = 64;

/// The key of `key=value` that is open at the end.
fn key(before: &[u8]) -> Option<String> {
    let word = before.iter().rposition(|byte| matches!(byte, b' ' | b'\t')).map_or(0, |space| space + 1);
    let open = before.get(word..).unwrap_or_default();
    let equals = match open.iter().position(|byte| *byte == b'=') {
        Some(equals) => word + equals,
        // A quoted value may have spaces: its key stands before the quote that is open.
        None => {
            let quotes = before.iter().filter(|byte| **byte == b'"').count();
            let quote = before.iter().rposition(|byte| *byte == b'"').filter(|_| quotes % 2 == 1)?;
            quote.checked_sub(1).filter(|at| before.get(*at) == Some(&b'='))?
        }
    };
    let name = before.get(..equals)?;
    let start = name.iter().rposition(|byte| !(byte.is_ascii_alphanumeric() || b"_-.".contains(byte)));
    let name = name.get(start.map_or(0, |stop| stop + 1)..)?;
    (!name.is_empty() && name.len() <= KEY).then(|| String::from_utf8_lossy(name).into_owned())
}

/// One step into an object or a list.
enum Step {
    Object(String),
    List(usize),
}

/// Deepest path that is followed.
const DEPTH: usize = 64;

/// The path to what is open at the end of the beginning of a JSON text.
fn json(before: &[u8]) -> Option<String> {
    let mut path: Vec<Step> = Vec::new();
    let mut at = 0;
    while let Some(byte) = before.get(at) {
        match byte {
            b'{' => path.push(Step::Object(String::new())),
            b'[' => path.push(Step::List(0)),
            b'}' | b']' => {
                path.pop()?;
            }
            b',' => {
                if let Some(Step::List(number)) = path.last_mut() {
                    *number += 1;
                }
            }
            b'"' => {
                let Some(end) = string_end(before, at) else { break };
                let rest = before.get(end + 1..).unwrap_or_default().trim_ascii_start();
                if let (Some(Step::Object(key)), [b':', ..]) = (path.last_mut(), rest) {
                    *key = String::from_utf8_lossy(before.get(at + 1..end)?).into_owned();
                }
                at = end;
            }
            _ => {}
        }
        if path.len() > DEPTH {
            return None;
        }
        at += 1;
    }
    let mut out = String::new();
    for step in path {
        match step {
            Step::Object(key) if out.is_empty() => out.push_str(&key),
            Step::Object(key) => {
                out.push('.');
                out.push_str(&key);
            }
            Step::List(number) => {
                out.push('[');
                out.push_str(&number.to_string());
                out.push(']');
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Where the string that begins at `start` ends.
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_as_its_line_is_written() {
        let check = |first: &str, line: &str, expect: Option<&str>| {
            let shape = Shape::of(first.as_bytes());
            let at = line.find("HERE").unwrap();
            assert_eq!(field_of(&shape, line.as_bytes(), at).as_deref(), expect, "{line}");
        };
        let json = r#"{"a":1}"#;
        check(json, r#"{"a":{"b":["x","y HERE"]},"c":1}"#, Some("a.b[1]"));
        check(json, r#"{"a":{"b":1},"c\"d":"HERE"}"#, Some(r#"c\"d"#));
        check(json, r#"{"x":[{"q":2},{"q":"HERE"}]}"#, Some("x[1].q"));
        check("time,client,query", r#"1,"a, b",HERE"#, Some("query"));
        check("1,2,3,4,5,6", "1,HERE", Some("2"));
        check("Nov 24 host", "Nov 24 host fw: src=HERE dst=b", Some("src"));
        check("Nov 24 host", r#"Nov 24 url="a HERE""#, Some("url"));
        check("Nov 24 host", "Nov 24 from HERE", None);
    }
}
