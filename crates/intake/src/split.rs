//! Splits a file into its objects: recognises its shape, and gives each object's own bytes with its head or a refusal.

use std::borrow::Cow;

use model::stix::HeadError;
use model::{Head, misp, stix};
use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::classified::{self, ClassifiedError};
use crate::limits::Limits;

/// What a file was recognised as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A STIX bundle (STIX 2.1 §8).
    StixBundle,
    /// One STIX object by itself.
    StixObject,
    /// `{"Event":{…}}`: one MISP event, as in a MISP feed.
    MispEvent,
    /// `{"response":[{"Event":{…}},…]}` or the list alone: a MISP export.
    MispExport,
}

/// A file taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split<'a> {
    /// What the file is.
    pub kind: Kind,
    /// Its objects, in their order.
    pub items: Vec<Item<'a>>,
}

/// One object of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// Exactly its bytes in the file; of a MISP event the value of `Event`.
    pub span: &'a [u8],
    /// Where `span` begins in the file, bytes from 0.
    pub offset: usize,
    /// What it says of itself, or why it is refused.
    pub head: Result<Head, Refusal>,
}

impl AsRef<[u8]> for Item<'_> {
    fn as_ref(&self) -> &[u8] {
        self.span
    }
}

/// Why one object of a file is not taken in. The others are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("object {position}, at byte {offset}: {reason}")]
pub struct Refusal {
    /// The how-manieth object of the file, from 1.
    pub position: usize,
    /// Where it begins in the file, bytes from 0.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with one object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Its head can't be read.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// It carries the marking line of classified information.
    #[error(transparent)]
    Classified(#[from] ClassifiedError),
    /// An element of a MISP export that is not `{"Event":{…}}`.
    #[error("not a MISP event: write {{\"Event\":{{…}}}} for each")]
    NotAnEvent,
}

/// Why a whole file is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Longer than [`Limits::file_bytes`].
    #[error("{bytes} bytes are more than the {limit} that one file may have: split it")]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// More objects than [`Limits::objects`].
    #[error("more than {limit} objects in one file: split it")]
    TooManyObjects {
        /// How many there may be.
        limit: usize,
    },
    /// Not UTF-8 (RFC 8259 §8.1).
    #[error("no UTF-8 at byte {at}: save the file as UTF-8")]
    Encoding {
        /// The first byte that is none.
        at: usize,
    },
    /// Not JSON, or cut off.
    #[error("not JSON, {reason}: fetch the file again, or export it as JSON")]
    Syntax {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// A bundle of another version of STIX, whose objects need not say so themselves (STIX 2.0 part 1 §5).
    #[error("a bundle of STIX `{found}`: convert it to STIX 2.1 first")]
    SpecVersion {
        /// What the bundle says, cut to 80 characters.
        found: String,
    },
    /// JSON of a shape that is not known.
    #[error(
        "neither STIX nor MISP: give a STIX 2.1 bundle or object, a MISP event {{\"Event\":{{…}}}}, \
         or a MISP export {{\"response\":[…]}}"
    )]
    UnknownShape,
}

/// Takes a file apart into its objects, whose bytes it doesn't touch. A byte order mark is passed over.
///
/// # Errors
/// The file as a whole is too large, no JSON, or of no known shape. A bad object in a good file is an [`Item`] with a
/// refusal.
pub fn split(file: &[u8], limits: Limits) -> Result<Split<'_>, SplitError> {
    if file.len() > limits.file_bytes {
        return Err(SplitError::TooLarge { bytes: file.len(), limit: limits.file_bytes });
    }
    let text = std::str::from_utf8(file).map_err(|error| SplitError::Encoding { at: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let whole: &RawValue = parse(text)?;
    let cut = Cut { file, limits };
    match whole.get().as_bytes().first() {
        Some(b'{') => cut.object(whole),
        Some(b'[') => cut.export(whole),
        _ => Err(SplitError::UnknownShape),
    }
}

/// The keys by which a file is recognised. Those that stand twice are refused by the derived reader.
#[derive(Deserialize)]
struct Top<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    spec_version: Option<&'a RawValue>,
    #[serde(borrow)]
    objects: Option<&'a RawValue>,
    #[serde(borrow, rename = "Event")]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

/// An element of a MISP export.
#[derive(Deserialize)]
struct Wrapping<'a> {
    #[serde(borrow, rename = "Event")]
    event: Option<&'a RawValue>,
}

/// The first elements of a list, and how many it has.
struct List<'a> {
    elements: Vec<&'a RawValue>,
    length: usize,
}

struct ListVisitor {
    most: usize,
}

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List<'de>;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<'de>, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.most {
            match seq.next_element::<&RawValue>()? {
                Some(element) => elements.push(element),
                None => {
                    return Ok(List { length: elements.len(), elements });
                }
            }
        }
        let mut length = elements.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            length += 1;
        }
        Ok(List { elements, length })
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, SplitError> {
    serde_json::from_str(text).map_err(|error| SplitError::Syntax { reason: error.to_string() })
}

/// A text value; `None` for any other.
fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw?.get()).ok().map(|text| text.0)
}

/// The file that is being cut.
struct Cut<'a> {
    file: &'a [u8],
    limits: Limits,
}

impl<'a> Cut<'a> {
    fn object(&self, whole: &'a RawValue) -> Result<Split<'a>, SplitError> {
        let top: Top<'a> = parse(whole.get())?;
        let kind = text(top.kind);
        if kind.as_deref() == Some("bundle") {
            return self.bundle(&top);
        }
        match (top.event, top.response) {
            (Some(event), _) => Ok(Split { kind: Kind::MispEvent, items: vec![self.item(1, event, event_head)] }),
            (None, Some(response)) => self.export(response),
            (None, None) if kind.is_some() => {
                Ok(Split { kind: Kind::StixObject, items: vec![self.item(1, whole, stix_head)] })
            }
            (None, None) => Err(SplitError::UnknownShape),
        }
    }

    fn bundle(&self, top: &Top<'a>) -> Result<Split<'a>, SplitError> {
        if let Some(version) = top.spec_version {
            let found = text(Some(version)).unwrap_or_else(|| version.get().into());
            if found != "2.1" {
                return Err(SplitError::SpecVersion { found: found.chars().take(80).collect() });
            }
        }
        let objects = top.objects.map_or(Ok(Vec::new()), |objects| self.list(objects))?;
        let items = objects.into_iter().zip(1..).map(|(raw, position)| self.item(position, raw, stix_head));
        Ok(Split { kind: Kind::StixBundle, items: items.collect() })
    }

    fn export(&self, list: &'a RawValue) -> Result<Split<'a>, SplitError> {
        let elements = self.list(list)?;
        let events: Vec<Option<&'a RawValue>> = elements.iter().map(|element| unwrapped(element)).collect();
        // A list of something else altogether is one mistake, not as many as it has elements.
        if !events.is_empty() && events.iter().all(Option::is_none) {
            return Err(SplitError::UnknownShape);
        }
        let items = elements.into_iter().zip(events).zip(1..).map(|((element, event), position)| match event {
            Some(event) => self.item(position, event, event_head),
            None => self.item(position, element, |_| Err(Reason::NotAnEvent)),
        });
        Ok(Split { kind: Kind::MispExport, items: items.collect() })
    }

    fn list(&self, raw: &'a RawValue) -> Result<Vec<&'a RawValue>, SplitError> {
        if !raw.get().starts_with('[') {
            return Err(SplitError::UnknownShape);
        }
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let list = serde::Deserializer::deserialize_seq(&mut json, ListVisitor { most: self.limits.objects })
            .map_err(|error| SplitError::Syntax { reason: error.to_string() })?;
        if list.length > self.limits.objects {
            return Err(SplitError::TooManyObjects { limit: self.limits.objects });
        }
        Ok(list.elements)
    }

    fn item(&self, position: usize, raw: &'a RawValue, head: impl Fn(&[u8]) -> Result<Head, Reason>) -> Item<'a> {
        let span = raw.get().as_bytes();
        let offset = span.as_ptr().addr().saturating_sub(self.file.as_ptr().addr());
        let head = head(span).and_then(|head| Ok(classified::check(span, self.limits.ceiling).map(|()| head)?));
        Item { span, offset, head: head.map_err(|reason| Refusal { position, offset, reason }) }
    }
}

fn stix_head(span: &[u8]) -> Result<Head, Reason> {
    Ok(stix::head(span)?)
}

fn event_head(span: &[u8]) -> Result<Head, Reason> {
    Ok(misp::head(span)?)
}

/// The event in `{"Event":{…}}`.
fn unwrapped(element: &RawValue) -> Option<&RawValue> {
    // The derived reader would take a list for the object too.
    if !element.get().starts_with('{') {
        return None;
    }
    serde_json::from_str::<Wrapping<'_>>(element.get()).ok()?.event
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: &str = r#"{ "type":"tool", "id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f" }"#;
    const EVENT: &str = r#"{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219", "timestamp":"1"}"#;

    /// Splits `file`, and says of each object whether it is good.
    fn check(file: &str, kind: Kind, good: &[bool]) {
        let told = split(file.as_bytes(), Limits::default()).unwrap_or_else(|error| panic!("{file}: {error}"));
        let heads: Vec<bool> = told.items.iter().map(|item| item.head.is_ok()).collect();
        assert_eq!((told.kind, heads.as_slice()), (kind, good), "{file}");
        for item in &told.items {
            assert_eq!(&file.as_bytes()[item.offset..item.offset + item.span.len()], item.span, "{file}");
            if item.head.is_ok() {
                assert!(item.span == TOOL.as_bytes() || item.span == EVENT.as_bytes(), "{file}");
            }
        }
    }

    fn refuse(file: &str, expect: &SplitError) {
        assert_eq!(split(file.as_bytes(), Limits::default()).as_ref(), Err(expect), "{file}");
    }

    #[test]
    fn a_marked_object_is_refused_and_the_others_are_taken() {
        let marked = r#"{"type":"note","id":"note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "content":"Annex\nSECRET UE\/EU SECRET\n"}"#;
        let file = format!(r#"{{"type":"bundle","objects":[{TOOL},{marked},{TOOL}]}}"#);
        check(&file, Kind::StixBundle, &[true, false, true]);
        let told = split(file.as_bytes(), Limits::default()).unwrap();
        let reason = told.items[1].head.as_ref().unwrap_err().reason.to_string();
        assert!(reason.starts_with("a line is marked `SECRET UE`"), "{reason}");
        let event = r#"{"Event":{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219","info":"HEMLIG"}}"#;
        check(event, Kind::MispEvent, &[false]);
    }

    #[test]
    fn stix_is_recognised_by_its_type() {
        check(&format!(" {TOOL}\n"), Kind::StixObject, &[true]);
        check(&format!("\u{feff}{TOOL}"), Kind::StixObject, &[true]);
        check(r#"{"type":"tool"}"#, Kind::StixObject, &[false]);
        check(r#"{"type":"observed-data","objects":{"0":{}}}"#, Kind::StixObject, &[false]);
        check(&format!(r#"{{"objects":[{TOOL} , {TOOL}],"type":"bundle"}}"#), Kind::StixBundle, &[true, true]);
        check(&format!(r#"{{"\u0074ype":"b\u0075ndle","objects":[{TOOL}]}}"#), Kind::StixBundle, &[true]);
        check(r#"{"type":"bundle","id":"x","spec_version":"2.1","objects":[]}"#, Kind::StixBundle, &[]);
        check(r#"{"type":"bundle"}"#, Kind::StixBundle, &[]);
    }

    #[test]
    fn misp_is_recognised_by_its_wrapping() {
        check(&format!(r#"{{"Event":{EVENT}}}"#), Kind::MispEvent, &[true]);
        check(r#"{"Event":[]}"#, Kind::MispEvent, &[false]);
        check(&format!(r#"{{"response":[{{"Event": {EVENT} }}]}}"#), Kind::MispExport, &[true]);
        check(
            &format!(r#"[{{"Event":{EVENT}}},{{"Event":{{}}}},{{}},["x"],7]"#),
            Kind::MispExport,
            &[true, false, false, false, false],
        );
        check(&format!(r#"[[{EVENT}],{{"Event":{EVENT}}}]"#), Kind::MispExport, &[false, true]);
        check(r#"{"response":[]}"#, Kind::MispExport, &[]);
        check("[]", Kind::MispExport, &[]);
    }

    #[test]
    fn a_bad_object_is_one_refusal_and_says_where() {
        let file = format!(r#"{{"type":"bundle","objects":[{TOOL},{{"type":"tool","a":1,"a":2}},7,{TOOL}]}}"#);
        check(&file, Kind::StixBundle, &[true, false, false, true]);
        let told = split(file.as_bytes(), Limits::default()).unwrap();
        let refusals: Vec<String> =
            told.items.iter().filter_map(|item| item.head.as_ref().err()).map(ToString::to_string).collect();
        let second = 28 + TOOL.len() + 1;
        let third = second + r#"{"type":"tool","a":1,"a":2},"#.len();
        assert_eq!(
            refusals,
            [
                format!("object 2, at byte {second}: the key `a` stands twice in one object: leave one out"),
                format!("object 3, at byte {third}: not a JSON object: give one object, not a list or a value"),
            ]
        );
    }

    #[test]
    fn files_of_another_shape_are_refused_with_what_to_do() {
        for file in [
            "7",
            "\"a\"",
            "null",
            "{}",
            r#"{"Event":null}"#,
            r#"{"type":7}"#,
            r#"[{"type":"tool"}]"#,
            r#"{"response":{"Attribute":[]}}"#,
            r#"{"type":"bundle","objects":{}}"#,
            r#"{"5bad1b96-53bc-4148-87eb-50d50a016219":{"info":"a manifest"}}"#,
        ] {
            refuse(file, &SplitError::UnknownShape);
        }
        let two = SplitError::SpecVersion { found: "2.0".to_owned() };
        refuse(&format!(r#"{{"type":"bundle","spec_version":"2.0","objects":[{TOOL}]}}"#), &two);
        refuse(&format!(r#"{{"type":"bundle","spec_version":2.0,"objects":[{TOOL}]}}"#), &two);
        for file in
            ["", "{", "value,type\n", r#"{"type":"bundle","objects":[{]}"#, r#"{"Event":{},"Event":{}}"#, "{} {}"]
        {
            let refused = split(file.as_bytes(), Limits::default());
            assert!(matches!(refused, Err(SplitError::Syntax { .. })), "{file}: {refused:?}");
        }
        assert_eq!(split(b"{\"type\":\"\xe9\"}", Limits::default()), Err(SplitError::Encoding { at: 9 }));
    }

    #[test]
    fn limits_hold_exactly() {
        let file = format!(r#"{{"type":"bundle","objects":[{TOOL},{TOOL}]}}"#);
        let limit = |file_bytes, objects| {
            split(file.as_bytes(), Limits { file_bytes, objects, ..Limits::default() }).map(|told| told.items.len())
        };
        assert_eq!(limit(file.len(), 2), Ok(2));
        assert_eq!(limit(file.len(), 1), Err(SplitError::TooManyObjects { limit: 1 }));
        let bytes = file.len();
        assert_eq!(limit(bytes - 1, 2), Err(SplitError::TooLarge { bytes, limit: bytes - 1 }));
        let nested =
            format!("{{\"type\":\"bundle\",\"objects\":[{}{},{TOOL}]}}", "[".repeat(50_000), "]".repeat(50_000));
        check(&nested, Kind::StixBundle, &[false, true]);
    }
}
