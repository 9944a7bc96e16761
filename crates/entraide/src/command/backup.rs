//! `backup` and `restore`: on the machine itself, whether a node runs or not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use model::Timestamp;
use node::ports::{Clock, Signer};
use serde_json::json as object_of;
use zeroize::Zeroizing;

use super::Failure;
use super::failure::refused;
use super::print::{clean, json, line};
use crate::backup::{self, Archive, ArchiveHead, Found, Wanted};
use crate::configuration;
use crate::keys::{Layout, read_small};
use crate::limits;
use crate::machine::MachineRandom;
use crate::purge_list;
use crate::restore::{self, Outcome, Parts, Scratch};
use crate::signer::Onlooker;

/// `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A directory in which each backup is a directory of its own; with --keys the new file
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// Back up the keys, and what must not be kept for long, into one encrypted file
    #[arg(long, requires = "passphrase_file")]
    keys: bool,
    /// The file whose first line is the passphrase of the archive of keys
    #[arg(long, value_name = "FILE", requires = "keys")]
    passphrase_file: Option<PathBuf>,
    /// Days after which the archive of keys is to be deleted
    #[arg(long, value_name = "N", requires = "keys", default_value_t = limits::ARCHIVE_DAYS)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
}

/// `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A backup, or the directory of all of them: then the newest
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The newest backup of this moment or before: 2026-11-25T02:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    /// The newest backup with at most N entries of our log
    #[arg(long, value_name = "N")]
    size: Option<u64>,
    /// The archive of keys: the newest that there is
    #[arg(long, value_name = "FILE", requires = "passphrase_file")]
    keys: Option<PathBuf>,
    /// The file whose first line is its passphrase
    #[arg(long, value_name = "FILE", requires = "keys")]
    passphrase_file: Option<PathBuf>,
    /// The purge list of the node that was: what stands on it is not brought back
    #[arg(long, value_name = "FILE")]
    purge_list: Option<PathBuf>,
    /// The purge list is lost: bring back whatever the archive of keys still opens
    #[arg(long, conflicts_with = "purge_list")]
    without_purge_list: bool,
    /// The signer's file of this very machine, if it is still there; never one from a backup
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    signer: Option<PathBuf>,
    /// Rehearse: restore into a temporary directory (TMPDIR), check everything, remove it again
    #[arg(long)]
    check: bool,
}

/// A moment as people write it: seconds may be left out.
fn moment(text: &str) -> Result<Timestamp, String> {
    let whole = match text.strip_suffix('Z') {
        Some(short) if short.len() == 16 => format!("{short}:00Z"),
        _ => text.to_owned(),
    };
    whole.parse().map_err(|_| "write a moment in UTC, such as 2026-11-25T02:00Z".to_owned())
}

pub(super) fn backup(dir: &Path, args: &BackupArgs, clock: &dyn Clock, as_json: bool) -> Result<(), Failure> {
    let layout = Layout::new(dir);
    let onlooker = Onlooker::open(&layout).map_err(refused)?;
    let now = clock.now();
    if let Some(file) = args.passphrase_file.as_ref().filter(|_| args.keys) {
        return keys(&layout, &onlooker, args, &passphrase(file)?, now, as_json);
    }
    let (path, manifest) = backup::back_up(&layout, &onlooker, &args.to, now).map_err(refused)?;
    if as_json {
        return json(&object_of!({
            "path": path, "origin": manifest.origin.to_string(), "made": manifest.made.to_string(),
            "size": manifest.size, "statements": manifest.statements,
            "bytes": manifest.parts.iter().map(|part| part.bytes).sum::<u64>(),
        }));
    }
    line(&format!("backup      {}", path.display()))?;
    line(&format!("holds       {} entries of our log, {} statements", manifest.size, manifest.statements))?;
    line(
        "Bodies in it are sealed, and their keys are not in it: `entraide backup --keys` takes those, to be kept apart.",
    )
}

fn keys(
    layout: &Layout,
    onlooker: &Onlooker,
    args: &BackupArgs,
    passphrase: &[u8],
    now: Timestamp,
    as_json: bool,
) -> Result<(), Failure> {
    let delete = Timestamp::from_micros(now.micros().saturating_add(i64::from(args.days) * 86_400_000_000));
    let head = ArchiveHead { origin: onlooker.identity.origin.clone(), made: now, delete };
    let mut random = MachineRandom::new().map_err(refused)?;
    let count = backup::archive_keys(layout, &head, &args.to, passphrase, &mut random).map_err(refused)?;
    if as_json {
        return json(&object_of!({ "path": args.to, "keys": count, "delete": delete.to_string() }));
    }
    line(&format!("keys        {} ({count} keys of bodies)", args.to.display()))?;
    line(&format!("delete it   by {delete}, after you have made the next one"))?;
    line("Whatever is purged from now on can be read with this file and a backup, until the file is deleted.")
}

fn passphrase(file: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = Zeroizing::new(read_small(file).map_err(refused)?);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = first.strip_suffix(b"\r").unwrap_or(first);
    if first.len() < limits::PASSPHRASE_BYTES {
        let least = limits::PASSPHRASE_BYTES;
        return Err(Failure::Refused(format!(
            "the first line of `{}` is shorter than {least} letters: choose a longer passphrase",
            file.display()
        )));
    }
    Ok(Zeroizing::new(first.to_vec()))
}

pub(super) fn restore(
    dir: Option<&Path>,
    args: &RestoreArgs,
    clock: &Arc<dyn Clock>,
    as_json: bool,
) -> Result<(), Failure> {
    let began = clock.now();
    let found = backup::find(&args.from, Wanted { at: args.at, size: args.size }).map_err(refused)?;
    let archive = match (&args.keys, &args.passphrase_file) {
        (Some(file), Some(secret)) => Some(Archive::open(file, &passphrase(secret)?).map_err(refused)?),
        (_, _) => None,
    };
    let late = archive.as_ref().map(|archive| archive.head.delete).filter(|delete| *delete < began);
    let purge_list = purge_list_of(dir, args)?;
    let purges = match &purge_list {
        Some(path) => purge_list::read(path).map_err(refused)?,
        None => Vec::new(),
    };
    let parts = Parts { found: &found, archive, purges: &purges };
    let with_keys = parts.archive.is_some();
    let outcome = if args.check {
        let name = format!("entraide-rehearsal-{}", std::process::id());
        let scratch = Scratch::new(std::env::temp_dir().join(name)).map_err(refused)?;
        restore::rehearse(parts, &scratch).map_err(refused)?
    } else {
        let dir = dir.ok_or_else(|| Failure::Usage("`restore` needs a new directory: --dir D".to_owned()))?;
        if !with_keys {
            return Err(Failure::Usage("`restore` needs the archive of keys: --keys FILE".to_owned()));
        }
        let layout = Layout::new(dir);
        restore::restore(parts, &layout, purge_list.as_deref(), args.signer.as_deref()).map_err(refused)?
    };
    let took = clock.now().micros() - began.micros();
    let story = Story { found: &found, outcome: &outcome, with_keys, took, late, signed: signed(dir, args) };
    story.tell(args, as_json)?;
    if outcome.report.faults.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// Which purge list is applied. A rehearsal beside a node takes that node's.
fn purge_list_of(dir: Option<&Path>, args: &RestoreArgs) -> Result<Option<PathBuf>, Failure> {
    if args.purge_list.is_some() || args.without_purge_list {
        return Ok(args.purge_list.clone());
    }
    if let Some(dir) = dir.filter(|_| args.check) {
        let path = configuration::purge_list(&Layout::new(dir)).map_err(refused)?;
        return Ok(path.is_file().then_some(path));
    }
    if args.check {
        return Ok(None);
    }
    Err(Failure::Usage(
        "`restore` needs the purge list of the node that was: --purge-list FILE, or --without-purge-list if it is lost"
            .to_owned(),
    ))
}

/// How far the node beside a rehearsal has signed.
fn signed(dir: Option<&Path>, args: &RestoreArgs) -> Option<u64> {
    let dir = dir.filter(|_| args.check)?;
    Some(Onlooker::open(&Layout::new(dir)).ok()?.mark()?.size)
}

/// What a restore or a rehearsal came to.
struct Story<'a> {
    found: &'a Found,
    outcome: &'a Outcome,
    with_keys: bool,
    took: i64,
    /// When the archive of keys was to be deleted, if that is past.
    late: Option<Timestamp>,
    signed: Option<u64>,
}

impl Story<'_> {
    fn tell(&self, args: &RestoreArgs, as_json: bool) -> Result<(), Failure> {
        let (restored, report, manifest) = (&self.outcome.restored, &self.outcome.report, &self.found.manifest);
        let missing = self.signed.map(|signed| signed.saturating_sub(restored.size));
        if as_json {
            return json(&object_of!({
                "backup": self.found.path, "origin": manifest.origin.to_string(), "made": manifest.made.to_string(),
                "size": restored.size, "statements": report.statements, "entries": report.entries,
                "purged": restored.purged, "without_key": restored.keyless.own + restored.keyless.partners,
                "unfit": restored.rebuilt.unfit, "to_recover": missing, "micros": self.took, "faults": report.faults,
            }));
        }
        for fault in &report.faults {
            line(&clean(fault))?;
        }
        line(&format!("backup      {} of {}", self.found.path.display(), manifest.made))?;
        line(&format!("log         {} entries of ours, {} of all logs", restored.size, report.entries))?;
        line(&format!("statements  {} folded, {} kept raw", restored.rebuilt.folded, restored.rebuilt.unfit))?;
        line(&format!("purged      {} bodies were in the backup and on the purge list", restored.purged))?;
        if self.with_keys {
            let keyless = &restored.keyless;
            line(&format!("no key      {} bodies of ours, {} of partners'", keyless.own, keyless.partners))?;
        } else {
            line("bodies      not opened: no archive of keys was given")?;
        }
        if let Some(late) = self.late {
            line(&format!(
                "The archive of keys was to be deleted by {late}: what was purged before that is in danger."
            ))?;
        }
        self.next(args, missing)?;
        let millis = self.took / 1_000;
        line(&format!("took        {}.{:03} s, {} faults", millis / 1_000, millis % 1_000, report.faults.len()))
    }

    fn next(&self, args: &RestoreArgs, missing: Option<u64>) -> Result<(), Failure> {
        let since = "what was said and heard since then";
        match (args.check, missing) {
            (true, Some(missing)) => line(&format!(
                "rehearsed   and removed again; a real restore would have {missing} entries of ours to get back from partners"
            )),
            (true, None) => line(&format!("rehearsed   and removed again; {since} would have to come from partners")),
            (false, _) => {
                line(&format!("restored    {since} has to come from partners: start the node, then `status`"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_seconds() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(moment(text).ok().map(|at| at.to_string()).as_deref(), expect, "{text}");
        };
        check("2026-11-25T02:00Z", Some("2026-11-25T02:00:00.000000Z"));
        check("2026-11-25T02:00:07Z", Some("2026-11-25T02:00:07.000000Z"));
        check("2026-11-25T02:00:07.5Z", Some("2026-11-25T02:00:07.500000Z"));
        check("2026-11-25", None);
        check("yesterday", None);
    }
}
