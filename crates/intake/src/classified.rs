//! Classified information stays out: the marking lines of the European Union, its states and NATO, looked for in JSON.
//!
//! A marking is a line of its own in capitals, as the rules on classified documents ask, in any text of an object.
//! Ordinary words are not taken for markings: `Secret` inside a sentence passes, a line `SECRET` does not.
//! Source of the words: Council Decision 2013/488/EU, Appendix B (equivalence of security classifications), with the
//! markings of NATO beside them.

use crate::limits::MARKING_LINE_BYTES;

/// Most bytes that an escape takes for one byte of text: `\u0041` for `A`.
const ESCAPE_BYTES: usize = 6;

/// A marking line that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Marking(&'static str);

impl Marking {
    /// The marking as the rules spell it, in capitals.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// An object that carries a marking line. The words are the rules' own, never the object's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a line is marked `{}`: this network holds nothing classified. Leave it on the system that it came from, and \
     tell partners by telephone; if it is not a marking, write the line in small letters",
    marking.as_str()
)]
pub struct ClassifiedError {
    /// Which one.
    pub marking: Marking,
}

/// Looks for a marking line in every text of a JSON document, keys included.
/// Works on any bytes, in one pass, and copies only lines that have no small ASCII letter.
///
/// # Errors
/// The first marking line.
pub fn check(json: &[u8]) -> Result<(), ClassifiedError> {
    let mut rest = json;
    while let Some(start) = rest.iter().position(|byte| *byte == b'"') {
        let text = &rest[start + 1..];
        let length = text_length(text);
        if let Some(marking) = in_text(&text[..length]) {
            return Err(ClassifiedError { marking });
        }
        rest = text.get(length + 1..).unwrap_or_default();
    }
    Ok(())
}

/// How long the text is, up to the quotation mark that ends it.
fn text_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// Looks at each line of an escaped text.
fn in_text(text: &[u8]) -> Option<Marking> {
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        let length = if text[at] == b'\\' { line_break(&text[at..]) } else { raw_line_break(&text[at..]) };
        if let Some(length) = length {
            if let Some(marking) = in_line(&text[start..at]) {
                return Some(marking);
            }
            at += length;
            start = at;
        } else {
            at += if text[at] == b'\\' { 2 } else { 1 };
        }
    }
    in_line(text.get(start..).unwrap_or_default())
}

/// The length of a line break that stands in the text as it is, in UTF-8.
fn raw_line_break(text: &[u8]) -> Option<usize> {
    match text {
        [0..=0x1f | 0x7f, ..] => Some(1),
        [0xc2, 0x80..=0x9f, ..] => Some(2),
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => Some(3),
        _ => None,
    }
}

/// The length of the escape of a control character, which ends a line; `None` for any other escape.
fn line_break(escape: &[u8]) -> Option<usize> {
    match escape.get(1)? {
        b'n' | b'r' | b'f' | b't' | b'b' => Some(2),
        b'u' => {
            let digits = escape.get(2..6)?;
            let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            is_line_break(char::from_u32(code)?).then_some(6)
        }
        _ => None,
    }
}

/// Control characters, and the separators of lines and paragraphs (Unicode §5.8).
fn is_line_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn in_line(escaped: &[u8]) -> Option<Marking> {
    // Exporters that keep to ASCII write each letter in six bytes: what counts is the line as it is read.
    if escaped.is_empty() || escaped.len() > MARKING_LINE_BYTES * ESCAPE_BYTES || is_small(escaped) {
        return None;
    }
    let escaped = std::str::from_utf8(escaped).ok()?;
    let text: String = serde_json::from_str(&format!("\"{escaped}\"")).ok()?;
    text.split(is_line_break).filter(|line| line.len() <= MARKING_LINE_BYTES).find_map(of_line)
}

/// Has the line a small ASCII letter that is not part of an escape? Most lines have, and are passed over here.
fn is_small(escaped: &[u8]) -> bool {
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                let digits = if bytes.next() == Some(&b'u') { 4 } else { 0 };
                bytes.by_ref().take(digits).for_each(drop);
            }
            b'a'..=b'z' => return true,
            _ => {}
        }
    }
    false
}

/// Is the line, without the signs around it, a marking or one with what may follow it?
fn of_line(line: &str) -> Option<Marking> {
    if line.to_uppercase() != line {
        return None;
    }
    let line = line.replace(['—', '–'], "-").split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_matches(|sign: char| !sign.is_alphanumeric());
    MARKINGS.iter().copied().find(|marking| is_marked(line, marking)).map(Marking)
}

fn is_marked(line: &str, marking: &str) -> bool {
    let Some(tail) = line.strip_prefix(marking) else { return false };
    let tail = tail.trim_start();
    // Whoever releases or restricts a document further says so on the marking's line.
    tail.is_empty() || ["//", "REL ", "RELEASABLE ", "- ", "(", "/"].iter().any(|more| tail.starts_with(more))
}

/// In capitals, with `-` for every dash; a longer marking stands before one that it begins with.
const MARKINGS: &[&str] = &[
    // European Union
    "TRÈS SECRET UE",
    "TRES SECRET UE",
    "TS-UE",
    "S-UE",
    "C-UE",
    "R-UE",
    "EU TOP SECRET",
    "SECRET UE",
    "EU SECRET",
    "CONFIDENTIEL UE",
    "EU CONFIDENTIAL",
    "RESTREINT UE",
    "EU RESTRICTED",
    // NATO
    "COSMIC TOP SECRET",
    "NATO SECRET",
    "NATO CONFIDENTIAL",
    "NATO RESTRICTED",
    // Belgium, Luxembourg, France
    "TRÈS SECRET LUX",
    "SECRET LUX",
    "CONFIDENTIEL LUX",
    "RESTREINT LUX",
    "TRÈS SECRET DÉFENSE",
    "TRES SECRET DEFENSE",
    "SECRET DEFENSE",
    "CONFIDENTIEL DEFENSE",
    "SECRET DÉFENSE",
    "CONFIDENTIEL DÉFENSE",
    "TRÈS SECRET",
    "TRES SECRET",
    "RESTREINT",
    "CONFIDENTIEL",
    "DIFFUSION RESTREINTE",
    "ZEER GEHEIM",
    "VERTROUWELIJK",
    "BEPERKTE VERSPREIDING",
    "BEPERKT",
    // Bulgaria
    "СТРОГО СЕКРЕТНО",
    "СЕКРЕТНО",
    "ПОВЕРИТЕЛНО",
    "ЗА СЛУЖЕБНО ПОЛЗВАНЕ",
    // Czechia, Slovakia
    "PŘÍSNĚ TAJNÉ",
    "PRÍSNE TAJNÉ",
    "TAJNÉ",
    "DŮVĚRNÉ",
    "DÔVERNÉ",
    "VYHRAZENÉ",
    "VYHRADENÉ",
    // Denmark
    "YDERST HEMMELIGT",
    "HEMMELIGT",
    "FORTROLIGT",
    "TIL TJENESTEBRUG",
    // Germany, Austria
    "STRENG GEHEIM",
    "GEHEIM",
    "VS-VERTRAULICH",
    "VS - VERTRAULICH",
    "VS-NUR FÜR DEN DIENSTGEBRAUCH",
    "VS - NUR FÜR DEN DIENSTGEBRAUCH",
    "VS-NFD",
    "VERTRAULICH",
    "EINGESCHRÄNKT",
    // Estonia
    "TÄIESTI SALAJANE",
    "SALAJANE",
    "KONFIDENTSIAALNE",
    "PIIRATUD",
    // Ireland, Malta, and English everywhere
    "TOP SECRET",
    "SECRET",
    "CONFIDENTIAL",
    "RESTRICTED",
    "L-OGĦLA SEGRETEZZA",
    "SIGRIET",
    "KUNFIDENZJALI",
    "RISTRETT",
    // Greece, Cyprus
    "ΆΚΡΩΣ ΑΠΌΡΡΗΤΟ",
    "ΑΚΡΩΣ ΑΠΟΡΡΗΤΟ",
    "ΑΠΌΡΡΗΤΟ",
    "ΑΠΟΡΡΗΤΟ",
    "ΕΜΠΙΣΤΕΥΤΙΚΌ",
    "ΕΜΠΙΣΤΕΥΤΙΚΟ",
    "ΠΕΡΙΟΡΙΣΜΈΝΗΣ ΧΡΉΣΗΣ",
    "ΠΕΡΙΟΡΙΣΜΕΝΗΣ ΧΡΗΣΗΣ",
    // Spain, Portugal
    "SECRETO",
    "RESERVADO",
    "DIFUSIÓN LIMITADA",
    "MUITO SECRETO",
    "CONFIDENCIAL",
    // Croatia, Slovenia
    "VRLO TAJNO",
    "STROGO TAJNO",
    "TAJNO",
    "POVJERLJIVO",
    "OGRANIČENO",
    "ZAUPNO",
    "INTERNO",
    // Italy
    "SEGRETISSIMO",
    "SEGRETO",
    "RISERVATISSIMO",
    "RISERVATO",
    // Latvia
    "SEVIŠĶI SLEPENI",
    "SLEPENI",
    "KONFIDENCIĀLI",
    "DIENESTA VAJADZĪBĀM",
    // Lithuania
    "VISIŠKAI SLAPTAI",
    "SLAPTAI",
    "KONFIDENCIALIAI",
    "RIBOTO NAUDOJIMO",
    // Hungary
    "SZIGORÚAN TITKOS",
    "TITKOS",
    "BIZALMAS",
    "KORLÁTOZOTT TERJESZTÉSŰ",
    // Netherlands
    "STG. ZEER GEHEIM",
    "STG. GEHEIM",
    "STG. CONFIDENTIEEL",
    "DEP. VERTROUWELIJK",
    // Poland
    "ŚCIŚLE TAJNE",
    "TAJNE",
    "POUFNE",
    "ZASTRZEŻONE",
    // Romania
    "STRICT SECRET DE IMPORTANȚĂ DEOSEBITĂ",
    "STRICT SECRET DE IMPORTANŢĂ DEOSEBITĂ",
    "STRICT SECRET",
    "SECRET DE SERVICIU",
    // Finland, Sweden
    "ERITTÄIN SALAINEN",
    "YTTERST HEMLIG",
    "KVALIFICERAT HEMLIG",
    "SALAINEN",
    "HEMLIG",
    "LUOTTAMUKSELLINEN",
    "KONFIDENTIELL",
    "KÄYTTÖ RAJOITETTU",
    "BEGRÄNSAD TILLGÅNG",
    "BEGRÄNSAT HEMLIG",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Option<&'static str> {
        check(json.as_bytes()).err().map(|error| error.marking.as_str())
    }

    #[test]
    fn marking_lines_are_found_wherever_they_stand() {
        let check = |text: &str, expect: Option<&'static str>| {
            let json = serde_json::json!({ "type": "note", "content": text }).to_string();
            assert_eq!(found(&json), expect, "{json}");
        };
        check("RESTREINT UE/EU RESTRICTED", Some("RESTREINT UE"));
        check("Annex\nSECRET UE/EU SECRET\nof the note", Some("SECRET UE"));
        check("Annex\r\n  - VS — NUR FÜR DEN DIENSTGEBRAUCH -\r\n", Some("VS - NUR FÜR DEN DIENSTGEBRAUCH"));
        check("** NATO  SECRET ** ", Some("NATO SECRET"));
        check("SECRET // REL TO EU", Some("SECRET"));
        check("SECRET REL TO FRA, DEU", Some("SECRET"));
        check("TITKOS!", Some("TITKOS"));
        check("ΑΠΟΡΡΗΤΟ", Some("ΑΠΟΡΡΗΤΟ"));
        check("Secret", None);
        check("the group steals SECRET keys", None);
        check("SECRETARIAT", None);
        check("SECRET KEY", None);
        check("TLP:AMBER+STRICT", None);
        check("", None);
    }

    #[test]
    fn escapes_hide_no_marking() {
        for json in [
            r#"{"a":"TR\u00c8S SECRET UE"}"#,
            r#"{"a":"\u0053\u0045\u0043\u0052\u0045\u0054"}"#,
            r#"["x\\\"","\"SECRET\""]"#,
            r#"{"a":"x\tSECRET"}"#,
            r#"{"a":"x\u000aSECRET"}"#,
            r#"{"SECRET":1}"#,
        ] {
            assert!(found(json).is_some(), "{json}");
        }
        assert_eq!(found(r#"{"a":"\\SECRETS"}"#), None);
    }

    #[test]
    fn a_line_is_as_long_as_it_reads_and_every_control_character_ends_one() {
        let escaped = |text: &str| -> String { text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect() };
        // A Greek marking with what follows it, as exporters write it that keep to ASCII; and as long as a line may be.
        let long = format!("ΑΠΟΡΡΗΤΟ - {}", "Α".repeat(170));
        let too_long = format!("ΑΠΟΡΡΗΤΟ - {}", "Α".repeat(MARKING_LINE_BYTES));
        for (text, expect) in [(&long, Some("ΑΠΟΡΡΗΤΟ")), (&too_long, None)] {
            assert_eq!(found(&format!("[\"{text}\"]")), expect, "{text}");
            assert_eq!(found(&format!("[\"{}\"]", escaped(text))), expect, "{text}");
        }
        for end in ["\\b", "\\u0008", "\\f", "\\u000C", "\\u001f", "\\u0085", "\\u2028", "\\u2029", "\\t", "\\u0000"] {
            assert_eq!(found(&format!(r#"["small{end}SECRET{end}letters"]"#)), Some("SECRET"), "{end}");
        }
        for end in ["\u{7f}", "\u{85}", "\u{2028}", "\u{2029}"] {
            assert_eq!(found(&format!(r#"["small{end}SECRET{end}letters"]"#)), Some("SECRET"), "{end:?}");
        }
        assert_eq!(found(r#"["small\\u0041SECRET\\u0041letters"]"#), None, "a letter ends no line");
    }

    /// Council Decision 2013/488/EU, Appendix B, from the highest level to the lowest.
    #[test]
    fn every_level_of_every_state_is_found() {
        for (state, levels) in [
            (
                "EU",
                "TRES SECRET UE/EU TOP SECRET|SECRET UE/EU SECRET|CONFIDENTIEL UE/EU CONFIDENTIAL|RESTREINT UE/EU RESTRICTED",
            ),
            ("EU", "TS-UE/EU-TS|S-UE/EU-S|C-UE/EU-C|R-UE/EU-R"),
            ("BE", "Très Secret|Secret|Confidentiel|Diffusion restreinte|Restreint"),
            ("BE", "Zeer Geheim|Geheim|Vertrouwelijk|Beperkte Verspreiding|Beperkt"),
            ("BG", "Строго секретно|Секретно|Поверително|За служебно ползване"),
            ("CZ", "Přísně tajné|Tajné|Důvěrné|Vyhrazené"),
            ("DK", "Yderst hemmeligt|Hemmeligt|Fortroligt|Til tjenestebrug"),
            ("DE", "Streng geheim|Geheim|VS-Vertraulich|VS-Nur für den Dienstgebrauch"),
            ("EE", "Täiesti salajane|Salajane|Konfidentsiaalne|Piiratud"),
            ("IE", "Top Secret|Secret|Confidential|Restricted"),
            ("GR, CY", "Άκρως Απόρρητο|Απόρρητο|Εμπιστευτικό|Περιορισμένης Χρήσης"),
            ("ES", "Secreto|Reservado|Confidencial|Difusión limitada"),
            ("FR", "Très secret défense|Secret défense|Confidentiel défense|Très secret|Secret|Diffusion restreinte"),
            ("HR", "Vrlo tajno|Tajno|Povjerljivo|Ograničeno"),
            ("IT", "Segretissimo|Segreto|Riservatissimo|Riservato"),
            ("LV", "Sevišķi slepeni|Slepeni|Konfidenciāli|Dienesta vajadzībām"),
            ("LT", "Visiškai slaptai|Slaptai|Konfidencialiai|Riboto naudojimo"),
            ("LU", "Très secret Lux|Secret Lux|Confidentiel Lux|Restreint Lux"),
            ("HU", "Szigorúan titkos!|Titkos!|Bizalmas!|Korlátozott terjesztésű!"),
            ("MT", "L-Ogħla Segretezza|Sigriet|Kunfidenzjali|Ristrett"),
            ("NL", "Stg. zeer geheim|Stg. geheim|Stg. confidentieel|Dep. vertrouwelijk"),
            ("AT", "Streng Geheim|Geheim|Vertraulich|Eingeschränkt"),
            ("PL", "Ściśle tajne|Tajne|Poufne|Zastrzeżone"),
            ("PT", "Muito Secreto|Secreto|Confidencial|Reservado"),
            ("RO", "Strict secret de importanță deosebită|Strict secret|Secret|Secret de serviciu"),
            ("SI", "Strogo tajno|Tajno|Zaupno|Interno"),
            ("SK", "Prísne tajné|Tajné|Dôverné|Vyhradené"),
            ("FI", "Erittäin salainen|Salainen|Luottamuksellinen|Käyttö rajoitettu"),
            ("FI", "Ytterst hemlig|Hemlig|Konfidentiell|Begränsad tillgång"),
            ("SE", "Kvalificerat hemlig|Hemlig|Konfidentiell|Begränsat hemlig|Hemlig/Restricted"),
        ] {
            for level in levels.split('|').map(str::to_uppercase) {
                assert!(found(&serde_json::json!([level]).to_string()).is_some(), "{state}: {level}");
            }
        }
    }

    #[test]
    fn every_marking_is_found_by_its_own_line() {
        for marking in MARKINGS {
            assert_eq!(*marking, marking.to_uppercase(), "written in capitals");
            assert!(found(&serde_json::json!([marking]).to_string()).is_some(), "{marking}");
            assert!(found(&serde_json::json!([marking.to_lowercase()]).to_string()).is_none(), "{marking}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = check(&bytes);
        }
        #[test]
        fn a_marked_line_is_found_in_any_text(
            before in "[a-z \"\\\\]{0,20}", after in "[a-z \"\\\\\n]{0,20}", at in 0..MARKINGS.len(),
        ) {
            let json = serde_json::json!({ "t": format!("{before}\n{}\n{after}", MARKINGS[at]) }).to_string();
            proptest::prop_assert!(check(json.as_bytes()).is_err());
        }
    }
}
