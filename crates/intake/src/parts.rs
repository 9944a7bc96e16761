//! A MISP event whose parts have different labels: one event per label, each with the pieces that have it.
//!
//! The pieces (attributes, objects, reports, proposals) are spans of the event, never written anew; only the cut is ours.
//! What stands around them (`info`, `date`, `Orgc`, galaxies …) has the event's own label and is in every part, so no part
//! is more open than the event.

use std::borrow::Cow;
use std::fmt;

use model::Tlp;
use model::misp::{self, HeadError, Piece};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An event as it is asserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The strictest label of the event itself, its parts not counted.
    pub own: Option<Tlp>,
    /// One event per label, from open to strict; empty if the event is said whole.
    pub parts: Vec<Part>,
}

/// One part of an event: a valid event with the same UUID.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// The strictest label of what is in it.
    pub tlp: Tlp,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Part {
    // Content never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({}, {} bytes)", self.tlp, self.bytes.len())
    }
}

/// Cuts an event for a command that says `floor`: whoever says AMBER never sees a piece go out at GREEN.
///
/// No part is more open than the event itself. A piece without a label has `floor`. An event none of whose pieces is
/// stricter than `floor` is said whole.
///
/// # Errors
/// Not an event.
pub fn cut(event: &[u8], floor: Tlp) -> Result<Cut, HeadError> {
    let head = misp::head(event)?;
    let whole = |own| Cut { own, parts: Vec::new() };
    let Ok(Members(members)) = serde_json::from_slice(event) else { return Ok(whole(head.tlp)) };
    // Read as every receiver reads it, wherever the tag hides.
    let own = misp::own_label(event)?;
    let floor = own.map_or(floor, |own| own.max(floor));
    let mut pieces = Vec::with_capacity(members.len());
    for member in &members {
        pieces.push(labelled(member, floor)?);
    }
    let found: Vec<Tlp> = pieces.iter().flatten().flatten().copied().collect();
    let Some(strictest) = found.iter().max().copied().filter(|strictest| *strictest > floor) else {
        return Ok(whole(own));
    };
    let parts = Tlp::ALL
        .into_iter()
        .filter(|tlp| found.contains(tlp))
        .map(|tlp| Part { tlp, bytes: part(&members, &pieces, tlp, tlp == strictest) });
    Ok(Cut { own, parts: parts.collect() })
}

/// Puts the parts of one event together that a viewer may see, for display: what stands around the pieces is that of the
/// strictest. `None` if there is nothing to put together, or a part is no event.
#[must_use]
pub fn join(parts: &[&[u8]]) -> Option<Vec<u8>> {
    let read: Vec<Members<'_>> =
        parts.iter().map(|part| serde_json::from_slice(part).ok()).collect::<Option<Vec<_>>>()?;
    let (last, _) = read.split_last().filter(|(_, others)| !others.is_empty())?;
    let mut out = Writer::new();
    for member in &last.0 {
        if !is_cut(&member.name) {
            out.member(&member.name, member.value.get());
        }
    }
    for name in LISTS {
        let of = |members: &Members<'_>| members.0.iter().any(|member| member.name == *name);
        if read.iter().any(of) {
            let all = read.iter().flat_map(|members| &members.0).filter(|member| member.name == *name);
            let elements: Vec<&str> = all.flat_map(|member| elements(member.value)).map(RawValue::get).collect();
            out.member(name, &format!("[{}]", elements.join(",")));
        }
    }
    Some(out.end())
}

/// Where pieces stand. Related events were found by what the pieces say: they go with the strictest.
const LISTS: &[&str] = &["Attribute", "ShadowAttribute", "EventReport", "Object", RELATED];
const RELATED: &str = "RelatedEvent";
/// Counts of the whole event, which would tell that there is more than a part holds.
const COUNTS: &[&str] = &["attribute_count", "object_count"];

fn is_cut(name: &str) -> bool {
    LISTS.contains(&name)
}

/// The properties of an event, in their order.
struct Members<'a>(Vec<Member<'a>>);

struct Member<'a> {
    name: Cow<'a, str>,
    value: &'a RawValue,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    members.push(Member { name: name.0, value: map.next_value()? });
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The elements of a list; of the one element itself, as older exports have it, that one.
fn elements(value: &RawValue) -> Vec<&RawValue> {
    struct ListVisitor;
    impl<'de> Visitor<'de> for ListVisitor {
        type Value = Vec<&'de RawValue>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element()? {
                elements.push(element);
            }
            Ok(elements)
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }
    }
    if !value.get().starts_with('[') {
        return vec![value];
    }
    let mut json = serde_json::Deserializer::from_str(value.get());
    json.deserialize_seq(ListVisitor).unwrap_or_default()
}

/// The label of each piece of a property; `None` if the property holds no pieces.
fn labelled(member: &Member<'_>, floor: Tlp) -> Result<Option<Vec<Tlp>>, HeadError> {
    let kind = match &*member.name {
        "Attribute" | "ShadowAttribute" | "EventReport" => Piece::Attribute,
        "Object" => Piece::Object,
        _ => return Ok(None),
    };
    let label = |piece: &RawValue| Ok(misp::piece_label(piece.get().as_bytes(), kind)?.unwrap_or(floor).max(floor));
    elements(member.value).into_iter().map(label).collect::<Result<_, HeadError>>().map(Some)
}

/// One event with the pieces of one label.
fn part(members: &[Member<'_>], pieces: &[Option<Vec<Tlp>>], tlp: Tlp, strictest: bool) -> Vec<u8> {
    let mut out = Writer::new();
    let tag = format!(r#"{{"name":"{}"}}"#, tlp.to_string().to_ascii_lowercase());
    let mut tagged = false;
    for (member, labels) in members.iter().zip(pieces) {
        match (&*member.name, labels) {
            (name, Some(labels)) => {
                let kept = elements(member.value).into_iter().zip(labels).filter(|(_, label)| **label == tlp);
                let kept: Vec<&str> = kept.map(|(piece, _)| piece.get()).collect();
                out.member(name, &format!("[{}]", kept.join(",")));
            }
            (RELATED, None) if !strictest => {}
            (name, None) if COUNTS.contains(&name) => {}
            ("Tag", None) => {
                let others = elements(member.value).into_iter().filter(|tag| tag_label(tag).is_none());
                let mut tags: Vec<&str> = others.filter(|tag| tag.get().starts_with('{')).map(RawValue::get).collect();
                tags.push(&tag);
                out.member("Tag", &format!("[{}]", tags.join(",")));
                tagged = true;
            }
            ("EventTag", None) => {
                let others = elements(member.value).into_iter().filter(|link| link_label(link).is_none());
                let links: Vec<&str> = others.map(RawValue::get).collect();
                out.member("EventTag", &format!("[{}]", links.join(",")));
            }
            (name, None) => out.member(name, member.value.get()),
        }
    }
    if !tagged {
        out.member("Tag", &format!("[{tag}]"));
    }
    out.end()
}

/// The label of an element of `Tag`: an object with a name, or the name alone.
fn tag_label(tag: &RawValue) -> Option<Tlp> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }
    let name = match serde_json::from_str::<Tag<'_>>(tag.get()) {
        Ok(tag) => tag.name,
        Err(_) => serde_json::from_str::<Name<'_>>(tag.get()).ok()?.0,
    };
    Tlp::of_tag(&name)
}

/// The label of an element of `EventTag`: an object with a tag.
fn link_label(link: &RawValue) -> Option<Tlp> {
    #[derive(Deserialize)]
    struct Link<'a> {
        #[serde(borrow, rename = "Tag")]
        tag: &'a RawValue,
    }
    let tags = elements(serde_json::from_str::<Link<'_>>(link.get()).ok()?.tag);
    tags.into_iter().filter_map(tag_label).max()
}

/// Writes a JSON object around values that stay as they are.
struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Self {
        Self(b"{".to_vec())
    }
    fn member(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        // A string always serialises.
        self.0.extend_from_slice(&serde_json::to_vec(name).unwrap_or_default());
        self.0.push(b':');
        self.0.extend_from_slice(value.as_bytes());
    }
    fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const UUID: &str = "5bad1b96-53bc-4148-87eb-50d50a016219";

    fn event(more: &str) -> String {
        format!(r#"{{"uuid":"{UUID}","timestamp":"1539269641","info":"x"{more}}}"#)
    }

    /// The labels of the parts, with how many pieces each has.
    fn check(more: &str, floor: Tlp, expect: &[(Tlp, usize)]) {
        let event = event(more);
        let cut = cut(event.as_bytes(), floor).unwrap();
        let told: Vec<(Tlp, usize)> = cut.parts.iter().map(|part| (part.tlp, pieces(&part.bytes).len())).collect();
        assert_eq!(told, expect, "{event}");
    }

    /// Every piece of an event, by its list.
    fn pieces(event: &[u8]) -> Vec<(String, String)> {
        let Members(members) = serde_json::from_slice(event).unwrap();
        let of = |member: &Member<'_>| {
            let name = member.name.to_string();
            elements(member.value).into_iter().map(|piece| (name.clone(), piece.get().to_owned())).collect::<Vec<_>>()
        };
        members.iter().filter(|member| is_cut(&member.name)).flat_map(of).collect()
    }

    #[test]
    fn each_label_is_an_event_of_its_own_and_no_piece_goes_below_what_was_said() {
        let (green, amber, red) = (Tlp::Green, Tlp::Amber, Tlp::Red);
        let tag = r#","Tag":[{"name":"tlp:green"},{"name":"Turla"}]"#;
        let mixed = r#","Attribute":[{"value":"a"},{"value":"b","Tag":[{"name":"tlp:amber"}]},
            {"value":"c","Tag":[{"name":"tlp:red"}]},{"value":"d","Tag":[{"name":"tlp:clear"}]}]"#;
        check(&format!("{tag}{mixed}"), green, &[(green, 2), (amber, 1), (red, 1)]);
        check(&format!("{tag}{mixed}"), amber, &[(amber, 3), (red, 1)]);
        check(&format!("{tag}{mixed}"), red, &[]);
        check(mixed, Tlp::Clear, &[(Tlp::Clear, 2), (amber, 1), (red, 1)]);
        check(tag, green, &[]);
        check(r#","Attribute":{"value":"a","Tag":{"name":"tlp:amber"}}"#, green, &[(amber, 1)]);
        let object = r#","Object":[{"Attribute":[{"value":"a"},{"Tag":[{"name":"tlp:red"}]}]},{"Attribute":[]}]"#;
        check(object, green, &[(green, 1), (red, 1)]);
        // A tag that hides in a list of lists is still the event's own.
        let hidden = format!(r#","Tag":[["tlp:amber"]]{mixed}"#);
        check(&hidden, green, &[(amber, 3), (red, 1)]);
        let counted = format!(r#"{tag}{mixed},"attribute_count":"4","RelatedEvent":[{{"Event":{{"info":"y"}}}}]"#);
        let cut = cut(event(&counted).as_bytes(), green).unwrap();
        assert_eq!(cut.own, Some(green));
        let read: Vec<Value> = cut.parts.iter().map(|part| serde_json::from_slice(&part.bytes).unwrap()).collect();
        assert!(read.iter().all(|part| part.get("attribute_count").is_none() && part["info"] == "x"));
        let related: Vec<bool> = read.iter().map(|part| part.get("RelatedEvent").is_some()).collect();
        assert_eq!(related, [false, false, true]);
        assert_eq!(read[1]["Tag"], json!([{"name":"Turla"},{"name":"tlp:amber"}]));
    }

    #[test]
    fn tags_by_way_of_links_are_replaced_too() {
        let links = r#","EventTag":[{"Tag":{"name":"tlp:green"}},{"Tag":{"name":"Turla"}}]"#;
        let more = format!(r#"{links},"Attribute":[{{"Tag":[{{"name":"tlp:red"}}]}},{{}}]"#);
        let cut = cut(event(&more).as_bytes(), Tlp::Green).unwrap();
        assert_eq!((cut.own, cut.parts.len()), (Some(Tlp::Green), 2));
        let red: Value = serde_json::from_slice(&cut.parts[1].bytes).unwrap();
        assert_eq!(red["EventTag"], json!([{"Tag":{"name":"Turla"}}]));
        assert_eq!(red["Tag"], json!([{"name":"tlp:red"}]));
    }

    fn piece() -> impl Strategy<Value = Value> {
        let tags = proptest::collection::vec(
            proptest::sample::select(vec!["tlp:clear", "tlp:green", "tlp:amber", "tlp:amber+strict", "tlp:red", "x"]),
            0..3,
        );
        (any::<u16>(), tags).prop_map(|(value, tags)| {
            let tags: Vec<Value> = tags.into_iter().map(|name| json!({ "name": name })).collect();
            json!({ "value": value, "Tag": tags })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn the_union_of_the_parts_is_the_original_and_no_part_holds_what_is_stricter(
            attributes in proptest::collection::vec(piece(), 0..8),
            reports in proptest::collection::vec(piece(), 0..3),
            objects in proptest::collection::vec(proptest::collection::vec(piece(), 0..3), 0..4),
            own in proptest::option::of(proptest::sample::select(&Tlp::ALL[..])),
            floor in proptest::sample::select(&Tlp::ALL[..]),
        ) {
            let objects: Vec<Value> = objects.into_iter().map(|inside| json!({ "Attribute": inside })).collect();
            let tags: Vec<Value> =
                own.iter().map(|tlp| json!({ "name": tlp.to_string().to_ascii_lowercase() })).collect();
            let event = json!({ "uuid": UUID, "timestamp": "1", "info": "x", "Orgc": {"uuid": UUID}, "Tag": tags,
                "Attribute": attributes, "EventReport": reports, "Object": objects });
            let event = event.to_string().into_bytes();
            let cut = cut(&event, floor).unwrap();
            prop_assert_eq!(cut.own, own);
            let head = misp::head(&event).unwrap();
            if cut.parts.is_empty() {
                prop_assert!(head.tlp.max(Some(floor)) == own.max(Some(floor)), "{:?} {:?}", head.tlp, own);
                return Ok(());
            }
            let mut all = Vec::new();
            for part in &cut.parts {
                let read = misp::head(&part.bytes).unwrap();
                prop_assert_eq!((&read.id, read.version, &read.title), (&head.id, head.version, &head.title));
                prop_assert_eq!(read.created_by.as_ref(), head.created_by.as_ref());
                prop_assert_eq!(read.tlp, Some(part.tlp), "the strictest in it is its label");
                prop_assert!(part.tlp >= floor);
                prop_assert!(super::cut(&part.bytes, part.tlp).unwrap().parts.is_empty(), "a part is said whole");
                all.extend(pieces(&part.bytes));
            }
            let mut original = pieces(&event);
            let spans: Vec<&[u8]> = cut.parts.iter().map(|part| part.bytes.as_slice()).collect();
            if let Some(joined) = join(&spans) {
                let mut joined = pieces(&joined);
                joined.sort();
                let mut sorted = original.clone();
                sorted.sort();
                prop_assert_eq!(joined, sorted);
            }
            all.sort();
            original.sort();
            prop_assert_eq!(all, original);
        }

        #[test]
        fn damaged_events_never_panic(at in 0..200_usize, byte: u8, floor in proptest::sample::select(&Tlp::ALL[..])) {
            let more = r#","Tag":[{"name":"tlp:green"}],"Attribute":[{"Tag":[{"name":"tlp:red"}]},{}],"Object":{}"#;
            let mut bytes = event(more).into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            for part in cut(&bytes, floor).map(|cut| cut.parts).unwrap_or_default() {
                prop_assert!(misp::head(&part.bytes).is_ok());
            }
        }
    }
}
