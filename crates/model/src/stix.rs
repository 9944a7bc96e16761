//! The head of a STIX 2.1 object, read in the same pass that checks its JSON.

use std::collections::HashSet;

use crate::envelope::MediaType;
use crate::ids::StixId;
use crate::json::{self, JsonError, Reader, Scalar};
use crate::label::{Pap, Tlp};
use crate::limits;
use crate::object::{Head, StixVersion};
use crate::time::Timestamp;

/// Longest title that a head keeps, bytes (`Head::title`).
pub(crate) const TITLE_BYTES: usize = 200;

/// Why bytes are not an object that a nation can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Not JSON that every partner reads alike.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// JSON, but no object.
    #[error("not a JSON object: give one object, not a list or a value")]
    NotAnObject,
    /// A STIX bundle is a wrapping, not an object (STIX 2.1 §8).
    #[error("a bundle is not an object: give the objects in it one by one")]
    Bundle,
    /// A property that must be there is not.
    #[error("`{property}` is missing: add it")]
    Missing {
        /// Its name.
        property: &'static str,
    },
    /// A property is there with a value that it can't have.
    #[error("`{property}` is not {expected}: correct it")]
    Property {
        /// Its name.
        property: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The id belongs to another type (STIX 2.1 §2.9).
    #[error("`{id}` is not an id of a `{kind}`: make both the same type")]
    OtherType {
        /// The object's `type`, cut to 80 characters.
        kind: String,
        /// Its `id`.
        id: StixId,
    },
    /// Another version of STIX than 2.1.
    #[error("`{found}` is not STIX 2.1: convert the object to 2.1 first")]
    SpecVersion {
        /// What `spec_version` says, cut to 80 characters.
        found: String,
    },
    /// A reference that is no identifier (STIX 2.1 §2.9).
    #[error("the reference `{value}` is not a STIX id: write type--uuid")]
    Reference {
        /// What stands there, cut to 80 characters.
        value: String,
    },
    /// More references than [`limits::OBJECT_REFS`].
    #[error("more than {} references: split the object", limits::OBJECT_REFS)]
    TooManyRefs,
}

/// Reads the head of one STIX 2.1 object and checks its JSON by every rule of [`json`].
///
/// An object without `spec_version` is taken as 2.1: cyber-observable objects need not carry it (STIX 2.1 §3.2).
/// A custom property (`x_…`) that ends in `_ref` and holds no id refers to nothing that we could hold: it is no
/// reference.
///
/// # Errors
/// Bad JSON, a bundle, another STIX version, or a property of the head that is missing or malformed.
pub fn head(bytes: &[u8]) -> Result<Head, HeadError> {
    let mut stix = Stix::default();
    json::walk(bytes, At::Top, &mut stix)?;
    stix.finish()
}

/// Cuts `text` to [`TITLE_BYTES`] at a character; `None` if nothing is to be read in it.
pub(crate) fn title(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text[..text.floor_char_boundary(TITLE_BYTES)].to_owned())
}

/// The first 80 characters of what a message quotes.
fn quoted(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Properties that name an object for people, the best first.
const TITLES: [&str; 14] = [
    "name",
    "pattern",
    "value",
    "relationship_type",
    "abstract",
    "opinion",
    "subject",
    "path",
    "key",
    "user_id",
    "command_line",
    "definition_type",
    "content",
    "description",
];

#[derive(Default)]
struct Stix {
    kind: Option<String>,
    id: Option<StixId>,
    created: Option<Timestamp>,
    modified: Option<Timestamp>,
    created_by: Option<StixId>,
    revoked: bool,
    own_tlp: Option<Tlp>,
    /// The labels of granular markings.
    part_tlp: Option<(Tlp, Tlp)>,
    pap: Option<Pap>,
    refs: Vec<StixId>,
    title: Option<(usize, String)>,
}

/// Where in an object we are; everything that the head doesn't need is `Skip`.
#[derive(Debug, Clone, Copy)]
enum At {
    Top,
    Object,
    Kind,
    Id,
    SpecVersion,
    Created,
    Modified,
    CreatedBy,
    Revoked,
    Markings,
    Marking,
    Granulars,
    Granular,
    GranularMarking,
    Labels,
    Label,
    Ref,
    Refs,
    RefIn,
    CustomRef,
    Title(usize),
    Skip,
}

impl At {
    /// The property here and what it has to be, for messages.
    const fn expected(self) -> (&'static str, &'static str) {
        match self {
            Self::Kind => ("type", "text"),
            Self::Id => ("id", "a STIX id, type--uuid"),
            Self::SpecVersion => ("spec_version", "text"),
            Self::Created => ("created", "a time in RFC 3339"),
            Self::Modified => ("modified", "a time in RFC 3339"),
            Self::CreatedBy => ("created_by_ref", "a STIX id, type--uuid"),
            Self::Revoked => ("revoked", "true or false"),
            Self::Markings | Self::Marking => ("object_marking_refs", "a list of STIX ids"),
            Self::Granulars | Self::Granular => ("granular_markings", "a list of objects"),
            Self::GranularMarking => ("marking_ref", "a STIX id"),
            Self::Labels | Self::Label => ("labels", "a list of text"),
            Self::Ref => ("…_ref", "a STIX id, type--uuid"),
            Self::Refs | Self::RefIn => ("…_refs", "a list of STIX ids"),
            Self::Top | Self::Object | Self::CustomRef | Self::Title(_) | Self::Skip => {
                ("object", "as STIX 2.1 has it")
            }
        }
    }

    fn wrong(self) -> HeadError {
        let (property, expected) = self.expected();
        HeadError::Property { property, expected }
    }
}

impl Reader for Stix {
    type At = At;
    type Error = HeadError;

    fn object(&mut self, at: At) -> Result<At, HeadError> {
        match at {
            At::Top => Ok(At::Object),
            At::Granular => Ok(At::Granular),
            At::CustomRef | At::Title(_) | At::Skip => Ok(At::Skip),
            At::Object | At::Kind | At::Id | At::SpecVersion | At::Created | At::Modified | At::CreatedBy => {
                Err(at.wrong())
            }
            At::Revoked | At::Markings | At::Marking | At::Granulars | At::GranularMarking => Err(at.wrong()),
            At::Labels | At::Label | At::Ref | At::Refs | At::RefIn => Err(at.wrong()),
        }
    }

    fn array(&mut self, at: At) -> Result<At, HeadError> {
        match at {
            At::Top => Err(HeadError::NotAnObject),
            At::Markings => Ok(At::Marking),
            At::Granulars => Ok(At::Granular),
            At::Labels => Ok(At::Label),
            At::Refs => Ok(At::RefIn),
            At::CustomRef => Ok(At::CustomRef),
            At::Title(_) | At::Skip => Ok(At::Skip),
            At::Object | At::Kind | At::Id | At::SpecVersion | At::Created | At::Modified | At::CreatedBy => {
                Err(at.wrong())
            }
            At::Revoked | At::Marking | At::Granular | At::GranularMarking => Err(at.wrong()),
            At::Label | At::Ref | At::RefIn => Err(at.wrong()),
        }
    }

    fn key(&mut self, at: At, key: &str) -> At {
        match at {
            At::Object => top_level(key),
            At::Granular if key == "marking_ref" => At::GranularMarking,
            At::Granular | At::Top | At::Kind | At::Id | At::SpecVersion | At::Created | At::Modified => At::Skip,
            At::CreatedBy | At::Revoked | At::Markings | At::Marking | At::Granulars | At::GranularMarking => At::Skip,
            At::Labels | At::Label | At::Ref | At::Refs | At::RefIn | At::CustomRef | At::Title(_) | At::Skip => {
                At::Skip
            }
        }
    }

    fn scalar(&mut self, at: At, value: Scalar<'_>) -> Result<(), HeadError> {
        match (at, value) {
            (At::Skip, _) => Ok(()),
            (At::Top, _) => Err(HeadError::NotAnObject),
            (_, Scalar::Text(text)) => self.text(at, text),
            (At::Revoked, Scalar::Boolean(revoked)) => {
                self.revoked = revoked;
                Ok(())
            }
            // A number as `value` of a custom object, say: not a title, and nobody else's business.
            (At::Title(_) | At::CustomRef, _) => Ok(()),
            _ => Err(at.wrong()),
        }
    }
}

/// The place behind a key of the object itself.
fn top_level(key: &str) -> At {
    match key {
        "type" => At::Kind,
        "id" => At::Id,
        "spec_version" => At::SpecVersion,
        "created" => At::Created,
        "modified" => At::Modified,
        "created_by_ref" => At::CreatedBy,
        "revoked" => At::Revoked,
        "object_marking_refs" => At::Markings,
        "granular_markings" => At::Granulars,
        "labels" => At::Labels,
        _ if key.ends_with("_ref") || key.ends_with("_refs") => match key {
            _ if key.starts_with("x_") => At::CustomRef,
            _ if key.ends_with('s') => At::Refs,
            _ => At::Ref,
        },
        _ => TITLES.iter().position(|title| *title == key).map_or(At::Skip, At::Title),
    }
}

impl Stix {
    fn text(&mut self, at: At, text: &str) -> Result<(), HeadError> {
        let id = || text.parse::<StixId>().map_err(|_| at.wrong());
        let time = || text.parse::<Timestamp>().map_err(|_| at.wrong());
        match at {
            // At once, since a bundle may be longer than any object and its other properties are not ours to judge.
            At::Kind if text == "bundle" => return Err(HeadError::Bundle),
            At::Kind => self.kind = Some(text.to_owned()),
            At::Id => self.id = Some(id()?),
            At::SpecVersion if text != "2.1" => {
                return Err(HeadError::SpecVersion { found: quoted(text) });
            }
            At::Created => self.created = Some(time()?),
            At::Modified => self.modified = Some(time()?),
            At::CreatedBy => self.created_by = Some(id()?),
            At::Marking => self.own_tlp = self.own_tlp.max(tlp_of(text)),
            At::GranularMarking => {
                if let Some(tlp) = tlp_of(text) {
                    let (low, high) = self.part_tlp.unwrap_or((tlp, tlp));
                    self.part_tlp = Some((low.min(tlp), high.max(tlp)));
                }
            }
            At::Label => self.pap = self.pap.max(Pap::of_tag(text)),
            At::Ref | At::RefIn => {
                let refers = text.parse().map_err(|_| HeadError::Reference { value: quoted(text) })?;
                return self.refer(refers);
            }
            At::CustomRef => return text.parse().map_or(Ok(()), |refers| self.refer(refers)),
            At::Title(rank) => {
                if self.title.as_ref().is_none_or(|(best, _)| rank < *best) {
                    self.title = title(text).map(|title| (rank, title)).or(self.title.take());
                }
            }
            At::SpecVersion | At::Skip => {}
            At::Top | At::Object | At::Revoked | At::Markings | At::Granulars | At::Granular => {
                return Err(at.wrong());
            }
            At::Labels | At::Refs => return Err(at.wrong()),
        }
        Ok(())
    }

    fn refer(&mut self, to: StixId) -> Result<(), HeadError> {
        if self.refs.len() >= limits::OBJECT_REFS {
            return Err(HeadError::TooManyRefs);
        }
        self.refs.push(to);
        Ok(())
    }

    fn finish(self) -> Result<Head, HeadError> {
        let kind = self.kind.ok_or(HeadError::Missing { property: "type" })?;
        let id = self.id.ok_or(HeadError::Missing { property: "id" })?;
        if id.type_name() != kind {
            return Err(HeadError::OtherType { kind: quoted(&kind), id });
        }
        let mixed = self.part_tlp.is_some_and(|(low, high)| Some(low) != self.own_tlp || Some(high) != self.own_tlp);
        Ok(Head {
            media: MediaType::Stix,
            id,
            version: self.modified.or(self.created).map_or(StixVersion::NONE, StixVersion),
            created_by: self.created_by,
            revoked: self.revoked,
            tlp: self.own_tlp.max(self.part_tlp.map(|(_, strictest)| strictest)),
            mixed,
            pap: self.pap,
            refs: each_once(self.refs),
            title: self.title.map(|(_, title)| title),
        })
    }
}

/// The label of a marking, however its UUID is spelt: a RED that is missed for its capitals would be a leak.
fn tlp_of(marking: &str) -> Option<Tlp> {
    Tlp::of_marking(marking).or_else(|| Tlp::of_marking(&marking.to_ascii_lowercase()))
}

/// Drops repetitions and keeps the order.
fn each_once(mut refs: Vec<StixId>) -> Vec<StixId> {
    if refs.len() < 2 {
        return refs;
    }
    let mut seen = HashSet::with_capacity(refs.len());
    let first: Vec<bool> = refs.iter().map(|id| seen.insert(id)).collect();
    let mut first = first.into_iter();
    refs.retain(|_| first.next().unwrap_or(true));
    refs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

    /// An indicator with `more` properties.
    fn indicator(more: &str) -> String {
        format!(r#"{{"type":"indicator","id":"indicator--{UUID}"{more}}}"#)
    }

    fn read(more: &str) -> Head {
        head(indicator(more).as_bytes()).unwrap_or_else(|error| panic!("{more}: {error}"))
    }

    fn refuse(text: &str, expect: &HeadError) {
        assert_eq!(head(text.as_bytes()).as_ref(), Err(expect), "{text}");
    }

    #[test]
    fn a_head_says_what_the_object_says() {
        let identity: StixId = format!("identity--{UUID}").parse().unwrap();
        let told = read(&format!(
            r#","spec_version":"2.1","created":"2026-01-01T00:00:00Z","modified":"2026-02-01T00:00:00.5Z",
            "created_by_ref":"{identity}","revoked":true,"labels":["apt","pap:green","PAP:AMBER"],
            "pattern":"[ipv4-addr:value = '192.0.2.1']","name":"beacon","x_mitre_version":"1.0",
            "extensions":{{"a":{{"id":"nothing","name":"other","b_ref":5}}}}"#
        ));
        assert_eq!(told.media, MediaType::Stix);
        assert_eq!(told.id.to_string(), format!("indicator--{UUID}"));
        assert_eq!(told.version.0, "2026-02-01T00:00:00.5Z".parse().unwrap());
        assert_eq!(told.created_by, Some(identity));
        assert!(told.revoked && !told.mixed && told.refs.is_empty());
        assert_eq!((told.tlp, told.pap), (None, Some(Pap::Amber)));
        assert_eq!(told.title.as_deref(), Some("beacon"));
    }

    #[test]
    fn the_version_is_modified_else_created_else_none() {
        let check = |more: &str, expect: &str| assert_eq!(read(more).version.0, expect.parse().unwrap(), "{more}");
        check(r#","modified":"2026-02-01T00:00:00Z","created":"2026-01-01T00:00:00Z""#, "2026-02-01T00:00:00Z");
        check(r#","created":"2026-01-01T00:00:00Z""#, "2026-01-01T00:00:00Z");
        check("", "1970-01-01T00:00:00Z");
    }

    #[test]
    fn the_strictest_marking_wins_and_parts_may_differ() {
        let check = |own: &[Tlp], parts: &[Tlp], tlp: Option<Tlp>, mixed: bool| {
            let own: Vec<String> = own.iter().map(|tlp| format!("\"{}\"", tlp.marking_id())).collect();
            let parts: Vec<String> = parts
                .iter()
                .map(|tlp| format!(r#"{{"selectors":["name"],"marking_ref":"{}"}}"#, tlp.marking_id()))
                .collect();
            let told = read(&format!(
                r#","object_marking_refs":[{}],"granular_markings":[{}]"#,
                own.join(","),
                parts.join(",")
            ));
            assert_eq!((told.tlp, told.mixed), (tlp, mixed), "{own:?} {parts:?}");
        };
        check(&[], &[], None, false);
        check(&[Tlp::Green], &[], Some(Tlp::Green), false);
        check(&[Tlp::Red, Tlp::Green], &[], Some(Tlp::Red), false);
        check(&[Tlp::Green], &[Tlp::Green], Some(Tlp::Green), false);
        check(&[Tlp::Green], &[Tlp::Red], Some(Tlp::Red), true);
        check(&[Tlp::Red], &[Tlp::Green], Some(Tlp::Red), true);
        check(&[Tlp::Amber], &[Tlp::Amber, Tlp::Clear], Some(Tlp::Amber), true);
        check(&[], &[Tlp::AmberStrict], Some(Tlp::AmberStrict), true);
    }

    #[test]
    fn markings_in_capitals_and_of_tlp_1_count() {
        let check = |marking: &str, tlp| {
            assert_eq!(read(&format!(r#","object_marking_refs":["{marking}"]"#)).tlp, tlp, "{marking}");
        };
        check("marking-definition--E828B379-4E03-4974-9AC4-E53A884C97C1", Some(Tlp::Red));
        check("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Some(Tlp::Red));
        check("marking-definition--fa42a846-8d90-4e51-bc29-71d5b4802168", None);
    }

    #[test]
    fn references_are_read_in_order_each_once() {
        let told = read(&format!(
            r#","source_ref":"malware--{UUID}","object_refs":["tool--{UUID}","malware--{UUID}"],
            "x_by_ref":"identity--{UUID}","x_odd_ref":"0","x_odd_refs":[1,["tool--{UUID}"]],"external_references":[],
            "created_by_ref":"identity--{UUID}","granular_markings":[{{"lang":"fr","selectors":["name"]}}]"#
        ));
        let refs: Vec<&str> = told.refs.iter().map(StixId::type_name).collect();
        assert_eq!(refs, ["malware", "tool", "identity"]);
        let value = "0".to_owned();
        refuse(&indicator(r#","target_ref":"0""#), &HeadError::Reference { value: value.clone() });
        refuse(&indicator(r#","object_refs":["0"]"#), &HeadError::Reference { value });
        refuse(&indicator(r#","object_refs":"0""#), &At::Refs.wrong());
        let many = |n: usize| format!(r#","object_refs":[{}]"#, vec![format!("\"tool--{UUID}\""); n].join(","));
        assert_eq!(read(&many(limits::OBJECT_REFS)).refs.len(), 1);
        refuse(&indicator(&many(limits::OBJECT_REFS + 1)), &HeadError::TooManyRefs);
    }

    #[test]
    fn the_best_title_is_kept_and_cut_at_a_character() {
        let check = |more: &str, expect: Option<&str>| assert_eq!(read(more).title.as_deref(), expect, "{more}");
        check(r#","description":"long","value":"192.0.2.1""#, Some("192.0.2.1"));
        check(r#","pattern":"[a:b = 1]","name":" ","description":"long""#, Some("[a:b = 1]"));
        check(r#","name":" x ","value":7"#, Some("x"));
        check(r#","confidence":7"#, None);
        let long = "é".repeat(150);
        check(&format!(r#","name":"a{long}""#), Some(&format!("a{}", "é".repeat(99))));
    }

    #[test]
    fn what_is_no_object_of_stix_2_1_is_refused_by_name() {
        let wrong = |at: At| at.wrong();
        refuse("[]", &HeadError::NotAnObject);
        refuse("7", &HeadError::NotAnObject);
        refuse("{}", &HeadError::Missing { property: "type" });
        refuse(r#"{"type":"tool"}"#, &HeadError::Missing { property: "id" });
        refuse(&format!(r#"{{"type":"bundle","id":"bundle--{UUID}","objects":[]}}"#), &HeadError::Bundle);
        refuse(r#"{"type":"tool","id":"tool-1"}"#, &wrong(At::Id));
        refuse(r#"{"type":["tool"]}"#, &wrong(At::Kind));
        refuse(
            &format!(r#"{{"type":"tool","id":"malware--{UUID}"}}"#),
            &HeadError::OtherType { kind: "tool".to_owned(), id: format!("malware--{UUID}").parse().unwrap() },
        );
        refuse(&indicator(r#","spec_version":"2.0""#), &HeadError::SpecVersion { found: "2.0".to_owned() });
        refuse(&indicator(r#","spec_version":2.1"#), &wrong(At::SpecVersion));
        refuse(&indicator(r#","modified":"yesterday""#), &wrong(At::Modified));
        refuse(&indicator(r#","created":0"#), &wrong(At::Created));
        refuse(&indicator(r#","revoked":"true""#), &wrong(At::Revoked));
        refuse(&indicator(r#","labels":"pap:red""#), &wrong(At::Labels));
        refuse(&indicator(r#","granular_markings":["x"]"#), &wrong(At::Granular));
        refuse(&indicator(r#","object_marking_refs":[{}]"#), &wrong(At::Marking));
        refuse(&indicator(r#","a":1,"a":2"#), &JsonError::DuplicateKey { key: "a".to_owned() }.into());
        assert!(matches!(head(indicator("").replace('}', "").as_bytes()), Err(HeadError::Json(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Bytes changed at random never panic, and what still reads is still what its id says.
        #[test]
        fn damaged_objects_never_panic(at in 0..400_usize, byte: u8, cut in 0..400_usize) {
            let mut bytes = indicator(&format!(
                r#","created":"2026-01-01T00:00:00Z","revoked":false,"labels":["pap:red"],"name":"é\u00e9",
                "object_refs":["tool--{UUID}"],"granular_markings":[{{"marking_ref":"{}"}}]"#,
                Tlp::Red.marking_id()
            )).into_bytes();
            let _ = head(&bytes[..cut.min(bytes.len())]);
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(told) = head(&bytes) {
                prop_assert_eq!(told.id.type_name(), "indicator");
                prop_assert_eq!(told.id.as_str().parse::<StixId>().ok(), Some(told.id));
            }
        }
    }
}
