//! One binary for all targets: `ENTRAIDE_FUZZ` names the one to run (`tools/fuzz.sh`).
#![no_main]

#[path = "../entry/mod.rs"]
mod entry;

use std::sync::OnceLock;

use entry::{ENTRIES, Entry};

static CHOSEN: OnceLock<&Entry> = OnceLock::new();

/// Finds the target, and puts its seeds into the corpus before it is read.
fn choose() {
    let name = std::env::var("ENTRAIDE_FUZZ").expect("ENTRAIDE_FUZZ names a target");
    let entry = ENTRIES.iter().find(|entry| entry.name == name).expect("ENTRAIDE_FUZZ names a target of `entry`");
    if let Some(corpus) = std::env::var_os("ENTRAIDE_CORPUS") {
        for (number, seed) in (entry.seeds)().iter().enumerate() {
            let path = std::path::Path::new(&corpus).join(format!("seed-{number}"));
            std::fs::write(path, seed).expect("the corpus can be written");
        }
    }
    CHOSEN.get_or_init(|| entry);
}

libfuzzer_sys::fuzz_target!(init: choose(), |data: &[u8]| {
    (CHOSEN.get().expect("chosen before the first run").run)(data);
});
