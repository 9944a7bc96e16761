//! `doctor`: what an operator should know before it hurts. Warnings leave the exit code at 0; what is wrong makes it 1.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use model::Timestamp;
use node::ports::{Clock, Signer};
use serde::Serialize;
use store::{Store, StoreError};

use super::Failure;
use super::print::{clean, json, table};
use super::proofs::against_mark;
use super::shapes::{Partner, Status};
use crate::client::{Ask, Client};
use crate::keys::{Kind, Layout};
use crate::limits;
use crate::signer::{Onlooker, signer_socket};

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Good,
    Warning,
    Wrong,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Wrong => "WRONG",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    check: &'static str,
    outcome: Outcome,
    says: String,
}

fn good(check: &'static str, says: impl Into<String>) -> Check {
    Check { check, outcome: Outcome::Good, says: says.into() }
}
fn warning(check: &'static str, says: impl Into<String>) -> Check {
    Check { check, outcome: Outcome::Warning, says: says.into() }
}
fn wrong(check: &'static str, says: impl Into<String>) -> Check {
    Check { check, outcome: Outcome::Wrong, says: says.into() }
}

/// The first commit of the project: no honest clock shows less.
const PROJECT_BEGAN: Timestamp = Timestamp::from_seconds(1_795_478_400);

pub(super) async fn doctor(dir: &Path, clock: Arc<dyn Clock>, as_json: bool) -> Result<(), Failure> {
    let layout = Layout::new(dir);
    if !layout.is_node() {
        return Err(super::failure::refused(crate::keys::KeysError::NoNode(dir.display().to_string())));
    }
    let mut checks = vec![permissions(&layout)];
    match Onlooker::open(&layout) {
        Ok(onlooker) => {
            checks.push(root_key(&layout, &onlooker));
            checks.extend(database(&layout, &onlooker, clock.now()));
        }
        Err(error) => checks.push(wrong("keys", error.to_string())),
    }
    checks.push(disk(dir));
    checks.extend(running(dir, clock).await);
    if as_json {
        json(&checks)?;
    } else {
        let row = |check: &Check| vec![check.outcome.word().to_owned(), check.check.to_owned(), clean(&check.says)];
        table(&checks.iter().map(row).collect::<Vec<_>>())?;
    }
    if checks.iter().any(|check| check.outcome == Outcome::Wrong) { Err(Failure::Told) } else { Ok(()) }
}

/// Nobody but the node's own user may read keys, database or socket.
fn permissions(layout: &Layout) -> Check {
    let mut private: Vec<PathBuf> = vec![layout.dir().to_owned(), layout.keys(), layout.identity(), layout.tls_key()];
    match signer_socket(layout) {
        // What the signer has is in its own directory, which is none of the node's business.
        Ok(Some(_)) => private.push(layout.key(Kind::Mandate)),
        Ok(None) => {
            private.push(layout.signer());
            private.extend(Kind::ONLINE.iter().map(|kind| layout.key(*kind)));
        }
        Err(error) => return wrong("permissions", error.to_string()),
    }
    let mut open = Vec::new();
    for path in &private {
        match fs::metadata(path) {
            Ok(facts) if facts.permissions().mode() & 0o077 != 0 => open.push(path.display().to_string()),
            Ok(_) => {}
            Err(error) => return wrong("permissions", format!("`{}`: {error}", path.display())),
        }
    }
    if open.is_empty() {
        return good("permissions", "directory and keys are the node's own");
    }
    wrong("permissions", format!("others may use {}: chmod go-rwx them, and change the keys", open.join(", ")))
}

fn root_key(layout: &Layout, onlooker: &Onlooker) -> Check {
    if !onlooker.identity.origin.realm().is_real() {
        return good("root key", "the exercise's own: it signs for nothing real, and goes with the exercise");
    }
    let path = layout.root_key(onlooker.identity.origin.root());
    if path.symlink_metadata().is_ok() {
        return warning("root key", format!("`{}` is still here: take it offline, then delete it", path.display()));
    }
    good("root key", "not on this machine's node directory")
}

fn database(layout: &Layout, onlooker: &Onlooker, now: Timestamp) -> Vec<Check> {
    if !layout.database().is_file() {
        return vec![wrong("database", format!("`{}` is missing: restore it", layout.database().display()))];
    }
    let read = || -> Result<(Option<String>, Option<Timestamp>), StoreError> {
        let mut reader = Store::open(layout.dir())?.reader()?;
        reader.snapshot(|db| {
            let newest = db.partners()?.iter().filter_map(|partner| partner.heard).max();
            Ok((against_mark(db, onlooker)?, newest))
        })
    };
    match read() {
        Err(error) => vec![wrong("database", error.to_string())],
        Ok((fault, heard)) => {
            let signed = onlooker.mark().map_or(0, |mark| mark.size);
            vec![
                match fault {
                    Some(fault) => wrong("signer", fault),
                    None => good("signer", format!("{signed} entries signed, and the database has them")),
                },
                clock_check(now, heard),
            ]
        }
    }
}

/// A clock that is behind what was written down already was set back, or is wrong.
fn clock_check(now: Timestamp, heard: Option<Timestamp>) -> Check {
    if now < PROJECT_BEGAN {
        return wrong("clock", format!("it shows {now}, which can't be: set it (NTP)"));
    }
    match heard {
        Some(heard) if heard.plus_seconds(-300) > now => {
            wrong("clock", format!("it shows {now}, but a partner was heard at {heard}: it was set back"))
        }
        Some(_) | None => good("clock", now.to_string()),
    }
}

/// Free space, as `df` tells it: the standard library doesn't.
fn disk(dir: &Path) -> Check {
    let told = Command::new("df").arg("-Pk").arg("--").arg(dir).output();
    let free = told.ok().and_then(|told| free_bytes(&String::from_utf8_lossy(&told.stdout)));
    let size: u64 = ["entraide.db", "entraide.db-wal"]
        .iter()
        .filter_map(|name| fs::metadata(dir.join(name)).ok())
        .map(|facts| facts.size())
        .sum();
    let mebibytes = |bytes: u64| format!("{} MiB", bytes / (1024 * 1024));
    match free {
        None => warning("disk", "free space is not known: `df` gave no answer"),
        Some(free) if free < limits::FREE_BYTES => {
            wrong("disk", format!("{} free, the database has {}: make room", mebibytes(free), mebibytes(size)))
        }
        Some(free) => good("disk", format!("{} free, the database has {}", mebibytes(free), mebibytes(size))),
    }
}

/// The fourth column of `df -P` (POSIX.1-2024, df), in KiB.
fn free_bytes(told: &str) -> Option<u64> {
    let last = told.lines().last()?;
    let kibibytes: u64 = last.split_whitespace().nth(3)?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// What only the running node knows.
async fn running(dir: &Path, clock: Arc<dyn Clock>) -> Vec<Check> {
    let client = match Client::of_dir(dir, clock).await {
        Ok(client) => client,
        Err(error) => return vec![wrong("node", error.to_string())],
    };
    let runs = client.is_served();
    let status = client.value::<Status>(&Ask::get("/status")).await;
    client.close().await;
    match status {
        Err(error) => vec![wrong("node", error.to_string())],
        Ok(_) if !runs => vec![warning("node", "it opens, but does not run: start it with `entraide serve`")],
        Ok(status) => {
            let runs = match &status.log.why {
                Some(why) => wrong("node", why.clone()),
                None => good("node", format!("runs, {} entries signed", status.log.size)),
            };
            let mut checks = vec![runs];
            checks.extend(status.clock.iter().map(|clock| wrong("clock", clock.words())));
            checks.extend(status.partners.iter().filter_map(partner));
            checks
        }
    }
}

fn partner(partner: &Partner) -> Option<Check> {
    let says = format!("{} {}", partner.country, partner.standing());
    match (partner.state.as_str(), partner.lag.state.as_str()) {
        ("active", "in-step" | "behind" | "unknown") => Some(good("partner", says)),
        ("active" | "held", _) => Some(warning("partner", says)),
        ("proposed" | "awaiting-confirmation", _) => Some(warning("partner", format!("{says}: confirm it"))),
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_is_wrong() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let check = |now: &str, heard: Option<&str>, expect: Outcome| {
            assert_eq!(clock_check(at(now), heard.map(at)).outcome, expect, "{now}");
        };
        check("2030-01-01T00:00:00.000000Z", None, Outcome::Good);
        check("2030-01-01T00:00:00.000000Z", Some("2030-01-01T00:04:00.000000Z"), Outcome::Good);
        check("2030-01-01T00:00:00.000000Z", Some("2030-01-01T01:00:00.000000Z"), Outcome::Wrong);
        check("1970-01-01T00:00:00.000000Z", None, Outcome::Wrong);
    }

    #[test]
    fn free_space_is_read_from_df() {
        let told = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 100 60 40 60% /\n";
        assert_eq!(free_bytes(told), Some(40 * 1024));
        assert_eq!(free_bytes("df: no such file\n"), None);
        assert_eq!(free_bytes(""), None);
    }
}
