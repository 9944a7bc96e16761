//! What is found, in every way and cut.

use core::net::Ipv6Addr;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::hashing::Key;
use crate::index::{Builder, Stored};
use crate::value::Value;

fn index(values: &[&str]) -> (Index, Stored) {
    let values = values.iter().zip(0..).map(|(text, tag)| (Value::parse(text).unwrap(), tag)).collect();
    Builder::of(Key::new([7; 32]), values).unwrap()
}

/// What is found in a text: line, what stands there, the value, how.
fn found(way: Way, values: &[&str], text: &[u8], cut: usize) -> Vec<(u64, String, String, How)> {
    found_by(way, &index(values), text, cut)
}

/// The same, by an index that is there.
fn found_by(way: Way, (index, records): &(Index, Stored), text: &[u8], cut: usize) -> Vec<(u64, String, String, How)> {
    let mut scanner = Scanner::by(way);
    let mut out = Vec::new();
    let mut hit = |hit: &Hit<'_>| {
        let what = String::from_utf8_lossy(&hit.text[hit.start..hit.end]).into_owned();
        out.push((hit.line, what, hit.record.text.clone(), hit.how));
    };
    for part in text.chunks(cut.max(1)) {
        scanner.feed(part, index, records, &mut hit).unwrap();
    }
    scanner.finish(index, records, &mut hit).unwrap();
    out
}

fn check(values: &[&str], text: &str, expect: &[&str]) {
    for way in Way::all() {
        for cut in [1, 7, 64, 100_000] {
            let found = found(way, values, text.as_bytes(), cut);
            let found: Vec<&str> = found.iter().map(|found| found.2.as_str()).collect();
            assert_eq!(found, expect, "{text} {way:?} {cut}");
        }
    }
}

#[test]
fn names_are_found_with_those_below_them_and_no_others() {
    check(&["evil.example"], "a query for www.Evil.example. from x", &["evil.example"]);
    check(&["evil.example"], "evil.example", &["evil.example"]);
    check(&["evil.example"], "(evil.example)\nhttp://evil.example:80/x?y=z\n", &["evil.example"; 2]);
    check(&["evil.example"], "notevil.example evil.example.org evil-example xevil.example", &[]);
    check(&["www.evil.example"], "evil.example a.www.evil.example", &["www.evil.example"]);
    check(&["evil.example", "www.evil.example"], "www.evil.example", &["evil.example", "www.evil.example"]);
    check(&["xn--mnchen-3ya.example"], "MÜNCHEN.example münchen.example", &["xn--mnchen-3ya.example"; 2]);
    check(&["münchen.example"], "xn--mnchen-3ya.example", &["xn--mnchen-3ya.example"]);
    check(&["пример.рф"], "http://пример.рф/", &["xn--e1afmkfd.xn--p1ai"]);
}

#[test]
fn addresses_are_found_in_any_spelling_and_in_networks() {
    check(&["1.2.3.4"], "src=1.2.3.4:80 001.002.003.004 11.2.3.4 1.2.3.45 1.2.3 v1.2.3.4", &["1.2.3.4"; 3]);
    check(&["1.2.3.4"], "IP 1.2.3.4.443 > 5.6.7.8.1: x, 1.2.3.4-1.2.3.9, ip-1.2.3.4.", &["1.2.3.4"; 3]);
    check(&["10.0.0.0/8", "10.1.0.0/16"], "10.1.2.3 10.2.2.3 11.1.1.1", &["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"]);
    check(
        &["2001:db8::1"],
        "[2001:DB8::1]:443 2001:0db8:0000:0000:0000:0000:0000:0001 src:2001:db8:0:0:0:0:0:1 2001:db8::10",
        &["2001:db8::1"; 3],
    );
    check(&["2001:db8::/32"], "2001:db8:5::9. 2001:db9::1 12:34:56 std::cad", &["2001:db8::/32"]);
    check(&["1.2.3.4"], "::ffff:1.2.3.4 ::ffff:0102:0304", &["1.2.3.4"; 2]);
    check(&["64:ff9b::1.2.3.4"], "64:ff9b:0:0:0:0:1.2.3.4 64:ff9b::102:304", &["64:ff9b::102:304"; 2]);
}

#[test]
fn hashes_are_found_in_any_case_and_at_their_length_alone() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    check(&[md5], &format!("md5:{} x{md5}.exe {md5}0 {md5}", md5.to_uppercase()), &[md5; 3]);
    let sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    check(&[sha], &format!(r#"{{"sha256":"{sha}","b":"\b{sha}","c":"\u002f{sha}","d":"%2F{sha}"}}"#), &[sha; 4]);
}

#[test]
fn urls_and_mail_addresses_are_found_whole() {
    let url = "http://evil.example/a/b?c=d";
    check(&[url], "GET http://evil.example/a/b?c=d HTTP/1.1", &["evil.example/a/b?c=d"]);
    check(&[url], "see hxxps://evil[.]example/a/b?c=d, and", &["evil.example/a/b?c=d"]);
    check(&[url], r#"{"url":"http:\/\/evil.example:80\/a\/b?c=d"}"#, &["evil.example/a/b?c=d"]);
    check(&[url], "r=http%3A%2F%2Fevil.example%2Fa%2Fb%3Fc%3Dd", &["evil.example/a/b?c=d"]);
    check(&[url], "http://evil.example/a/b?c=de http://evil.example/A/b?c=d http://evil.example/", &[]);
    check(&["http://1.2.3.4:8080/x"], "1.2.3.4:8080/x 1.2.3.4/x", &["1.2.3.4:8080/x"]);
    check(&["http://evil.example/"], "http://evil.example evil.example", &["evil.example/"]);
    check(&["http://[2001:db8::1]/x"], "http://[2001:DB8::1]/x", &["[2001:db8::1]/x"]);
    check(&["user@evil.example"], "from=<User@Evil.example> to=other.user@evil.example", &["user@evil.example"]);
    check(&["user@evil.example"], "from=user@evil.example user[at]evil[.]example", &["user@evil.example"; 2]);
}

#[test]
fn what_is_broken_on_purpose_or_escaped_is_found() {
    for text in [
        "evil[.]example",
        "evil(.)example",
        "evil{.}example",
        "evil[dot]example",
        "evil(DOT)example",
        "evil[.example",
        r"evil\u002eexample",
        r"evil\x2eexample",
        "evil%2eexample",
        "evil%2Eexample",
        "evil%252eexample",
        "e%76il.example",
        r"\nevil.example",
        r"C:\\u\tevil.example",
        "%2Fevil.example%2F",
        r"www\u002eevil\u002eexample",
    ] {
        check(&["evil.example"], text, &["evil.example"]);
        check(&["evil.example"], &format!("{{\"a\":\"{text}\"}}\nx"), &["evil.example"]);
    }
    check(&["1.2.3.4"], "1[.]2[.]3[.]4 1.2.3[.]4 1%2e2%2e3%2e4", &["1.2.3.4"; 3]);
    check(&["2001:db8::1"], "2001[:]db8[::]1", &["2001:db8::1"]);
    check(&["evil.example"], "100%, [1] (d) {x} \\server\\share.exe [.] (see)", &[]);
}

#[test]
fn a_hit_tells_its_line() {
    let lines = found(Way::best(), &["evil.example"], b"a\r\nb evil.example\r\n\nx.evil.example", 5);
    let expect = [
        (2, "evil.example".to_owned(), "evil.example".to_owned(), How::Exact),
        (4, "x.evil.example".to_owned(), "evil.example".to_owned(), How::Below),
    ];
    assert_eq!(lines, expect);
}

#[test]
fn a_line_without_an_end_is_cut_between_words_and_a_word_without_an_end_is_looked_at_twice() {
    let words = "evil.example ".repeat(limits::LINE / 10);
    let count = words.matches("evil").count();
    assert_eq!(found(Way::best(), &["evil.example"], words.as_bytes(), 50_000).len(), count);
    let word = "evil.example/".repeat(limits::LINE / 10);
    let count = word.matches("evil").count();
    assert_eq!(found(Way::best(), &["evil.example"], word.as_bytes(), 50_000).len(), count);
}

const VALUES: [&str; 12] = [
    "evil.example",
    "sub.bad.example",
    "bad.test",
    "192.0.2.7",
    "198.51.100.0/24",
    "2001:db8::7",
    "2001:db8:a::/48",
    "http://bad.test/a?b=1",
    "mail@bad.example",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "xn--bcher-kva.example",
];

/// One of the values as somebody may write it.
fn written() -> impl Strategy<Value = (String, String)> {
    (0..VALUES.len(), 0..8_u8, any::<u16>()).prop_map(|(at, way, some)| {
        let value = VALUES[at];
        let base = match value {
            "198.51.100.0/24" => format!("198.51.100.{}", some % 256),
            "2001:db8:a::/48" => Ipv6Addr::from_bits(0x2001_0db8_000a_u128 << 80 | u128::from(some)).to_string(),
            "xn--bcher-kva.example" if some % 2 == 0 => "bücher.example".to_owned(),
            other => other.to_owned(),
        };
        let is_name = base.contains('.') && !base.contains('/');
        let text = match way {
            0 => base.to_uppercase(),
            1 if is_name => base.replace('.', "[.]"),
            2 if is_name => base.replace('.', "%2e"),
            3 if is_name => base.replace('.', "\\u002e"),
            4 => base.replace('/', "\\/"),
            5 if base.starts_with(|letter: char| letter.is_ascii_alphabetic()) && is_name && !base.contains('@') => {
                format!("www.{base}")
            }
            6 if base.contains("::") && !base.contains('/') => {
                let groups = base.parse::<Ipv6Addr>().unwrap().segments().map(|group| format!("{group:04x}"));
                groups.join(":")
            }
            _ => base,
        };
        // A path has letters whose case matters.
        let text = if value.starts_with("http") && way == 0 { value.to_owned() } else { text };
        (Value::parse(value).unwrap().text().to_owned(), text)
    })
}

static KNOWN: LazyLock<(Index, Stored)> = LazyLock::new(|| index(&VALUES));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn nothing_is_missed_wherever_it_stands_and_wherever_a_buffer_ends(
        written in written(),
        before in "[ -~\n]{0,90}", after in "[ -~\n]{0,90}",
        (left, right) in (prop_oneof![Just(' '), Just('"'), Just('\n'), Just('='), Just('('), Just('<')],
            prop_oneof![Just(' '), Just('"'), Just('\n'), Just(')'), Just('>'), Just('|')]),
        cut in 1..200_usize,
    ) {
        let (value, text) = written;
        let text = format!("{before}{left}{text}{right}{after}");
        let all = found_by(Way::best(), &KNOWN, text.as_bytes(), cut);
        prop_assert!(all.iter().any(|found| found.2 == value), "{:?} not in {:?}", value, text);
        for way in Way::all() {
            prop_assert_eq!(&found_by(way, &KNOWN, text.as_bytes(), 1 << 20), &all, "{:?} {:?}", way, text);
        }
    }

    #[test]
    fn any_bytes_give_the_same_in_every_way_and_cut(
        bytes: Vec<u8>,
        cut in 1..64_usize,
        text in "[evil.xampd:0-9%\\\\/@\\[\\]\n]{0,200}",
    ) {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let expect = found_by(Way::Scalar, &KNOWN, bytes, 1 << 20);
            for way in Way::all() {
                prop_assert_eq!(&found_by(way, &KNOWN, bytes, cut), &expect);
            }
        }
    }
}
