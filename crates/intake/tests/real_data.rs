//! Real files, found through `ENTRAIDE_DATA`: every object of ATT&CK and of published MISP events gives a head, and its
//! bytes are those of the file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first thing that is not as expected")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use intake::{Kind, Limits, split};
use serde_json::Value;

/// The JSON files of a folder of real data, or `None` with a loud word.
fn files(folder: &str) -> Option<Vec<PathBuf>> {
    let Some(root) = std::env::var_os("ENTRAIDE_DATA") else {
        // Past the test harness's capture, since a skipped test looks like one that passed.
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: ENTRAIDE_DATA is not set: real ATT&CK and MISP files were not tried");
        return None;
    };
    let folder = Path::new(&root).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no JSON in {}", folder.display());
    Some(files)
}

/// Splits a file and compares every object with what an independent parser finds at the same place of the document.
fn check(path: &Path, expect: impl Fn(&Value) -> (Kind, Vec<&Value>)) -> usize {
    let file = std::fs::read(path).unwrap();
    let told = split(&file, Limits::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let document: Value = serde_json::from_slice(&file).unwrap();
    let (kind, objects) = expect(&document);
    assert_eq!(told.kind, kind, "{}", path.display());
    assert_eq!(told.items.len(), objects.len(), "{}", path.display());
    for (item, object) in told.items.iter().zip(objects) {
        let head = item.head.as_ref().unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
        assert_eq!(&file[item.offset..item.offset + item.span.len()], item.span);
        assert_eq!(serde_json::from_slice::<Value>(item.span).unwrap(), *object, "{}", head.id);
        let id = object["id"].as_str().filter(|id| id.contains("--")).or(object["uuid"].as_str()).unwrap();
        assert!(head.id.as_str().ends_with(id), "{} {id}", head.id);
        let name = object.get("name").or(object.get("info")).and_then(Value::as_str);
        if let (Some(name), Some(title)) = (name, &head.title) {
            assert!(name.trim().starts_with(title.as_str()), "{}", head.id);
        }
        assert!(head.title.is_some(), "{} has no title", head.id);
    }
    told.items.len()
}

#[test]
fn every_object_of_attack_is_read() {
    let Some(files) = files("attack") else { return };
    let mut objects = 0;
    for path in files {
        objects +=
            check(&path, |document| (Kind::StixBundle, document["objects"].as_array().unwrap().iter().collect()));
    }
    assert!(objects > 1_000, "{objects} objects are not all of ATT&CK");
}

#[test]
fn every_published_misp_event_is_read() {
    let Some(files) = files("misp") else { return };
    for path in files {
        let events = check(&path, |document| match document.get("response") {
            Some(response) => {
                (Kind::MispExport, response.as_array().unwrap().iter().map(|one| &one["Event"]).collect())
            }
            None => (Kind::MispEvent, vec![&document["Event"]]),
        });
        assert!(events > 0, "{}", path.display());
    }
}

#[test]
fn a_published_event_whose_attributes_are_tagged_otherwise_is_cut_into_valid_events_and_nothing_is_lost() {
    let Some(files) = files("misp") else { return };
    let mut cut_apart = 0;
    for path in files {
        let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let events: Vec<Value> = match document.get("response") {
            Some(response) => response.as_array().unwrap().iter().map(|one| one["Event"].clone()).collect(),
            None => vec![document["Event"].clone()],
        };
        for mut event in events {
            let before = pieces(&event).len();
            for (number, attribute) in event["Attribute"].as_array_mut().into_iter().flatten().enumerate() {
                let tag = ["tlp:clear", "tlp:green", "tlp:amber", "tlp:red"][number % 4];
                attribute["Tag"] = serde_json::json!([{ "name": tag }]);
            }
            let bytes = serde_json::to_vec(&event).unwrap();
            let cut = intake::cut(&bytes, model::Tlp::Green).unwrap();
            let mut after = Vec::new();
            for part in &cut.parts {
                let read: Value = serde_json::from_slice(&part.bytes).unwrap();
                is_event(&read, &event);
                let head = model::misp::head(&part.bytes).unwrap();
                assert_eq!(head.tlp, Some(part.tlp), "{}", path.display());
                after.extend(pieces(&read));
            }
            if !cut.parts.is_empty() {
                cut_apart += 1;
                assert_eq!(after.len(), before, "{}", path.display());
                let mut expect = pieces(&event);
                expect.sort();
                after.sort();
                assert_eq!(after, expect, "{}", path.display());
            }
        }
    }
    assert!(cut_apart > 5, "{cut_apart}");
}

/// The attributes, objects and reports of an event.
fn pieces(event: &Value) -> Vec<String> {
    let of = |name: &str| event[name].as_array().into_iter().flatten().map(Value::to_string).collect::<Vec<_>>();
    ["Attribute", "ShadowAttribute", "Object", "EventReport"].into_iter().flat_map(of).collect()
}

/// What MISP's own readers ask of an event: these properties of these types (MISP core format §2.2, §2.3).
fn is_event(part: &Value, whole: &Value) {
    for name in ["uuid", "info", "date", "timestamp", "Orgc", "threat_level_id", "analysis", "published"] {
        assert_eq!(part[name], whole[name], "{name} is that of the whole event");
    }
    for name in ["uuid", "info", "date"] {
        assert!(part[name].is_string(), "{name}");
    }
    for attribute in part["Attribute"].as_array().into_iter().flatten() {
        for name in ["uuid", "type", "category", "value"] {
            assert!(attribute[name].is_string(), "{name} of {attribute}");
        }
    }
    for tag in part["Tag"].as_array().unwrap() {
        assert!(tag["name"].is_string(), "{tag}");
    }
    let labels = part["Tag"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|tag| tag["name"].as_str().is_some_and(|name| name.to_ascii_lowercase().starts_with("tlp:")));
    assert_eq!(labels.count(), 1, "one label");
}
