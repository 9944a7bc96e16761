//! A table of values out (RFC 4180), for detectors and spreadsheets: a line for each pattern of an indicator and each
//! attribute of an event.
//!
//! No cell is a formula: a spreadsheet runs what begins with `=`, `+`, `-`, `@`, a tab or a carriage return, so such a cell
//! gets an apostrophe in front (OWASP, CSV injection). A detector takes it away again; indicators seldom begin so.

use model::{MediaType, StixId, Timestamp};
use policy::Released;
use serde::Deserialize;

use crate::Rendered;

/// A released statement, with what a line says beside the value.
#[derive(Clone)]
pub struct Listed {
    /// How a person names the statement: `FR:12`.
    pub entry: String,
    /// The object's id.
    pub object: StixId,
    /// Its name for people.
    pub title: Option<String>,
    /// Its own version.
    pub version: Timestamp,
    /// Its label and its bytes.
    pub rendered: Rendered,
}

impl std::fmt::Debug for Listed {
    // Content never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listed({}, {:?})", self.entry, self.rendered)
    }
}

/// The first line.
pub const HEADER: &str = "entry,object,type,value,title,tlp,pap,version\r\n";

/// The table, with its header. For `matchable` only what is meant to be matched is in it: patterns of indicators, and
/// attributes that say `to_ids`.
#[must_use]
pub fn table(released: &Released<Vec<Listed>>, matchable: bool) -> Vec<u8> {
    let mut out = HEADER.to_owned();
    for listed in released.as_ref() {
        for (kind, value) in values(listed, matchable) {
            let label = listed.rendered.label;
            let cells = [
                listed.entry.as_str(),
                listed.object.as_str(),
                &kind,
                &value,
                listed.title.as_deref().unwrap_or_default(),
                label.tlp.word(),
                label.pap.map_or("", |pap| pap.word()),
                &listed.version.to_string(),
            ];
            for (at, text) in cells.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                cell(&mut out, text);
            }
            out.push_str("\r\n");
        }
    }
    out.into_bytes()
}

/// Writes one cell: always quoted, never a formula, and on one line, since many readers take a line for a record.
fn cell(out: &mut String, text: &str) {
    out.push('"');
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']) || text.trim_start().starts_with(['=', '@']) {
        out.push('\'');
    }
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\"\""),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out.push('"');
}

/// The values of one object, each with its type.
fn values(listed: &Listed, matchable: bool) -> Vec<(String, String)> {
    let body = &listed.rendered.body;
    match listed.rendered.media {
        MediaType::Stix => {
            let Ok(indicator) = serde_json::from_slice::<Indicator>(body) else {
                let kind = listed.object.type_name().to_owned();
                let title = listed.title.clone().unwrap_or_default();
                return if matchable { Vec::new() } else { vec![(kind, title)] };
            };
            vec![(format!("{}-pattern", indicator.pattern_type), indicator.pattern)]
        }
        MediaType::MispEvent => {
            let event = serde_json::from_slice::<Event>(body).unwrap_or_default();
            let objects = event.objects.into_iter().flat_map(|object| object.attributes);
            let all = event.attributes.into_iter().chain(objects).filter(|attribute| !attribute.deleted);
            let wanted = all.filter(|attribute| attribute.to_ids || !matchable);
            wanted.map(|attribute| (attribute.kind, attribute.value)).collect()
        }
    }
}

#[derive(Deserialize)]
struct Indicator {
    pattern: String,
    pattern_type: String,
}

#[derive(Default, Deserialize)]
struct Event {
    #[serde(default, rename = "Attribute")]
    attributes: Vec<Attribute>,
    #[serde(default, rename = "Object")]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default, rename = "Attribute")]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "type")]
    kind: String,
    value: String,
    #[serde(default)]
    to_ids: bool,
    #[serde(default)]
    deleted: bool,
}

#[cfg(test)]
mod tests {
    use model::Tlp;
    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    fn lines(media: MediaType, body: &str, title: &str, matchable: bool) -> Vec<String> {
        let released = testing::released(Tlp::Amber, media, body).map(|rendered| {
            vec![Listed {
                entry: "FR:12".to_owned(),
                object: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".parse().unwrap(),
                title: Some(title.to_owned()),
                version: Timestamp::from_seconds(0),
                rendered,
            }]
        });
        let text = String::from_utf8(table(&released, matchable)).unwrap();
        text.split_terminator("\r\n").skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn a_line_says_what_to_match_and_under_which_label() {
        let indicator = r#"{"type":"indicator","pattern":"[url:value = 'x']","pattern_type":"stix"}"#;
        assert_eq!(
            lines(MediaType::Stix, indicator, "Beacon", true),
            [concat!(
                r#""FR:12","indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","stix-pattern","[url:value = 'x']","#,
                r#""Beacon","AMBER","","1970-01-01T00:00:00.000000Z""#
            )]
        );
        let event = r#"{"Attribute":[{"type":"domain","value":"a.example","to_ids":true},
            {"type":"comment","value":"seen"},{"type":"ip-dst","value":"192.0.2.1","to_ids":true,"deleted":true}],
            "Object":[{"Attribute":[{"type":"md5","value":"00","to_ids":true}]}]}"#;
        assert_eq!(lines(MediaType::MispEvent, event, "x", true).len(), 2);
        assert_eq!(lines(MediaType::MispEvent, event, "x", false).len(), 3);
        assert_eq!(lines(MediaType::Stix, r#"{"type":"tool"}"#, "x", true), Vec::<String>::new());
        assert_eq!(lines(MediaType::Stix, r#"{"type":"tool"}"#, "x", false).len(), 1);
        assert_eq!(lines(MediaType::MispEvent, "no event", "x", false), Vec::<String>::new());
    }

    /// Takes one line apart as RFC 4180 says.
    fn cells(line: &str) -> Vec<String> {
        let inside = line.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        inside.split("\",\"").map(|cell| cell.replace("\"\"", "\"")).collect()
    }

    proptest! {
        #[test]
        fn no_cell_is_a_formula_and_no_value_makes_a_line_of_its_own(value in "[=+\\-@\t\r\n |%\"',;a-c]{0,12}", title: String) {
            let body = serde_json::json!({ "pattern": value, "pattern_type": "stix" }).to_string();
            // What separates cells can't be told from a value that has the same letters by this small reader.
            prop_assume!(!title.contains('"') && !value.contains('"'));
            let lines = lines(MediaType::Stix, &body, &title, false);
            prop_assert_eq!(lines.len(), 1);
            let cells = cells(&lines[0]);
            prop_assert_eq!(cells.len(), 8, "{}", lines[0]);
            for cell in &cells {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{}", cell);
                prop_assert!(!cell.chars().any(char::is_control));
            }
            let told = cells[3].strip_prefix('\'').unwrap_or(&cells[3]);
            let expect: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            prop_assert!(told == expect || cells[3] == expect);
        }
    }
}
