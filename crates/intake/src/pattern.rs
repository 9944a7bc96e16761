//! Values in patterns of indicators (STIX 2.1 §9): what a detector can look for one by one. A pattern is more than its values;
//! which of them suffice alone is told with them.

/// A value that a pattern compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What the pattern looks at: `domain-name:value`, `file:hashes.'SHA-256'`.
    pub path: String,
    /// The literal.
    pub value: String,
    /// Does finding it alone fulfil the pattern? Not if the pattern joins it with others by `AND` or `FOLLOWEDBY`, or asks for
    /// repetition.
    pub alone: bool,
}

/// Values of one pattern, at most: a longer list comes as indicators of its own.
pub const VALUES: usize = 10_000;

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Text(String),
    Word(&'a str),
    Sign(char),
}

/// Every literal that a pattern compares with by `=`, `IN` or `ISSUBSET`, unless it is negated. What can't be read gives
/// nothing: it is matched by those who can.
#[must_use]
pub fn values(pattern: &str) -> Vec<Compared> {
    let Some(tokens) = tokens(pattern) else { return Vec::new() };
    let joins = |token: &Token<'_>| matches!(token, Token::Word("AND" | "FOLLOWEDBY" | "REPEATS"));
    let alone = !tokens.iter().any(joins);
    let mut out = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(path) = token else { continue };
        if !path.contains(':') {
            continue;
        }
        // The last step of a path may be quoted: `hashes.'SHA-256'`.
        let mut rest = tokens.get(at + 1..).unwrap_or_default();
        let mut path = (*path).to_owned();
        if let (true, [Token::Text(step), others @ ..]) = (path.ends_with('.'), rest) {
            path = format!("{path}'{step}'");
            rest = others;
        }
        let literals: &[Token<'_>] = match rest {
            [Token::Sign('='), literal @ Token::Text(_), ..] => std::slice::from_ref(literal),
            [Token::Word("ISSUBSET"), literal @ Token::Text(_), ..] => std::slice::from_ref(literal),
            [Token::Word("IN"), Token::Sign('('), set @ ..] => {
                let end = set.iter().position(|token| *token == Token::Sign(')')).unwrap_or(0);
                set.get(..end).unwrap_or_default()
            }
            _ => continue,
        };
        for literal in literals {
            if let Token::Text(value) = literal {
                out.push(Compared { path: path.clone(), value: value.clone(), alone });
            }
        }
        if out.len() > VALUES {
            return Vec::new();
        }
    }
    out
}

/// Words, literals and signs; `None` if a literal has no end.
fn tokens(pattern: &str) -> Option<Vec<Token<'_>>> {
    let mut out = Vec::new();
    let mut letters = pattern.char_indices().peekable();
    while let Some((start, letter)) = letters.next() {
        if letter == '\'' {
            let mut text = String::new();
            loop {
                match letters.next()?.1 {
                    '\'' => break,
                    '\\' => text.push(letters.next()?.1),
                    other => text.push(other),
                }
            }
            out.push(Token::Text(text));
        } else if is_word(letter) {
            let mut end = start + letter.len_utf8();
            while let Some((at, next)) = letters.next_if(|(_, next)| is_word(*next)) {
                end = at + next.len_utf8();
            }
            out.push(Token::Word(pattern.get(start..end)?));
        } else if !letter.is_whitespace() {
            // `!=` is no `=`: what differs is not what is looked for.
            let unequal = letter == '!' && letters.next_if(|(_, next)| *next == '=').is_some();
            out.push(Token::Sign(if unequal { '≠' } else { letter }));
        }
    }
    Some(out)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '-' | '_' | ':' | '.' | '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_pattern_compares_with_is_told() {
        let check = |pattern: &str, expect: &[(&str, &str, bool)]| {
            let found = values(pattern);
            let found: Vec<_> = found.iter().map(|one| (one.path.as_str(), one.value.as_str(), one.alone)).collect();
            assert_eq!(found, expect, "{pattern}");
        };
        check("[domain-name:value = 'evil.example']", &[("domain-name:value", "evil.example", true)]);
        check(
            "[file:hashes.'SHA-256' = 'ab' OR file:hashes.MD5 = 'cd']",
            &[("file:hashes.'SHA-256'", "ab", true), ("file:hashes.MD5", "cd", true)],
        );
        check(
            "[ipv4-addr:value IN ('1.2.3.4', '1.2.3.5')]",
            &[("ipv4-addr:value", "1.2.3.4", true), ("ipv4-addr:value", "1.2.3.5", true)],
        );
        check("[ipv4-addr:value ISSUBSET '10.0.0.0/8']", &[("ipv4-addr:value", "10.0.0.0/8", true)]);
        check("[url:value = 'a\\'b'] AND [domain-name:value != 'x']", &[("url:value", "a'b", false)]);
        check("[file:size > 5 AND file:name NOT = 'x']", &[]);
        check("[url:value LIKE 'x%']", &[]);
        check("[url:value = 'open", &[]);
    }

    proptest! {
        #[test]
        fn no_pattern_panics_and_no_literal_is_made_up(pattern in "[a-z:.'\\\\=()!A \\[\\]INO,]{0,80}") {
            for found in values(&pattern) {
                let letters = found.value.replace('\\', "");
                prop_assert!(letters.chars().all(|letter| pattern.contains(letter)));
            }
        }
    }
}
