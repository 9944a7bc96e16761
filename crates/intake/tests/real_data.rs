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
