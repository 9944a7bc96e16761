//! MISP events out: the value of `Event`, with the envelope's label as a tag of the taxonomy `tlp`.

use model::exercise::{EXERCISE_TAG, is_exercise_tag};
use model::{MediaType, Tlp};
use policy::Released;
use serde::Deserialize;

use crate::Rendered;
use crate::error::RenderError;
use crate::splice::{self, Places};

const TAGS: usize = 0;

/// One event with a `tlp:…` tag in its `Tag` array (MISP core format, `Tag`; MISP taxonomy `tlp`).
///
/// A tag on the event that is as strict or stricter stays as it is, and nothing is added. Tags of attributes cover only
/// their part, so they do not replace the one on the whole. A tag such as `tlp:unclear` says nothing that another
/// program would obey, so it does not count. What was said in an exercise gets the exercise's tag too.
///
/// # Errors
/// Not a MISP body, not one JSON object, or a `Tag` that is not an array of tags.
pub fn event(released: &Released<Rendered>) -> Result<Vec<u8>, RenderError> {
    marked(released.as_ref())
}

fn marked(rendered: &Rendered) -> Result<Vec<u8>, RenderError> {
    match rendered.media {
        MediaType::MispEvent => {}
        MediaType::Stix => return Err(RenderError::Media(rendered.media)),
    }
    let places = Places::read(&rendered.body, ["Tag"])?;
    let shape = RenderError::Shape { property: "Tag", expected: "an array of tags, within the limit" };
    let tags: Vec<Tag> = places.value(TAGS).map_or(Ok(Vec::new()), |value| splice::array(value).ok_or(shape))?;
    let mut added = Vec::new();
    if !tags.iter().filter_map(|tag| plain_label(&tag.name)).any(|inside| inside >= rendered.label.tlp) {
        added.push(format!("{{\"name\":\"{}\"}}", tag_name(rendered.label.tlp)));
    }
    if !rendered.realm.is_real() && !tags.iter().any(|tag| is_exercise_tag(&tag.name)) {
        // A realm has capital letters, digits and hyphens, so nothing in it needs an escape.
        added.push(format!("{{\"name\":\"{EXERCISE_TAG}=\\\"{}\\\"\"}}", rendered.realm));
    }
    if added.is_empty() {
        return Ok(rendered.body.clone());
    }
    Ok(places.push(TAGS, "Tag", &added.join(",")))
}

/// Events as MISP exports them, `{"response":[{"Event":…}]}`, each with its tag; and how many could not carry theirs and
/// were left out.
#[must_use]
pub fn events(released: &Released<Vec<Rendered>>) -> (Vec<u8>, usize) {
    let mut out = br#"{"response":["#.to_vec();
    let (mut written, mut left_out) = (0, 0);
    for rendered in released.as_ref() {
        match marked(rendered) {
            Ok(event) => {
                out.extend_from_slice(if written == 0 { br#"{"Event":"# } else { br#",{"Event":"# });
                out.extend_from_slice(&event);
                out.push(b'}');
                written += 1;
            }
            Err(_) => left_out += 1,
        }
    }
    out.extend_from_slice(b"]}");
    (out, left_out)
}

/// The tag of a label: `tlp:amber+strict`.
#[must_use]
pub fn tag_name(tlp: Tlp) -> String {
    tlp.to_string().to_ascii_lowercase()
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

/// The label of a tag that every program reads alike; the model reads an unknown `tlp:` tag as RED, out of caution.
fn plain_label(tag: &str) -> Option<Tlp> {
    Tlp::of_tag(tag).filter(|label| *label != Tlp::Red || tag.trim().eq_ignore_ascii_case("tlp:red"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{self, released};

    fn out(tlp: Tlp, body: &str) -> String {
        String::from_utf8(event(&released(tlp, MediaType::MispEvent, body)).unwrap()).unwrap()
    }

    #[test]
    fn the_envelopes_tag_is_added_unless_one_as_strict_is_there() {
        let check = |body: &str, expect: &str| assert_eq!(out(Tlp::Amber, body), expect);
        check(r#"{"info":"x"}"#, r#"{"info":"x","Tag":[{"name":"tlp:amber"}]}"#);
        check(r#"{"Tag":[],"info":"x"}"#, r#"{"Tag":[{"name":"tlp:amber"}],"info":"x"}"#);
        check(r#"{"Tag":[{"name":"tlp:green"}]}"#, r#"{"Tag":[{"name":"tlp:green"},{"name":"tlp:amber"}]}"#);
        check(r#"{"Tag":[{"name":"tlp:unclear"}]}"#, r#"{"Tag":[{"name":"tlp:unclear"},{"name":"tlp:amber"}]}"#);
        for strict in ["tlp:amber", "TLP:AMBER+STRICT", "tlp:red"] {
            let body = format!(r##"{{"Tag":[{{"id":"3","name":"{strict}","colour":"#fff"}}]}}"##);
            check(&body, &body);
        }
        // The tag of an attribute covers the attribute alone.
        check(
            r#"{"Attribute":[{"Tag":[{"name":"tlp:red"}]}]}"#,
            r#"{"Attribute":[{"Tag":[{"name":"tlp:red"}]}],"Tag":[{"name":"tlp:amber"}]}"#,
        );
    }

    #[test]
    fn what_was_said_in_an_exercise_leaves_with_its_tag() {
        let realm: model::Realm = "EX-BLUE-26".parse().unwrap();
        let out = |body: &str| {
            let item = (Tlp::Amber, MediaType::MispEvent, body.to_owned());
            let released = testing::released_in(&realm, vec![item]).map(|mut bodies| bodies.remove(0));
            String::from_utf8(event(&released).unwrap()).unwrap()
        };
        let both = r#"{"Tag":[{"name":"tlp:amber"},{"name":"entraide:exercise=\"EX-BLUE-26\""}]}"#;
        assert_eq!(out(r#"{"Tag":[]}"#), both);
        assert_eq!(out(both), both);
        let named = r#"{"Tag":[{"name":"tlp:red"},{"name":"exercise:cyber-europe=\"2016\""}]}"#;
        assert_eq!(out(named), named);
    }

    #[test]
    fn what_cannot_carry_its_tag_does_not_leave() {
        let refused = |media, body: &str| event(&released(Tlp::Amber, media, body)).unwrap_err();
        for body in [r#"{"Tag":{}}"#, r#"{"Tag":["tlp:red"]}"#, r#"{"Tag":null}"#, r#"{"Tag":[{}]}"#] {
            assert!(matches!(refused(MediaType::MispEvent, body), RenderError::Shape { .. }), "{body}");
        }
        assert_eq!(refused(MediaType::Stix, "{}"), RenderError::Media(MediaType::Stix));
    }

    #[test]
    fn an_export_holds_each_event_with_its_tag_and_says_how_many_it_leaves_out() {
        let item = |tlp: Tlp, media, body: &str| (tlp, media, body.to_owned());
        let given = testing::released_all(vec![
            item(Tlp::Green, MediaType::MispEvent, r#"{"info":"a"}"#),
            item(Tlp::Green, MediaType::Stix, "{}"),
            item(Tlp::Amber, MediaType::MispEvent, r#"{"Tag":{}}"#),
            item(Tlp::Amber, MediaType::MispEvent, r#"{"info":"b"}"#),
        ]);
        let (bytes, left_out) = events(&given);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let tags = |at: usize| value["response"][at]["Event"]["Tag"].clone();
        assert_eq!((left_out, value["response"].as_array().unwrap().len()), (2, 2));
        assert_eq!(tags(0), json!([{"name":"tlp:green"}]));
        assert_eq!(tags(1), json!([{"name":"tlp:amber"}]));
        let nothing = events(&testing::released_all(Vec::new()));
        assert_eq!(nothing, (br#"{"response":[]}"#.to_vec(), 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn taking_the_added_tag_away_gives_the_original(
            mut value in testing::object(),
            tags in proptest::option::of(proptest::collection::vec(
                proptest::sample::select(&["tlp:clear", "tlp:green", "tlp:amber", "osint:source-type"][..]), 0..4)),
            tlp in proptest::sample::select(&Tlp::ALL[..]),
            pretty in any::<bool>(),
        ) {
            let strict = tags.iter().flatten().filter_map(|tag| Tlp::of_tag(tag)).any(|inside| inside >= tlp);
            if let Some(tags) = &tags {
                value["Tag"] = tags.iter().map(|name| json!({ "name": name })).collect();
            }
            let body = testing::write(&value, pretty);
            let out = out(tlp, &body);
            if strict {
                prop_assert_eq!(out, body);
                return Ok(());
            }
            testing::is_one_insertion(&body, &out)?;
            let mut read: Value = serde_json::from_str(&out).unwrap();
            let added = read["Tag"].as_array_mut().unwrap().pop();
            prop_assert_eq!(added, Some(json!({ "name": tag_name(tlp) })));
            if tags.is_none() {
                prop_assert_eq!(read.as_object_mut().unwrap().remove("Tag"), Some(json!([])));
            }
            prop_assert_eq!(read, value);
        }
    }
}
