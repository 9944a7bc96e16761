//! The map of ARCHITECTURE.md as code: who may import whom, where SQL and the outside world are allowed, and how files look.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may import. A room that is missing here fails the test.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("policy", &["model"]),
    ("journal", &["model"]),
    ("intake", &["model"]),
    ("domain", &["model"]),
    ("detect", &[]),
    ("render", &["model", "policy"]),
    ("pages", &[]),
    ("store", &["model", "domain", "journal", "pages"]),
    ("node", &["model", "policy", "domain", "journal", "intake", "store"]),
    ("http", &["model", "policy", "render", "domain", "journal", "node", "intake", "store"]),
    ("entraide", &["model", "policy", "journal", "intake", "detect", "domain", "render", "store", "node", "http"]),
];

/// Rooms without clock, randomness, async, disk or network.
const PURE: &[&str] = &["model", "policy", "journal", "intake", "domain", "render", "detect"];

const LONGEST_FILE: usize = 800;
const LONGEST_LINE: usize = 130;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn files_below(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | ".git" | "node_modules") {
                files_below(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

fn sources(room: &str) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    files_below(&root.join("crates").join(room).join("src"), &[".rs"], &mut found);
    assert!(!found.is_empty(), "the room `{room}` has no source");
    let short = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    found.iter().map(|path| (short(path), fs::read_to_string(path).unwrap())).collect()
}

/// The part of a file before its unit tests: what the rules about production code look at.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_room_is_on_the_map_and_imports_only_what_it_may() {
    let mut faults = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !ROOMS.iter().any(|(room, _)| *room == name) {
            faults.push(format!("crates/{name} is not on the map"));
        }
    }
    let all: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    for (room, may) in ROOMS {
        let manifest = fs::read_to_string(root().join("crates").join(room).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or("");
        let dependencies = dependencies.split("\n[").next().unwrap_or("");
        for line in dependencies.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or("");
            let name = if name == "http-room" { "http" } else { name };
            if all.contains(&name) && !may.contains(&name) {
                faults.push(format!("crates/{room} imports {name}"));
            }
        }
    }
    report(&faults);
}

#[test]
fn pure_rooms_know_no_clock_disk_network_or_task() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "async ",
        ".await",
        "SystemTime",
        "Instant::now",
        "tokio",
        "rand::",
    ];
    let mut faults = Vec::new();
    for room in PURE {
        for (path, text) in sources(room) {
            for (number, line) in production(&text).lines().enumerate() {
                let code = line.split("//").next().unwrap_or("");
                for word in forbidden.iter().filter(|word| code.contains(**word)) {
                    faults.push(format!("{path}:{}: a pure room says `{word}`", number + 1));
                }
            }
        }
    }
    report(&faults);
}

#[test]
fn sql_is_spoken_in_the_store_alone() {
    let words = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE TABLE", "PRAGMA ", "rusqlite"];
    let mut faults = Vec::new();
    // `pages` opens the file for the store, and knows no table.
    for (room, _) in ROOMS.iter().filter(|(room, _)| !matches!(*room, "store" | "pages")) {
        for (path, text) in sources(room) {
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or("");
                for word in words.iter().filter(|word| code.contains(**word)) {
                    faults.push(format!("{path}:{}: `{word}` outside the store", number + 1));
                }
            }
        }
    }
    report(&faults);
}

#[test]
fn unsafe_is_written_in_the_two_modules_that_were_reviewed_for_it() {
    const REVIEWED: [&str; 2] = ["detect/src/wide.rs", "pages/src/shim.rs"];
    let mut faults = Vec::new();
    for (room, _) in ROOMS {
        for (path, text) in sources(room) {
            if !REVIEWED.iter().any(|reviewed| path.ends_with(reviewed)) && text.contains("unsafe_code") {
                faults.push(format!("{path}: allows `unsafe`"));
            }
        }
        let manifest = fs::read_to_string(root().join("crates").join(room).join("Cargo.toml")).unwrap();
        let forbids = manifest.contains("[lints]\nworkspace = true");
        if !forbids && !REVIEWED.iter().any(|reviewed| reviewed.starts_with(&format!("{room}/"))) {
            faults.push(format!("crates/{room} does not have the workspace's lints"));
        }
    }
    report(&faults);
}

#[test]
fn http_and_html_are_spoken_in_http_alone() {
    let words = ["axum::", "maud::", "rustls::", "hyper::"];
    let mut faults = Vec::new();
    for (room, _) in ROOMS.iter().filter(|(room, _)| !matches!(*room, "http" | "entraide")) {
        for (path, text) in sources(room) {
            for word in words.iter().filter(|word| text.contains(**word)) {
                faults.push(format!("{path}: `{word}` outside http"));
            }
        }
    }
    report(&faults);
}

#[test]
fn the_machine_is_read_in_one_file() {
    let mut faults = Vec::new();
    for (room, _) in ROOMS {
        for (path, text) in sources(room) {
            let may = path.ends_with("entraide/src/machine.rs");
            if !may && (production(&text).contains("SystemTime::now") || production(&text).contains("Timestamp::now")) {
                faults.push(format!("{path}: reads the machine's clock"));
            }
        }
    }
    report(&faults);
}

#[test]
fn files_say_what_they_are_for_and_stay_small() {
    let mut faults = Vec::new();
    for (room, _) in ROOMS {
        for (path, text) in sources(room) {
            if !text.starts_with("//!") {
                faults.push(format!("{path}: the first line does not say what the file is for"));
            }
            let lines = text.lines().count();
            if lines > LONGEST_FILE {
                faults.push(format!("{path}: {lines} lines, the most is {LONGEST_FILE}"));
            }
            for (number, line) in text.lines().enumerate() {
                if line.chars().count() > LONGEST_LINE {
                    faults.push(format!("{path}:{}: longer than {LONGEST_LINE}", number + 1));
                }
            }
            let name = Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
            if ["utils", "util", "common", "manager", "helper", "helpers", "misc"].contains(&name.as_str()) {
                faults.push(format!("{path}: a name that says nothing"));
            }
        }
    }
    report(&faults);
}

#[test]
fn nothing_is_left_over_and_words_are_the_fields() {
    let left = ["todo!", "unimplemented!", "FIXME", "XXX", "not implemented", "dbg!"];
    let avoided = ["fn get_", "ioc record", "user group", "peer list", "whitelist", "blacklist"];
    let mut faults = Vec::new();
    for (room, _) in ROOMS {
        for (path, text) in sources(room) {
            for (number, line) in text.lines().enumerate() {
                for word in left.iter().filter(|word| line.contains(**word)) {
                    faults.push(format!("{path}:{}: `{word}` is left over", number + 1));
                }
                let lower = line.to_lowercase();
                for word in avoided.iter().filter(|word| lower.contains(**word)) {
                    faults.push(format!("{path}:{}: avoid `{word}`", number + 1));
                }
            }
        }
    }
    report(&faults);
}

#[test]
fn nothing_names_the_place_where_it_was_written() {
    let root = root();
    let mut found = Vec::new();
    files_below(&root, &[".rs", ".md", ".toml", ".sh", ".yml", ".json", ".mjs", ".css", "Makefile", ".py"], &mut found);
    // Spelled in two halves, so that this file does not name it either.
    let places = [concat!("/wo", "rk/"), concat!("../sha", "red"), concat!(".libr", "ary")];
    let mut faults = Vec::new();
    for path in found {
        let text = fs::read_to_string(&path).unwrap_or_default();
        for place in places.iter().filter(|place| text.contains(**place)) {
            faults.push(format!("{}: names `{place}`", path.display()));
        }
    }
    report(&faults);
}

/// Documents name tests by their functions: a test that was renamed or taken away must not go on being promised.
#[test]
fn every_test_that_a_document_names_is_there() {
    let root = root();
    let (mut code, mut pages) = (Vec::new(), Vec::new());
    for folder in ["crates", "fuzz"] {
        files_below(&root.join(folder), &[".rs"], &mut code);
    }
    files_below(&root, &[".md"], &mut pages);
    let mut known = std::collections::HashSet::new();
    for path in code {
        let text = fs::read_to_string(path).unwrap();
        let named = text.split("fn ").skip(1).map(|rest| {
            rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect::<String>()
        });
        known.extend(named);
    }
    let letters =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let mut faults = Vec::new();
    for path in pages {
        let text = fs::read_to_string(&path).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            // Names of three words and more are those of tests; metrics begin with the program's name.
            let is_test = letters(word) && word.matches('_').count() >= 2 && !word.starts_with("entraide_");
            if is_test && !known.contains(word) {
                faults.push(format!("{} names the test `{word}`, which is not there", path.display()));
            }
        }
    }
    report(&faults);
}

#[test]
fn what_the_architecture_page_names_is_there() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(page.lines().count() <= 300, "ARCHITECTURE.md has at most 300 lines");
    let mut faults = Vec::new();
    for word in page.split('`').skip(1).step_by(2) {
        let is_path = word.starts_with("crates/") || word.starts_with("docs/") || word.starts_with("tools/");
        if is_path && !word.contains(['*', '…', '{']) && !root().join(word).exists() {
            faults.push(format!("ARCHITECTURE.md names `{word}`, which is not there"));
        }
    }
    for (room, _) in ROOMS {
        if !page.contains(&format!("`{room}`")) {
            faults.push(format!("ARCHITECTURE.md does not name the room `{room}`"));
        }
    }
    report(&faults);
}
