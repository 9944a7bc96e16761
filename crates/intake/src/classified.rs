//! Classified information stays out: the marking lines of the European Union, its states and NATO, looked for in JSON.
//!
//! A marking is a line of its own in capitals, as the rules on classified documents ask, in any text of an object.
//! Ordinary words are not taken for markings: `Secret` inside a sentence passes, a line `SECRET` does not.
//! The abbreviations that the rules write in mixed letters (`VS-NfD`, `Stg. GEHEIM`) count as whole lines only.
//! Source of the words and levels: Council Decision 2013/488/EU, Appendix B (equivalence of security classifications), with the
//! markings of NATO beside them.

use crate::limits::MARKING_LINE_BYTES;

/// Most bytes that an escape takes for one byte of text: `\u0041` for `A`.
const ESCAPE_BYTES: usize = 6;

/// The highest marking that a node may hold: a fact of its accreditation, which its configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Classification {
    /// Nothing classified: any label of TLP, and no marking at all.
    #[default]
    Unclassified,
    /// Up to RESTREINT UE/EU RESTRICTED and what the states call so.
    Restricted,
    /// Up to CONFIDENTIEL UE/EU CONFIDENTIAL and what the states call so.
    Confidential,
    /// Up to SECRET UE/EU SECRET and what the states call so.
    Secret,
}

/// A word that is not a ceiling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ceiling: write unclassified, eu-restricted, eu-confidential or eu-secret")]
pub struct ClassificationError(String);

impl Classification {
    /// All four, from low to high.
    pub const ALL: [Self; 4] = [Self::Unclassified, Self::Restricted, Self::Confidential, Self::Secret];

    /// The word in the configuration and in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unclassified => "unclassified",
            Self::Restricted => "eu-restricted",
            Self::Confidential => "eu-confidential",
            Self::Secret => "eu-secret",
        }
    }

    /// What the node holds, for refusals: "this node holds …".
    const fn holds(self) -> &'static str {
        match self {
            Self::Unclassified => "nothing classified",
            Self::Restricted => "nothing above RESTREINT UE/EU RESTRICTED, and nothing of NATO",
            Self::Confidential => "nothing above CONFIDENTIEL UE/EU CONFIDENTIAL, and nothing of NATO",
            Self::Secret => "nothing above SECRET UE/EU SECRET, and nothing of NATO",
        }
    }

    /// The ceiling as every page says it.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Unclassified => {
                "Unclassified only. Nothing marked RESTREINT UE/EU RESTRICTED or above, or the like of any state."
            }
            Self::Restricted => {
                "Up to RESTREINT UE/EU RESTRICTED and what the states call so. Nothing above, and nothing of NATO."
            }
            Self::Confidential => {
                "Up to CONFIDENTIEL UE/EU CONFIDENTIAL and what the states call so. Nothing above, and nothing of NATO."
            }
            Self::Secret => {
                "Up to SECRET UE/EU SECRET and what the states call so. Nothing above, and nothing of NATO."
            }
        }
    }

    /// May a line of this level stand in what the node takes?
    const fn admits(self, level: Level) -> bool {
        match level {
            Level::Restricted => !matches!(self, Self::Unclassified),
            Level::Confidential => matches!(self, Self::Confidential | Self::Secret),
            Level::Secret => matches!(self, Self::Secret),
            Level::Never => false,
        }
    }
}

impl std::str::FromStr for Classification {
    type Err = ClassificationError;
    fn from_str(text: &str) -> Result<Self, ClassificationError> {
        let found = Self::ALL.into_iter().find(|ceiling| ceiling.word() == text);
        found.ok_or_else(|| ClassificationError(text.chars().filter(|c| !c.is_control()).take(40).collect()))
    }
}

/// How high a marking is, by the table of equivalence; where states use one word for two levels, the higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Level {
    Restricted,
    Confidential,
    Secret,
    /// The highest of the Union and the states, and all of NATO: another accreditation, which no configuration gives.
    Never,
}

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
    "a line is marked `{}`: this node holds {}. Leave it on the system that it came from, and \
     tell partners by telephone; if it is not a marking, write the line in small letters",
    marking.as_str(),
    ceiling.holds()
)]
pub struct ClassifiedError {
    /// Which one.
    pub marking: Marking,
    /// What the node may hold.
    pub ceiling: Classification,
}

/// Looks for a marking line above `ceiling` in every text of a JSON document, keys included.
/// Works on any bytes, in one pass, and copies only lines that have no small ASCII letter or begin as a marking does.
///
/// # Errors
/// The first marking line that is too high.
pub fn check(json: &[u8], ceiling: Classification) -> Result<(), ClassifiedError> {
    let mut rest = json;
    while let Some(start) = rest.iter().position(|byte| *byte == b'"') {
        let text = &rest[start + 1..];
        let length = text_length(text);
        if let Some(marking) = in_text(&text[..length], ceiling) {
            return Err(ClassifiedError { marking, ceiling });
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
fn in_text(text: &[u8], ceiling: Classification) -> Option<Marking> {
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        let length = if text[at] == b'\\' { line_break(&text[at..]) } else { raw_line_break(&text[at..]) };
        if let Some(length) = length {
            if let Some(marking) = in_line(&text[start..at], ceiling) {
                return Some(marking);
            }
            at += length;
            start = at;
        } else {
            at += if text[at] == b'\\' { 2 } else { 1 };
        }
    }
    in_line(text.get(start..).unwrap_or_default(), ceiling)
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

fn in_line(escaped: &[u8], ceiling: Classification) -> Option<Marking> {
    // Exporters that keep to ASCII write each letter in six bytes: what counts is the line as it is read.
    if escaped.is_empty() || escaped.len() > MARKING_LINE_BYTES * ESCAPE_BYTES {
        return None;
    }
    if is_small(escaped) && !begins_mixed(escaped) {
        return None;
    }
    let escaped = std::str::from_utf8(escaped).ok()?;
    let text: String = serde_json::from_str(&format!("\"{escaped}\"")).ok()?;
    text.split(is_line_break).filter(|line| line.len() <= MARKING_LINE_BYTES).find_map(|line| of_line(line, ceiling))
}

/// May the line be one of [`MIXED`], by how it begins?
fn begins_mixed(escaped: &[u8]) -> bool {
    let mut at = 0;
    // Signs and blanks around the line, however they are written, are passed over.
    while let Some(byte) = escaped.get(at) {
        at += match (byte, escaped.get(at + 1)) {
            (b'\\', Some(b'u')) => 6,
            (b'\\', _) => 2,
            _ if byte.is_ascii_alphanumeric() => break,
            _ => 1,
        };
    }
    let line = escaped.get(at..).unwrap_or_default();
    MIXED_BEGIN.iter().any(|begin| line.starts_with(begin.as_bytes()))
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

/// Is the line, without the signs around it, a marking above the ceiling, or one with what may follow it?
fn of_line(line: &str, ceiling: Classification) -> Option<Marking> {
    let capitals = line.to_uppercase() == line;
    let line = line.replace(['—', '–'], "-").split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_matches(|sign: char| !sign.is_alphanumeric());
    // A line may carry two spellings of one marking, or two markings: each counts.
    let mut parts = line.split('/').map(|part| part.trim_matches(|sign: char| !sign.is_alphanumeric()));
    let too_high = |found: &&(Level, &'static str)| !ceiling.admits(found.0);
    if capitals {
        // The longest that the line begins with is the one that is meant; what follows it may be higher.
        let begins = MARKINGS.iter().filter(|(_, marking)| is_marked(line, marking));
        let meant = begins.max_by_key(|(_, marking)| marking.len())?;
        let more = parts.skip(1).filter_map(|part| MARKINGS.iter().find(|(_, marking)| is_marked(part, marking)));
        return std::iter::once(meant).chain(more).find(too_high).map(|(_, marking)| Marking(marking));
    }
    let mut found = Vec::new();
    if !parts.all(|part| MIXED.iter().find(|(_, marking)| *marking == part).inspect(|one| found.push(*one)).is_some()) {
        return None;
    }
    found.into_iter().find(too_high).map(|(_, marking)| Marking(marking))
}

fn is_marked(line: &str, marking: &str) -> bool {
    let Some(tail) = line.strip_prefix(marking) else { return false };
    let tail = tail.trim_start();
    // Whoever releases or restricts a document further says so on the marking's line.
    tail.is_empty() || ["//", "REL ", "RELEASABLE ", "- ", "(", "/"].iter().any(|more| tail.starts_with(more))
}

/// In capitals, with `-` for every dash; a longer marking stands before one that it begins with.
const MARKINGS: &[(Level, &str)] = &[
    // European Union
    (Level::Never, "TRÈS SECRET UE"),
    (Level::Never, "TRES SECRET UE"),
    (Level::Never, "TS-UE"),
    (Level::Secret, "S-UE"),
    (Level::Confidential, "C-UE"),
    (Level::Restricted, "R-UE"),
    (Level::Never, "EU TOP SECRET"),
    (Level::Secret, "SECRET UE"),
    (Level::Secret, "EU SECRET"),
    (Level::Confidential, "CONFIDENTIEL UE"),
    (Level::Confidential, "EU CONFIDENTIAL"),
    (Level::Restricted, "RESTREINT UE"),
    (Level::Restricted, "EU RESTRICTED"),
    // NATO
    (Level::Never, "COSMIC TOP SECRET"),
    (Level::Never, "NATO SECRET"),
    (Level::Never, "NATO CONFIDENTIAL"),
    (Level::Never, "NATO RESTRICTED"),
    // Belgium, Luxembourg, France
    (Level::Never, "TRÈS SECRET LUX"),
    (Level::Secret, "SECRET LUX"),
    (Level::Confidential, "CONFIDENTIEL LUX"),
    (Level::Restricted, "RESTREINT LUX"),
    (Level::Never, "TRÈS SECRET DÉFENSE"),
    (Level::Never, "TRES SECRET DEFENSE"),
    (Level::Secret, "SECRET DEFENSE"),
    (Level::Confidential, "CONFIDENTIEL DEFENSE"),
    (Level::Secret, "SECRET DÉFENSE"),
    (Level::Confidential, "CONFIDENTIEL DÉFENSE"),
    (Level::Never, "TRÈS SECRET"),
    (Level::Never, "TRES SECRET"),
    (Level::Restricted, "RESTREINT"),
    (Level::Confidential, "CONFIDENTIEL"),
    (Level::Restricted, "DIFFUSION RESTREINTE"),
    (Level::Never, "ZEER GEHEIM"),
    (Level::Confidential, "VERTROUWELIJK"),
    (Level::Restricted, "BEPERKTE VERSPREIDING"),
    (Level::Restricted, "BEPERKT"),
    // Bulgaria
    (Level::Never, "СТРОГО СЕКРЕТНО"),
    (Level::Secret, "СЕКРЕТНО"),
    (Level::Confidential, "ПОВЕРИТЕЛНО"),
    (Level::Restricted, "ЗА СЛУЖЕБНО ПОЛЗВАНЕ"),
    // Czechia, Slovakia
    (Level::Never, "PŘÍSNĚ TAJNÉ"),
    (Level::Never, "PRÍSNE TAJNÉ"),
    (Level::Secret, "TAJNÉ"),
    (Level::Confidential, "DŮVĚRNÉ"),
    (Level::Confidential, "DÔVERNÉ"),
    (Level::Restricted, "VYHRAZENÉ"),
    (Level::Restricted, "VYHRADENÉ"),
    // Denmark
    (Level::Never, "YDERST HEMMELIGT"),
    (Level::Secret, "HEMMELIGT"),
    (Level::Confidential, "FORTROLIGT"),
    (Level::Restricted, "TIL TJENESTEBRUG"),
    // Germany, Austria
    (Level::Never, "STRENG GEHEIM"),
    (Level::Secret, "GEHEIM"),
    (Level::Confidential, "VS-VERTRAULICH"),
    (Level::Confidential, "VS - VERTRAULICH"),
    (Level::Restricted, "VS-NUR FÜR DEN DIENSTGEBRAUCH"),
    (Level::Restricted, "VS - NUR FÜR DEN DIENSTGEBRAUCH"),
    (Level::Restricted, "VS-NFD"),
    (Level::Confidential, "VERTRAULICH"),
    (Level::Restricted, "EINGESCHRÄNKT"),
    // Estonia
    (Level::Never, "TÄIESTI SALAJANE"),
    (Level::Secret, "SALAJANE"),
    (Level::Confidential, "KONFIDENTSIAALNE"),
    (Level::Restricted, "PIIRATUD"),
    // Ireland, Malta, and English everywhere
    (Level::Never, "TOP SECRET"),
    (Level::Secret, "SECRET"),
    (Level::Confidential, "CONFIDENTIAL"),
    (Level::Restricted, "RESTRICTED"),
    (Level::Never, "L-OGĦLA SEGRETEZZA"),
    (Level::Secret, "SIGRIET"),
    (Level::Confidential, "KUNFIDENZJALI"),
    (Level::Restricted, "RISTRETT"),
    // Greece, Cyprus
    (Level::Never, "ΆΚΡΩΣ ΑΠΌΡΡΗΤΟ"),
    (Level::Never, "ΑΚΡΩΣ ΑΠΟΡΡΗΤΟ"),
    (Level::Secret, "ΑΠΌΡΡΗΤΟ"),
    (Level::Secret, "ΑΠΟΡΡΗΤΟ"),
    (Level::Confidential, "ΕΜΠΙΣΤΕΥΤΙΚΌ"),
    (Level::Confidential, "ΕΜΠΙΣΤΕΥΤΙΚΟ"),
    (Level::Restricted, "ΠΕΡΙΟΡΙΣΜΈΝΗΣ ΧΡΉΣΗΣ"),
    (Level::Restricted, "ΠΕΡΙΟΡΙΣΜΕΝΗΣ ΧΡΗΣΗΣ"),
    // Spain, Portugal
    (Level::Never, "SECRETO"),
    (Level::Secret, "RESERVADO"),
    (Level::Restricted, "DIFUSIÓN LIMITADA"),
    (Level::Never, "MUITO SECRETO"),
    (Level::Confidential, "CONFIDENCIAL"),
    // Croatia, Slovenia
    (Level::Never, "VRLO TAJNO"),
    (Level::Never, "STROGO TAJNO"),
    (Level::Secret, "TAJNO"),
    (Level::Confidential, "POVJERLJIVO"),
    (Level::Restricted, "OGRANIČENO"),
    (Level::Confidential, "ZAUPNO"),
    (Level::Restricted, "INTERNO"),
    // Italy
    (Level::Never, "SEGRETISSIMO"),
    (Level::Secret, "SEGRETO"),
    (Level::Confidential, "RISERVATISSIMO"),
    (Level::Restricted, "RISERVATO"),
    // Latvia
    (Level::Never, "SEVIŠĶI SLEPENI"),
    (Level::Secret, "SLEPENI"),
    (Level::Confidential, "KONFIDENCIĀLI"),
    (Level::Restricted, "DIENESTA VAJADZĪBĀM"),
    // Lithuania
    (Level::Never, "VISIŠKAI SLAPTAI"),
    (Level::Secret, "SLAPTAI"),
    (Level::Confidential, "KONFIDENCIALIAI"),
    (Level::Restricted, "RIBOTO NAUDOJIMO"),
    // Hungary
    (Level::Never, "SZIGORÚAN TITKOS"),
    (Level::Secret, "TITKOS"),
    (Level::Confidential, "BIZALMAS"),
    (Level::Restricted, "KORLÁTOZOTT TERJESZTÉSŰ"),
    // Netherlands
    (Level::Never, "STG. ZEER GEHEIM"),
    (Level::Secret, "STG. GEHEIM"),
    (Level::Confidential, "STG. CONFIDENTIEEL"),
    (Level::Restricted, "DEP. VERTROUWELIJK"),
    // Poland
    (Level::Never, "ŚCIŚLE TAJNE"),
    (Level::Secret, "TAJNE"),
    (Level::Confidential, "POUFNE"),
    (Level::Restricted, "ZASTRZEŻONE"),
    // Romania
    (Level::Never, "STRICT SECRET DE IMPORTANȚĂ DEOSEBITĂ"),
    (Level::Never, "STRICT SECRET DE IMPORTANŢĂ DEOSEBITĂ"),
    (Level::Secret, "STRICT SECRET"),
    (Level::Restricted, "SECRET DE SERVICIU"),
    // Finland, Sweden
    (Level::Never, "ERITTÄIN SALAINEN"),
    (Level::Never, "YTTERST HEMLIG"),
    (Level::Never, "KVALIFICERAT HEMLIG"),
    (Level::Secret, "SALAINEN"),
    (Level::Secret, "HEMLIG"),
    (Level::Confidential, "LUOTTAMUKSELLINEN"),
    (Level::Confidential, "KONFIDENTIELL"),
    (Level::Restricted, "KÄYTTÖ RAJOITETTU"),
    (Level::Restricted, "BEGRÄNSAD TILLGÅNG"),
    (Level::Restricted, "BEGRÄNSAT HEMLIG"),
];

/// Markings that are written in mixed letters: the abbreviations of the rules, and two languages' usual spelling. Only the
/// whole line counts, letter by letter: ordinary prose has these words inside a sentence.
const MIXED: &[(Level, &str)] = &[
    (Level::Never, "Très Secret UE"),
    (Level::Secret, "Secret UE"),
    (Level::Confidential, "Confidentiel UE"),
    (Level::Restricted, "Restreint UE"),
    (Level::Never, "EU Top Secret"),
    (Level::Secret, "EU Secret"),
    (Level::Confidential, "EU Confidential"),
    (Level::Restricted, "EU Restricted"),
    (Level::Never, "Cosmic Top Secret"),
    (Level::Never, "NATO Secret"),
    (Level::Never, "NATO Confidential"),
    (Level::Never, "NATO Restricted"),
    (Level::Never, "Très Secret Lux"),
    (Level::Secret, "Secret Lux"),
    (Level::Confidential, "Confidentiel Lux"),
    (Level::Restricted, "Restreint Lux"),
    (Level::Restricted, "VS-NfD"),
    (Level::Restricted, "VS - NfD"),
    (Level::Restricted, "VS-NUR für den Dienstgebrauch"),
    (Level::Restricted, "VS-Nur für den Dienstgebrauch"),
    (Level::Restricted, "VS - Nur für den Dienstgebrauch"),
    (Level::Confidential, "VS-Vertr"),
    (Level::Confidential, "VS-Vertraulich"),
    (Level::Confidential, "VS - Vertraulich"),
    (Level::Never, "Stg. ZEER GEHEIM"),
    (Level::Never, "Stg. Zeer Geheim"),
    (Level::Never, "Stg. zeer geheim"),
    (Level::Secret, "Stg. GEHEIM"),
    (Level::Secret, "Stg. Geheim"),
    (Level::Secret, "Stg. geheim"),
    (Level::Confidential, "Stg. CONFIDENTIEEL"),
    (Level::Confidential, "Stg. Confidentieel"),
    (Level::Confidential, "Stg. confidentieel"),
    (Level::Restricted, "Dep. VERTROUWELIJK"),
    (Level::Restricted, "Dep. Vertrouwelijk"),
    (Level::Restricted, "Dep. vertrouwelijk"),
];

/// How a line begins that may be one of [`MIXED`], as JSON writes it: no other line in small letters is looked at.
const MIXED_BEGIN: &[&str] =
    &["VS", "Stg.", "Dep.", "EU ", "NATO ", "Cosmic ", "Secret ", "Confidentiel ", "Restreint ", "Très ", "Tr\\u00"];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Option<&'static str> {
        check(json.as_bytes(), Classification::Unclassified).err().map(|error| error.marking.as_str())
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
        for (_, marking) in MARKINGS {
            assert_eq!(*marking, marking.to_uppercase(), "written in capitals");
            assert!(found(&serde_json::json!([marking]).to_string()).is_some(), "{marking}");
            assert!(found(&serde_json::json!([marking.to_lowercase()]).to_string()).is_none(), "{marking}");
        }
    }

    #[test]
    fn abbreviations_in_mixed_letters_are_markings_as_whole_lines_and_prose_is_not() {
        let check = |line: &str, expect: Option<&'static str>| {
            let json = serde_json::json!({ "content": format!("Annex\n{line}\nof the note") }).to_string();
            assert_eq!(found(&json), expect, "{json}");
        };
        for (_, marking) in MIXED {
            check(marking, Some(marking));
            check(&format!("  ** {marking} **"), Some(marking));
            check(&format!("see {marking}"), None);
            check(&format!("{marking} papers were leaked"), None);
        }
        check("VS - NfD", Some("VS - NfD"));
        check("VS – NfD.", Some("VS - NfD"));
        check("VS-Vertr.", Some("VS-Vertr"));
        check("Restreint UE/EU Restricted", Some("Restreint UE"));
        check("VS-NUR FÜR DEN DIENSTGEBRAUCH", Some("VS-NUR FÜR DEN DIENSTGEBRAUCH"));
        check("Restreint UE/whatever", None);
        check("Secret Service", None);
        check("EU Cyber Resilience Act", None);
        check("vs-nfd", None);
        check("Secret", None);
        // Exporters that keep to ASCII.
        assert_eq!(found(r#"{"a":"Tr\u00e8s Secret UE"}"#), Some("Très Secret UE"));
    }

    #[test]
    fn a_raised_ceiling_lets_its_level_pass_and_refuses_what_is_higher() {
        let refused = |line: &str, ceiling: Classification| {
            let json = serde_json::json!([line]).to_string();
            check(json.as_bytes(), ceiling).err().map(|error| error.to_string())
        };
        for (level, marking) in MARKINGS.iter().chain(MIXED) {
            for ceiling in Classification::ALL {
                assert_eq!(refused(marking, ceiling).is_none(), ceiling.admits(*level), "{marking} under {ceiling:?}");
            }
        }
        let restricted = Classification::Restricted;
        assert_eq!(refused("RESTREINT UE/EU RESTRICTED", restricted), None);
        assert_eq!(refused("VS-NfD", restricted), None);
        let told = refused("CONFIDENTIEL UE/EU CONFIDENTIAL", restricted).unwrap();
        assert!(told.contains("holds nothing above RESTREINT UE/EU RESTRICTED"), "{told}");
        assert!(refused("NATO RESTRICTED", Classification::Secret).is_some());
        assert!(refused("RESTREINT UE/EU RESTRICTED // SECRET UE", restricted).is_some(), "the higher of two counts");
        assert!(refused("COSMIC TOP SECRET", Classification::Secret).is_some());
        for ceiling in Classification::ALL {
            assert_eq!(ceiling.word().parse(), Ok(ceiling));
        }
        assert!("top-secret".parse::<Classification>().is_err() && "".parse::<Classification>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            for ceiling in Classification::ALL {
                let _ = check(&bytes, ceiling);
            }
        }
        #[test]
        fn a_marked_line_is_found_in_any_text(
            before in "[a-z \"\\\\]{0,20}", after in "[a-z \"\\\\\n]{0,20}", at in 0..MARKINGS.len(),
        ) {
            let json = serde_json::json!({ "t": format!("{before}\n{}\n{after}", MARKINGS[at].1) }).to_string();
            proptest::prop_assert!(check(json.as_bytes(), Classification::Unclassified).is_err());
        }
    }
}
