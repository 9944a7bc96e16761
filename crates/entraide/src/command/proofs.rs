//! `verify` and `verify-proof`: offline, with nothing but files and keys.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;
use journal::log_keys::LogKeys;
use journal::note::NoteVerifier;
use journal::proof::{ProofFile, ProvenStatement};
use journal::{envelope, note};
use model::{Origin, Timestamp, bytes::hex};
use node::ports::Signer;
use node::verify::Report;
use serde_json::json as object_of;
use sha2::{Digest, Sha256};
use store::{Db, Store, StoreError};

use super::Failure;
use super::failure::refused;
use super::print::{clean, json, line};
use crate::keys::{Layout, read_small};
use crate::signer::Onlooker;

/// `verify-proof`.
#[derive(Debug, Args)]
pub struct VerifyProofArgs {
    /// The proof's file; - is standard input
    file: PathBuf,
    /// Keys of logs that you trust, a note key a line, such as the `log.pub` of a node's directory
    #[arg(long, value_name = "K")]
    keys: PathBuf,
    /// Refuse a proof that fewer of the witnesses among those keys have cosigned
    #[arg(long, default_value_t = 0, value_name = "N")]
    witnesses: usize,
}

pub(super) fn verify(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let layout = Layout::new(dir);
    let onlooker = Onlooker::open(&layout).map_err(refused)?;
    if !layout.database().is_file() {
        return Err(Failure::Refused(format!("the database `{}` is missing: restore it", layout.database().display())));
    }
    let store = Store::open(dir).map_err(refused)?;
    let mut reader = store.reader().map_err(refused)?;
    let mut report = reader.snapshot(|db| check(db, &onlooker)).map_err(refused)?;
    if report.faults.is_empty() {
        // What is damaged cannot be folded again: the views are looked at when their ground holds.
        report.faults = views(&store, &layout, &onlooker)?;
    }
    if as_json {
        json(&object_of!({
            "logs": report.logs, "entries": report.entries, "statements": report.statements, "faults": report.faults,
        }))?;
    } else {
        for fault in &report.faults {
            line(&clean(fault))?;
        }
        line(&format!(
            "verified: {} logs, {} entries, {} statements, {} faults",
            report.logs,
            report.entries,
            report.statements,
            report.faults.len()
        ))?;
    }
    if report.faults.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// Compares the views with what the statements give, on a copy, so that a running node goes on.
fn views(store: &Store, layout: &Layout, onlooker: &Onlooker) -> Result<Vec<String>, Failure> {
    let copy = Copy::new(layout.verifying()).map_err(refused)?;
    store.copy_into(&copy.0).map_err(refused)?;
    node::verify::views::verify(&copy.0, onlooker.signed.clone(), onlooker).map_err(refused)
}

/// A directory for a copy. It holds what the database holds, so it goes whatever happens, and one that a killed
/// process left goes first.
struct Copy(PathBuf);

impl Copy {
    fn new(path: PathBuf) -> std::io::Result<Self> {
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "the copy could not be removed: remove it");
        }
    }
}

/// Everything that the database claims, and that it extends what was signed last.
fn check(db: &Db<'_>, onlooker: &Onlooker) -> Result<Report, StoreError> {
    let own = &onlooker.identity;
    let mut keys: HashMap<Origin, LogKeys> = HashMap::new();
    for partner in db.partners()? {
        let of = node::identities::log_keys(db, &partner)?;
        keys.insert(partner.origin, of);
    }
    if let Ok(of) = LogKeys::of(own, []) {
        keys.insert(own.origin.clone(), of);
    }
    for (log, origin) in db.logs()? {
        if let Some(of) = node::identities::former_log_keys(db, own, log)? {
            keys.insert(origin, of);
        }
    }
    let mut report = node::verify::verify(db, onlooker, |origin| keys.get(origin).cloned())?;
    if let Some(fault) = against_mark(db, onlooker)? {
        report.faults.push(fault);
    }
    Ok(report)
}

/// What the signer's file says of the own log and the database does not.
pub(super) fn against_mark(db: &Db<'_>, onlooker: &Onlooker) -> Result<Option<String>, StoreError> {
    if onlooker.is_unknown() {
        return Ok(Some("it is not known what was signed last: see `entraide recover`".to_owned()));
    }
    let Some(mark) = onlooker.mark() else { return Ok(None) };
    let Some(log) = db.log_id(&mark.origin)? else {
        return Ok(Some(format!("{}: the signer has signed {} entries, here is none", mark.origin, mark.size)));
    };
    let size = db.tree(log)?.size;
    if size < mark.size {
        let older = "this database is older than what was said: start the node, and see `entraide recover`";
        return Ok(Some(format!(
            "{}: the signer has signed {} entries, here are {size}: {older}",
            mark.origin, mark.size
        )));
    }
    Ok(match journal::tree::root_at(&db.tiles(log), mark.size) {
        Ok(root) if root == mark.root => None,
        Ok(_) => Some(format!("{}: the signer has signed another log of {} entries", mark.origin, mark.size)),
        Err(error) => Some(format!("{}: the tree of {} entries can't be read: {error}", mark.origin, mark.size)),
    })
}

pub(super) fn verify_proof(args: &VerifyProofArgs, as_json: bool) -> Result<(), Failure> {
    let keys = keys(&args.keys)?;
    let text = read_proof(&args.file)?;
    let file = ProofFile::read(&text).map_err(|error| at(&args.file, &error))?;
    let proven = file.verify(&keys).map_err(|error| at(&args.file, &error))?.into_inner();
    if proven.cosigned.len() < args.witnesses {
        let (found, wanted) = (proven.cosigned.len(), args.witnesses);
        return Err(at(&args.file, &format!("{found} known witnesses have cosigned it, and {wanted} were asked for")));
    }
    let text = String::from_utf8_lossy(&read_small(&args.keys).map_err(refused)?).into_owned();
    let (origin, index) = (file.extra.origin.to_string(), file.index.0);
    let covers = |(of, from, to): &(String, u64, u64)| *of == origin && (*from..*to).contains(&index);
    let repudiated = note::read_repudiated(&text).iter().any(covers);
    tell(&file.extra.origin, &proven, repudiated, as_json)
}

/// Reads a file of keys.
pub(super) fn keys(path: &Path) -> Result<Vec<NoteVerifier>, Failure> {
    let text = String::from_utf8(read_small(path).map_err(refused)?)
        .map_err(|_| Failure::Refused(format!("`{}` is not a file of keys: it is no text", path.display())))?;
    note::read_keys(&text).map_err(|error| at(path, &error))
}

/// When a witness cosigned.
fn moment(seconds: u64) -> String {
    Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(0)).to_string()
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(format!("`{}`: {error}", path.display()))
}

fn read_proof(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    // One byte more than a proof may have: the reader of proofs then says that it is too large.
    let most = journal::limits::PROOF_BYTES as u64 + 1;
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| at(path, &error))?;
    String::from_utf8(bytes).map_err(|_| at(path, &"this is not a proof file: it is no text"))
}

fn tell(origin: &Origin, proven: &ProvenStatement, repudiated: bool, as_json: bool) -> Result<(), Failure> {
    let ProvenStatement { checkpoint, commitment, opening, cosigned } = proven;
    let cosigned: Vec<(&str, String)> =
        cosigned.iter().map(|one| (one.witness.as_str(), moment(one.seconds))).collect();
    let entry = model::EntryRef::of(origin, opening.index).to_string();
    let body = opening.body.as_ref().map(|body| {
        let digest: [u8; 32] = Sha256::digest(&body.bytes).into();
        (body.bytes.len(), hex(&digest))
    });
    let said = envelope::decode(&opening.envelope).ok();
    let label = said.as_ref().map(|said| said.label.tlp.word());
    let media = said.as_ref().map(|said| said.media.as_str());
    if as_json {
        return json(&object_of!({
            "proven": true, "repudiated": repudiated,
            "entry": entry, "origin": origin, "index": opening.index, "commitment": commitment,
            "checkpoint": { "size": checkpoint.size, "root": checkpoint.root }, "tlp": label, "media": media,
            "witnesses": cosigned.iter().map(|(by, at)| object_of!({ "by": by, "at": at })).collect::<Vec<_>>(),
            "body": body.map(|(bytes, sha256)| object_of!({ "bytes": bytes, "sha256": sha256 })),
        }));
    }
    line(&format!("proven: {entry} stands in {origin}, whose checkpoint of {} entries is signed", checkpoint.size))?;
    if repudiated {
        line("repudiated  its owner says that somebody else said it with stolen keys: it is not its word")?;
    }
    line(&format!("commitment  {commitment}"))?;
    for (by, moment) in &cosigned {
        line(&format!("witnessed   no later than {moment}, by {by}"))?;
    }
    if let (Some(label), Some(media)) = (label, media) {
        line(&format!("said        TLP:{label}, {media}"))?;
    }
    match body {
        Some((bytes, sha256)) => line(&format!("body        {bytes} bytes, SHA-256 {sha256}")),
        None => line("body        left out: the proof is sealed"),
    }
}
