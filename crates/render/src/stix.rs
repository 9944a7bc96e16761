//! STIX 2.1 out: single objects, and bundles with the marking definitions that they use.

use std::collections::BTreeSet;

use model::exercise::EXERCISE_MARKING;
use model::{MediaType, StixId, Tlp};
use policy::Released;
use serde::Deserialize;

use crate::Rendered;
use crate::error::RenderError;
use crate::splice::{self, Places};

const ID: usize = 0;
const MARKINGS: usize = 1;
const GRANULAR: usize = 2;
const WANTED: [&str; 3] = ["id", "object_marking_refs", "granular_markings"];

/// A bundle, and what could not go into it.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What was left out, so that one bad body neither stops the others nor vanishes unnoticed.
    pub left_out: Vec<LeftOut>,
}

impl std::fmt::Debug for Bundle {
    // Content never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bundle({} bytes, {:?})", self.bytes.len(), self.left_out)
    }
}

/// A body that is not in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its place among those that were given, from 0.
    pub place: usize,
    /// Why.
    pub reason: RenderError,
}

/// One object with its envelope's TLP 2.0 marking in `object_marking_refs` (STIX 2.1 §7.2.2, and the OASIS extension
/// definition for TLP 2.0).
///
/// A marking inside that is as strict or stricter stays as it is, and nothing is added. A granular marking (§7.2.3)
/// covers only a part of the object, so it does not replace the one on the whole. A TLP marking definition is not
/// marked. What was said in an exercise refers to the exercise's marking definition too, whatever its label.
///
/// # Errors
/// Not a STIX body, not one JSON object, or an `object_marking_refs` that is not an array of strings.
pub fn object(released: &Released<Rendered>) -> Result<Vec<u8>, RenderError> {
    marked(released.as_ref())
}

/// A bundle (STIX 2.1 §8) of the objects, each marked as by [`object`], with the TLP 2.0 marking definitions to which
/// they refer, once each, in front: STIX 2.1 predefines those of TLP 1 only, and a receiver may not know these.
///
/// # Errors
/// `id` is not the id of a bundle. Bodies that cannot be marked are in [`Bundle::left_out`].
pub fn bundle(released: &Released<Vec<Rendered>>, id: &StixId) -> Result<Bundle, RenderError> {
    if id.type_name() != "bundle" {
        return Err(RenderError::BundleId(id.to_string()));
    }
    let mut objects = Vec::new();
    let mut used = BTreeSet::new();
    let mut carried = BTreeSet::new();
    let mut left_out = Vec::new();
    for (place, rendered) in released.as_ref().iter().enumerate() {
        match marked(rendered).and_then(|bytes| mentions(&bytes).map(|mentions| (bytes, mentions))) {
            Ok((bytes, mentions)) => {
                used.extend(mentions.used);
                carried.extend(mentions.is);
                objects.push(bytes);
            }
            Err(reason) => left_out.push(LeftOut { place, reason }),
        }
    }
    let definitions = used.difference(&carried).map(|tlp| definition(*tlp).into_bytes());
    let exercise = released.as_ref().iter().any(|rendered| !rendered.realm.is_real());
    let exercise = exercise.then(|| exercise_definition().into_bytes());
    let objects: Vec<Vec<u8>> = exercise.into_iter().chain(definitions).chain(objects).collect();
    let mut bytes = format!("{{\"type\":\"bundle\",\"id\":\"{id}\"").into_bytes();
    // A list property is never empty (STIX 2.1 §2.12): a bundle of nothing has no `objects`.
    if !objects.is_empty() {
        bytes.extend_from_slice(b",\"objects\":[");
        bytes.extend(objects.join(&b','));
        bytes.push(b']');
    }
    bytes.push(b'}');
    Ok(Bundle { bytes, left_out })
}

/// The marking definition of a TLP 2.0 label, as OASIS published it (extension definition for TLP 2.0).
#[must_use]
pub fn definition(tlp: Tlp) -> String {
    format!(
        "{{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"{id}\",\
         \"created\":\"2022-10-01T00:00:00.000Z\",\"name\":\"{tlp}\",\"extensions\":{{\
         \"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":{{\
         \"extension_type\":\"property-extension\",\"tlp_2_0\":\"{word}\"}}}}}}",
        id = tlp.marking_id(),
        word = tlp.word().to_ascii_lowercase(),
    )
}

/// The marking definition of all exercises (STIX 2.1 §4.1.4): in words, for whoever opens the file elsewhere.
#[must_use]
pub fn exercise_definition() -> String {
    format!(
        "{{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"{EXERCISE_MARKING}\",\
         \"created\":\"2026-11-25T00:00:00.000Z\",\"name\":\"EXERCISE\",\"definition_type\":\"statement\",\
         \"definition\":{{\"statement\":\"EXERCISE EXERCISE EXERCISE: nothing here is real\"}}}}"
    )
}

fn marked(rendered: &Rendered) -> Result<Vec<u8>, RenderError> {
    match rendered.media {
        MediaType::Stix => {}
        MediaType::MispEvent => return Err(RenderError::Media(rendered.media)),
    }
    let places = Places::read(&rendered.body, WANTED)?;
    // A marking that stands on itself would be circular (STIX 2.1 §7.2).
    if definition_id(&places).and_then(|id| Tlp::of_marking(&id)).is_some() {
        return Ok(rendered.body.clone());
    }
    let inside = markings(&places)?;
    let mut added = Vec::new();
    let strictest = inside.iter().filter_map(|id| Tlp::of_marking(id)).max();
    if strictest.is_none_or(|inside| inside < rendered.label.tlp) {
        added.push(format!("\"{}\"", rendered.label.tlp.marking_id()));
    }
    if !rendered.realm.is_real() && !inside.iter().any(|id| id == EXERCISE_MARKING) {
        added.push(format!("\"{EXERCISE_MARKING}\""));
    }
    if added.is_empty() {
        return Ok(rendered.body.clone());
    }
    Ok(places.push(MARKINGS, "object_marking_refs", &added.join(",")))
}

/// The marking definitions of TLP 2.0 that an object refers to, and the one that it is.
struct Mentions {
    used: Vec<Tlp>,
    is: Option<Tlp>,
}

fn mentions(body: &[u8]) -> Result<Mentions, RenderError> {
    #[derive(Deserialize)]
    struct Granular {
        #[serde(default)]
        marking_ref: Option<String>,
    }
    let places = Places::read(body, WANTED)?;
    // Granular markings of another shape are the author's; they name no definition that we could add.
    let granular: Vec<Granular> = places.value(GRANULAR).and_then(splice::array).unwrap_or_default();
    let whole = markings(&places)?;
    let ids = whole.iter().chain(granular.iter().filter_map(|part| part.marking_ref.as_ref()));
    let is = definition_id(&places).and_then(|id| tlp_2(&id));
    Ok(Mentions { used: ids.filter_map(|id| tlp_2(id)).collect(), is })
}

fn markings(places: &Places<'_, 3>) -> Result<Vec<String>, RenderError> {
    let shape = RenderError::Shape { property: "object_marking_refs", expected: "an array of ids, within the limit" };
    places.value(MARKINGS).map_or(Ok(Vec::new()), |value| splice::array(value).ok_or(shape))
}

fn definition_id(places: &Places<'_, 3>) -> Option<String> {
    places.value(ID).and_then(|value| serde_json::from_slice(value).ok())
}

/// The label whose TLP 2.0 definition this is; STIX predefines those of TLP 1, so nobody needs to be sent them.
fn tlp_2(id: &str) -> Option<Tlp> {
    Tlp::ALL.into_iter().find(|tlp| tlp.marking_id() == id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{self, released};

    const AMBER_OF_TLP_1: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";

    fn out(tlp: Tlp, body: &str) -> String {
        String::from_utf8(object(&released(tlp, MediaType::Stix, body)).unwrap()).unwrap()
    }

    #[test]
    fn the_envelopes_marking_is_added_unless_one_as_strict_is_there() {
        let (green, amber, red) = (Tlp::Green.marking_id(), Tlp::Amber.marking_id(), Tlp::Red.marking_id());
        let check = |body: String, expect: String| assert_eq!(out(Tlp::Amber, &body), expect);
        let same = |body: String| check(body.clone(), body);
        check(r#"{"type":"tool"}"#.to_owned(), format!(r#"{{"type":"tool","object_marking_refs":["{amber}"]}}"#));
        check(
            format!(r#"{{"object_marking_refs": ["{green}"] , "type":"tool"}}"#),
            format!(r#"{{"object_marking_refs": ["{green}","{amber}"] , "type":"tool"}}"#),
        );
        same(format!(r#"{{"object_marking_refs":["{amber}"]}}"#));
        same(format!(r#"{{"object_marking_refs":["{green}","{red}"]}}"#));
        same(format!(r#"{{"object_marking_refs":["{AMBER_OF_TLP_1}"]}}"#));
        same(format!(r#"{{"object_marking_refs":["{}"]}}"#, amber.replace('-', "\\u002d")));
        same(format!(r#"{{"type":"marking-definition","id":"{green}"}}"#));
        // A granular marking covers a part; the whole still needs its own.
        let part = format!(r#"{{"granular_markings":[{{"marking_ref":"{red}","selectors":["name"]}}]"#);
        check(format!("{part}}}"), format!("{part},\"object_marking_refs\":[\"{amber}\"]}}"));
    }

    #[test]
    fn what_cannot_carry_its_marking_does_not_leave() {
        let refused = |media, body: &str| object(&released(Tlp::Amber, media, body)).unwrap_err();
        for body in
            [r#"{"object_marking_refs":null}"#, r#"{"object_marking_refs":"x"}"#, r#"{"object_marking_refs":[1]}"#]
        {
            assert!(matches!(refused(MediaType::Stix, body), RenderError::Shape { .. }), "{body}");
        }
        assert!(matches!(refused(MediaType::Stix, "[]"), RenderError::NotAnObject(_)));
        assert_eq!(refused(MediaType::MispEvent, "{}"), RenderError::Media(MediaType::MispEvent));
    }

    #[test]
    fn definitions_are_those_of_oasis() {
        let value: Value = serde_json::from_str(&definition(Tlp::AmberStrict)).unwrap();
        let expect = json!({
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            "created": "2022-10-01T00:00:00.000Z",
            "name": "TLP:AMBER+STRICT",
            "extensions": {
                "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                    "extension_type": "property-extension",
                    "tlp_2_0": "amber+strict"
                }
            }
        });
        assert_eq!(value, expect);
    }

    #[test]
    fn a_bundle_carries_each_definition_once_and_says_what_it_leaves_out() {
        let id = StixId::from_random("bundle", [1; 16]).unwrap();
        let item = |tlp: Tlp, media, body: &str| (tlp, media, body.to_owned());
        let red = Tlp::Red.marking_id();
        let given = testing::released_all(vec![
            item(Tlp::Green, MediaType::Stix, r#"{"type":"tool","name":"a"}"#),
            item(Tlp::Green, MediaType::MispEvent, r#"{"info":"b"}"#),
            item(Tlp::Green, MediaType::Stix, &format!(r#"{{"granular_markings":[{{"marking_ref":"{red}"}}]}}"#)),
            item(Tlp::Amber, MediaType::Stix, &definition(Tlp::Amber)),
            item(Tlp::Amber, MediaType::Stix, r#"{"type":"tool","name":"c"}"#),
            item(Tlp::Amber, MediaType::Stix, r#"{"type":"#),
        ]);
        let bundle = bundle(&given, &id).unwrap();
        let left_out: Vec<usize> = bundle.left_out.iter().map(|left| left.place).collect();
        assert_eq!(left_out, [1, 5]);
        let value: Value = serde_json::from_slice(&bundle.bytes).unwrap();
        assert_eq!((&value["type"], &value["id"]), (&json!("bundle"), &json!(id)));
        let objects = value["objects"].as_array().unwrap();
        let count = |tlp: Tlp| objects.iter().filter(|object| object["id"] == tlp.marking_id()).count();
        assert_eq!(Tlp::ALL.map(count), [0, 1, 1, 0, 1]);
        assert_eq!(objects.len(), 6);
        assert_eq!(objects[2]["object_marking_refs"], json!([Tlp::Green.marking_id()]));
    }

    #[test]
    fn a_bundle_of_nothing_has_no_objects_and_only_bundles_have_bundle_ids() {
        let given = testing::released_all(Vec::new());
        let id = StixId::from_random("bundle", [1; 16]).unwrap();
        let value: Value = serde_json::from_slice(&bundle(&given, &id).unwrap().bytes).unwrap();
        assert_eq!(value, json!({ "type": "bundle", "id": id }));
        let other = StixId::from_random("report", [1; 16]).unwrap();
        assert_eq!(bundle(&given, &other), Err(RenderError::BundleId(other.to_string())));
    }

    #[test]
    fn what_was_said_in_an_exercise_leaves_with_its_mark() {
        let realm: model::Realm = "EX-BLUE-26".parse().unwrap();
        let out = |body: &str| {
            let item = (Tlp::Amber, MediaType::Stix, body.to_owned());
            let released = testing::released_in(&realm, vec![item]).map(|mut bodies| bodies.remove(0));
            String::from_utf8(object(&released).unwrap()).unwrap()
        };
        let amber = Tlp::Amber.marking_id();
        let both = format!(r#"{{"type":"tool","object_marking_refs":["{amber}","{EXERCISE_MARKING}"]}}"#);
        assert_eq!(out(r#"{"type":"tool"}"#), both);
        assert_eq!(out(&both), both);
        let labelled = format!(r#"{{"type":"tool","object_marking_refs":["{amber}"]}}"#);
        assert_eq!(out(&labelled), both);
        let id = StixId::from_random("bundle", [1; 16]).unwrap();
        let given = testing::released_in(&realm, vec![(Tlp::Amber, MediaType::Stix, labelled)]);
        let value: Value = serde_json::from_slice(&bundle(&given, &id).unwrap().bytes).unwrap();
        assert_eq!(value["objects"][0], serde_json::from_str::<Value>(&exercise_definition()).unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn taking_the_added_marking_away_gives_the_original(
            mut value in testing::object(),
            refs in proptest::option::of(proptest::collection::vec(testing::marking(), 0..4)),
            tlp in proptest::sample::select(&Tlp::ALL[..]),
            pretty in any::<bool>(),
        ) {
            let strict = refs.iter().flatten().filter_map(|id| Tlp::of_marking(id)).any(|inside| inside >= tlp);
            if let Some(refs) = &refs {
                value["object_marking_refs"] = json!(refs);
            }
            let body = testing::write(&value, pretty);
            let out = out(tlp, &body);
            if strict {
                prop_assert_eq!(out, body);
                return Ok(());
            }
            testing::is_one_insertion(&body, &out)?;
            let mut read: Value = serde_json::from_str(&out).unwrap();
            let added = read["object_marking_refs"].as_array_mut().unwrap().pop();
            prop_assert_eq!(added, Some(json!(tlp.marking_id())));
            if refs.is_none() {
                prop_assert_eq!(read.as_object_mut().unwrap().remove("object_marking_refs"), Some(json!([])));
            }
            prop_assert_eq!(read, value);
        }

        #[test]
        fn no_bytes_make_it_panic(
            body in "[\\[\\]{}:,\"a-c\\\\u0 1]{0,40}",
            tlp in proptest::sample::select(&Tlp::ALL[..]),
        ) {
            if let Ok(out) = object(&released(tlp, MediaType::Stix, &body)) {
                prop_assert!(serde_json::from_slice::<Value>(&out).unwrap().is_object());
            }
        }
    }
}
