//! Text of strangers on its way to a screen, and times as operators read them.

use maud::{Markup, html};
use model::Timestamp;

/// Shows text of strangers as what it is: characters that turn the direction of a line, hide or break it become visible
/// (Unicode UAX #9 §2; "Trojan Source", CVE-2021-42574). Escaping is the template's work.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if misleads(letter) { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

/// Does the character change how its neighbours are read?
pub fn misleads(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{E0000}'..='\u{E007F}')
}

/// A time of the API as `24 Nov 13:54Z`, with the whole of it for machines.
pub fn time(rfc3339: &str) -> Markup {
    html! { time datetime=(rfc3339) title=(rfc3339) { (short_time(rfc3339)) } }
}

/// `24 Nov 13:54Z`.
pub fn short_time(rfc3339: &str) -> String {
    rfc3339.parse::<Timestamp>().map_or_else(|_| plain(rfc3339), Timestamp::short)
}

/// `13:54Z`, for sentences about today.
pub fn clock(rfc3339: &str) -> String {
    let short = short_time(rfc3339);
    short.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// A number with thin groups of three: `41 204`, as the EU's style guide writes it.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3 * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202F}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_turns_the_line_is_made_visible() {
        let check = |input, expect: &str| assert_eq!(plain(input), expect, "{input:?}");
        check("Loader für Süd", "Loader für Süd");
        check("invoice\u{202E}fdp.exe", "invoice\u{FFFD}fdp.exe");
        check("a\u{200B}b\nc\0", "a\u{FFFD}b\u{FFFD}c\u{FFFD}");
        check("日本", "日本");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(short_time("2026-11-24T13:54:00.000000Z"), "24 Nov 13:54Z");
        assert_eq!(clock("2026-11-24T13:54:00.000000Z"), "13:54Z");
        assert_eq!(short_time("<b>"), "<b>");
    }

    #[test]
    fn numbers_are_grouped() {
        let check = |count, expect: &str| assert_eq!(number(count).replace('\u{202F}', " "), expect);
        check(0, "0");
        check(999, "999");
        check(1_000, "1 000");
        check(41_204_711, "41 204 711");
    }
}
