//! Data of an exercise stays in it: the mark that every exported object of an exercise carries, looked for in what arrives.

use model::MediaType;
use model::exercise::{EXERCISE_MARKING, is_exercise_tag};
use serde::Deserialize;

/// An object that carries the mark of an exercise, on its way into reality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is exercise data: nothing of an exercise enters the real realm. Give it to the exercise with --realm EX-…; \
     if it is real, have its author send it without the exercise's mark"
)]
pub struct ExerciseError;

/// Looks for the mark: of a STIX object the exercise's marking definition (on the whole, on a part, or the definition
/// itself), of a MISP event a tag of the taxonomy `exercise` or of ours, on the event or on an attribute.
///
/// What merely speaks of exercises passes: a text is no mark.
///
/// # Errors
/// The object carries the mark.
pub fn check(media: MediaType, span: &[u8]) -> Result<(), ExerciseError> {
    if !may_be_marked(span) {
        return Ok(());
    }
    let marked = match media {
        MediaType::Stix => serde_json::from_slice::<Stix>(span).is_ok_and(|object| object.is_marked()),
        MediaType::MispEvent => serde_json::from_slice::<Event>(span).is_ok_and(|event| event.is_marked()),
    };
    if marked { Err(ExerciseError) } else { Ok(()) }
}

/// Nearly everything that arrives holds neither the mark's letters nor an escape that could spell them.
fn may_be_marked(span: &[u8]) -> bool {
    let holds = |needle: &[u8]| span.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle));
    // The last group of the marking's UUID: nothing else has it.
    let group = EXERCISE_MARKING.rsplit('-').next().unwrap_or_default();
    holds(b"exercise") || holds(b"\\u") || holds(group.as_bytes())
}

#[derive(Deserialize)]
struct Stix {
    #[serde(default)]
    id: String,
    #[serde(default)]
    object_marking_refs: Vec<String>,
    #[serde(default)]
    granular_markings: Vec<Granular>,
}

#[derive(Deserialize)]
struct Granular {
    #[serde(default)]
    marking_ref: String,
}

impl Stix {
    fn is_marked(&self) -> bool {
        let parts = self.granular_markings.iter().map(|part| &part.marking_ref);
        self.object_marking_refs.iter().chain(parts).chain([&self.id]).any(|id| id == EXERCISE_MARKING)
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "Tag")]
    tags: Vec<Tag>,
    #[serde(default, rename = "Attribute")]
    attributes: Vec<Tagged>,
    #[serde(default, rename = "Object")]
    objects: Vec<Composed>,
}

#[derive(Deserialize)]
struct Composed {
    #[serde(default, rename = "Attribute")]
    attributes: Vec<Tagged>,
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(default, rename = "Tag")]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(default)]
    name: String,
}

impl Event {
    fn is_marked(&self) -> bool {
        let composed = self.objects.iter().flat_map(|object| &object.attributes);
        let inside = self.attributes.iter().chain(composed).flat_map(|attribute| &attribute.tags);
        self.tags.iter().chain(inside).any(|tag| is_exercise_tag(&tag.name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marked_objects_are_told_from_those_that_speak_of_exercises() {
        let check =
            |media, body: &str, marked: bool| assert_eq!(check(media, body.as_bytes()).is_err(), marked, "{body}");
        let stix = |body: String, marked| check(MediaType::Stix, &body, marked);
        stix(format!(r#"{{"type":"tool","object_marking_refs":["x","{EXERCISE_MARKING}"]}}"#), true);
        stix(format!(r#"{{"granular_markings":[{{"marking_ref":"{EXERCISE_MARKING}","selectors":["name"]}}]}}"#), true);
        stix(format!(r#"{{"type":"marking-definition","id":"{EXERCISE_MARKING}"}}"#), true);
        stix(format!(r#"{{"object_marking_refs":["{}"]}}"#, EXERCISE_MARKING.replace('-', "\\u002d")), true);
        stix(format!(r#"{{"description":"see {EXERCISE_MARKING}"}}"#), false);
        stix(r#"{"name":"exercise: nothing real"}"#.to_owned(), false);
        let misp = |body: &str, marked| check(MediaType::MispEvent, body, marked);
        misp(r#"{"Tag":[{"name":"tlp:green"},{"name":"entraide:exercise=\"EX-BLUE-26\""}]}"#, true);
        misp(r#"{"Attribute":[{"Tag":[{"name":"exercise:cyber-europe=\"2016\""}]}]}"#, true);
        misp(r#"{"Object":[{"Attribute":[{"Tag":[{"name":"EXERCISE:generic"}]}]}]}"#, true);
        misp(r#"{"info":"exercise: x","Tag":[{"name":"tlp:green"}]}"#, false);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), stix in any::<bool>()) {
            let media = if stix { MediaType::Stix } else { MediaType::MispEvent };
            let _ = check(media, &bytes);
        }
    }
}
