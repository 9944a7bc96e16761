//! Escapes and defanged letters, undone. Whoever writes a report breaks values on purpose (`evil[.]example`), and whoever
//! writes JSON or a query escapes them (`\u002e`, `%2e`).

use std::borrow::Cow;

/// Writes what is escaped or defanged in `bytes` as it was meant, up to `rounds` times: percent signs may be escaped again.
pub(crate) fn decode(bytes: &[u8], rounds: usize) -> Cow<'_, [u8]> {
    let mut text = Cow::Borrowed(bytes);
    for _ in 0..rounds {
        match once(&text) {
            Some(decoded) => text = Cow::Owned(decoded),
            None => break,
        }
    }
    text
}

/// A value as it was meant: brackets of defanging gone, `hxxp` is `http`.
pub(crate) fn refang(given: &str) -> String {
    let decoded = String::from_utf8_lossy(&decode_brackets(given.as_bytes())).into_owned();
    match decoded.get(..4).map(str::to_ascii_lowercase).as_deref() {
        Some("hxxp") | Some("h**p") | Some("meow") => format!("http{}", decoded.get(4..).unwrap_or_default()),
        _ => decoded,
    }
}

/// Backslashes undone, and nothing else: an URL in JSON.
pub(crate) fn unescape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let step = if byte == b'\\' { backslash(bytes.get(at..).unwrap_or_default(), &mut out) } else { 0 };
        if step == 0 {
            out.push(byte);
        }
        at += step.max(1);
    }
    Cow::Owned(out)
}

/// One round; `None` if nothing was escaped.
fn once(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut at, mut changed) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let step = match byte {
            b'\\' => backslash(rest, &mut out),
            b'%' => percent(rest, &mut out),
            b'[' | b'(' | b'{' => bracket(rest, &mut out),
            _ => 0,
        };
        if step == 0 {
            out.push(byte);
            at += 1;
        } else {
            at += step;
            changed = true;
        }
    }
    changed.then_some(out)
}

fn decode_brackets(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let step = if matches!(byte, b'[' | b'(' | b'{') { bracket(rest, &mut out) } else { 0 };
        if step == 0 {
            out.push(byte);
        }
        at += step.max(1);
    }
    out
}

/// `\/`, `\.`, `\x2e`, `\u002e`; letters of a word such as `\n` end it.
fn backslash(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let digits = match rest.get(1) {
        Some(b'u' | b'U') => 4,
        Some(b'x' | b'X') => 2,
        Some(b'n' | b'r' | b't' | b'b' | b'f') => {
            out.push(b' ');
            return 2;
        }
        Some(other @ (b'/' | b'.' | b':' | b'-' | b'@' | b'"')) => {
            out.push(*other);
            return 2;
        }
        Some(_) | None => return 0,
    };
    let Some(number) = hexadecimal(rest.get(2..2 + digits)) else { return 0 };
    let letter = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    2 + digits
}

fn percent(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(byte) = hexadecimal(rest.get(1..3)).and_then(|number| u8::try_from(number).ok()) else { return 0 };
    out.push(byte);
    3
}

/// `[.]`, `[dot]`, `[:]`, `[://]`, `[/]`, `[@]`, `[at]`, with round and curly brackets too, and `[.` alone.
fn bracket(rest: &[u8], out: &mut Vec<u8>) -> usize {
    const FORMS: [(&[u8], &[u8]); 8] = [
        (b"://", b"://"),
        (b"::", b"::"),
        (b"dot", b"."),
        (b"at", b"@"),
        (b".", b"."),
        (b":", b":"),
        (b"@", b"@"),
        (b"/", b"/"),
    ];
    let inside = rest.get(1..).unwrap_or_default();
    for (form, meant) in FORMS {
        if inside.get(..form.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(form)) {
            let closed = matches!(inside.get(form.len()), Some(b']' | b')' | b'}'));
            if closed || form == b"." {
                out.extend_from_slice(meant);
                return 1 + form.len() + usize::from(closed);
            }
        }
    }
    0
}

fn hexadecimal(digits: Option<&[u8]>) -> Option<u32> {
    let text = std::str::from_utf8(digits?).ok()?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_broken_is_whole_again() {
        let check = |given: &str, expect: &str| {
            assert_eq!(String::from_utf8_lossy(&decode(given.as_bytes(), 3)), expect, "{given}");
        };
        check(r"http:\/\/evil\u002eexample\/x", "http://evil.example/x");
        check("evil%2Eexample", "evil.example");
        check("evil%252eexample", "evil.example");
        check("evil[.]example(dot)org{.}net", "evil.example.org.net");
        check("evil[.example", "evil.example");
        check("2001[:]db8[::]1", "2001:db8::1");
        check(r"\x65vil.example", "evil.example");
        check(r"a\nb", "a b");
        check("[data] (details) 100%", "[data] (details) 100%");
        check(r"\u00zz %zz [d]", r"\u00zz %zz [d]");
    }

    #[test]
    fn defanged_values_are_read() {
        assert_eq!(refang("hXXp[://]evil[.]example"), "http://evil.example");
        assert_eq!(refang("user[@]evil.example"), "user@evil.example");
        assert_eq!(refang("evil.example/%2e"), "evil.example/%2e");
    }
}
