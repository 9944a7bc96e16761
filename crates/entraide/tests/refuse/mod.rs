//! A disk that refuses: `refuse.c` is built once and preloaded before the real binary, so that one call after the other
//! that changes a file fails, on every file of the node alike (database, write-ahead file, mark, keys, lists, backups).
//! Why not `fiu-run` alone: its points fail by chance or always, and know no files; in turn means the n-th call, and a
//! pipe or a socket that fails is no disk. `fiu-run` is used where it fits, around a node that serves.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::program::Did;

/// How calls fail.
pub const HOWS: [&str; 4] = ["full", "short", "once", "dead"];
/// A scenario that makes more calls than this does not end.
const MOST_CALLS: usize = 5_000;

/// One point of the disk at which it refuses.
#[derive(Debug, Clone, Copy)]
pub struct Refusal {
    /// The number of the first call that fails, from 1.
    pub from: usize,
    /// How it fails: one of [`HOWS`].
    pub how: &'static str,
}

/// Says at which point it was if an attempt panics, whatever the panic itself says.
struct Told(Refusal);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was met by {:?}", self.0);
        }
    }
}

/// The library, or `None` where there is no C compiler; then the reason was said.
pub fn library() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("refuse.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refuse/refuse.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let made = Command::new(compiler).args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).output();
        match made {
            Ok(made) if made.status.success() => Some((dir, library)),
            Ok(made) => panic!("refuse.c does not compile: {}", String::from_utf8_lossy(&made.stderr)),
            Err(error) => {
                println!("SKIPPED: no C compiler ({error}): no write was refused");
                None
            }
        }
    });
    built.as_ref().map(|(_, library)| library.as_path())
}

/// Lets a command meet the refusal below a directory; also says how many calls it made there.
pub fn meet(command: &mut Command, below: &Path, refusal: Option<Refusal>) -> (Did, usize) {
    let count = tempfile::NamedTempFile::new().unwrap();
    let library = library().expect("asked for before");
    command.env("LD_PRELOAD", library).env("REFUSE_DIR", below).env("REFUSE_COUNT", count.path());
    command.env("REFUSE_FROM", refusal.map_or(0, |one| one.from).to_string());
    command.env("REFUSE_HOW", refusal.map_or("dead", |one| one.how));
    let did = Did::of(&command.output().unwrap());
    let told = fs::read_to_string(count.path()).unwrap();
    let calls = told.trim().parse();
    let calls = calls.unwrap_or_else(|_| panic!("{refusal:?}: it did not end in order: {}", did.err));
    (did, calls)
}

/// Tries one point after the other until the command goes through without meeting one ("until done"): the engine's own
/// torture. `stride` leaves points out; with `ENTRAIDE_REFUSALS=all` none is, and each fails in every way.
/// Says how many points were met.
pub fn in_turn(stride: usize, mut attempt: impl FnMut(Refusal) -> usize) -> usize {
    let all = std::env::var("ENTRAIDE_REFUSALS").is_ok_and(|which| which == "all");
    let stride = if all { 1 } else { stride };
    let mut met = 0;
    for (turn, from) in (1..MOST_CALLS).step_by(stride).enumerate() {
        let hows = if all { &HOWS[..] } else { &HOWS[turn % HOWS.len()..=turn % HOWS.len()] };
        let mut done = true;
        for how in hows {
            let refusal = Refusal { from, how };
            let told = Told(refusal);
            let calls = attempt(refusal);
            drop(told);
            done &= calls < from;
            met += usize::from(calls >= from);
        }
        if done {
            return met;
        }
    }
    panic!("not done after {MOST_CALLS} calls");
}

/// A directory for one attempt. In memory if the machine has such: what a disk does when it is asked to sync is not what
/// is tried here, and thousands of syncs would take minutes.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A directory as another one is.
pub fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
}
