//! Prints JSON for reading: white space changes, and every other byte stays as it came.

use std::fmt::Write as _;

use super::limits;
use super::text::misleads;

/// Indents JSON without reading its values: numbers keep their digits, strings their escapes, objects their order.
/// Characters that would mislead a reader are written as escapes, which JSON allows anywhere inside a string.
pub fn indented(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 3);
    let mut level: usize = 0;
    let mut letters = text.chars().peekable();
    let mut in_string = false;
    let mut escaped = false;
    while let Some(letter) = letters.next() {
        if in_string {
            push_in_string(letter, &mut out);
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' => {
                in_string = true;
                out.push('"');
            }
            '{' | '[' => {
                out.push(letter);
                while letters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(close) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    level += 1;
                    new_line(level, &mut out);
                }
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                new_line(level, &mut out);
                out.push(letter);
            }
            ',' => {
                out.push(',');
                new_line(level, &mut out);
            }
            ':' => out.push_str(": "),
            letter if letter.is_ascii_whitespace() => {}
            letter => out.push(letter),
        }
    }
    out
}

fn new_line(level: usize, out: &mut String) {
    out.push('\n');
    for _ in 0..level.min(limits::INDENT_LEVELS) {
        out.push_str("  ");
    }
}

fn push_in_string(letter: char, out: &mut String) {
    if !misleads(letter) {
        out.push(letter);
        return;
    }
    let mut units = [0; 2];
    for unit in letter.encode_utf16(&mut units) {
        // Writing into a `String` cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bodies_are_indented_and_otherwise_left_alone() {
        let check = |input, expect: &str| assert_eq!(indented(input), expect, "{input}");
        check("{}", "{}");
        check("[ ]", "[]");
        check(r#"{"b":1.50,"a" :[1, 2]}"#, "{\n  \"b\": 1.50,\n  \"a\": [\n    1,\n    2\n  ]\n}");
        check(r#""a\"{,}:""#, r#""a\"{,}:""#);
        check(r#"["\\",1]"#, "[\n  \"\\\\\",\n  1\n]");
        check("\"a\u{202E}b\"", "\"a\\u202eb\"");
        check("\"\u{E0041}\"", "\"\\udb40\\udc41\"");
    }

    #[test]
    fn deep_bodies_stay_small() {
        let deep = "[".repeat(5_000) + &"]".repeat(5_000);
        assert!(indented(&deep).len() < 600_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn printing_keeps_the_value(keys in prop::collection::vec((".{0,12}", any::<i64>()), 0..6)) {
            let value = serde_json::json!({ "a": keys, "b": [[], {}, null, true] });
            let printed = indented(&value.to_string());
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), value);
        }

        #[test]
        fn anything_is_survived(text in ".{0,200}") {
            indented(&text);
        }
    }
}
