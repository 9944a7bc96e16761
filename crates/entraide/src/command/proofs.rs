//! `verify` and `verify-proof`: offline, with nothing but files and keys.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use journal::note::NoteVerifier;
use journal::proof::{ProofFile, ProvenStatement, Words};
use journal::stamp::{self, Authorities, Stamp};
use journal::{envelope, note};
use model::{Origin, Timestamp, bytes::hex};
use node::ports::Signer;
use node::verify::Report;
use serde_json::json as object_of;
use sha2::{Digest, Sha256};
use store::{Db, Reader, Store, StoreError};

use super::Failure;
use super::failure::refused;
use super::print::{clean, json, line, raw};
use crate::keys::{Layout, read_small};
use crate::restore::Scratch;
use crate::signer::Onlooker;
use crate::{configuration, files, purge_list};

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
    /// Certificates of time authorities that you trust, in PEM: the proof must hold a time stamp by one of them
    #[arg(long, value_name = "PEM")]
    tsa: Option<PathBuf>,
    /// Write a page in words instead: what the proof shows, what it does not, and how others check it
    #[arg(long)]
    words: bool,
}

pub(super) fn verify(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let layout = Layout::new(dir);
    if !layout.is_node() {
        return Err(refused(crate::keys::KeysError::NoNode(dir.display().to_string())));
    }
    if !layout.database().is_file() {
        return Err(Failure::Refused(format!("the database `{}` is missing: restore it", layout.database().display())));
    }
    let mut report = Report { faults: files::faults(&layout), ..Report::default() };
    report.faults.extend(Store::damage(dir).map_err(refused)?);
    if report.faults.is_empty() {
        // What the disk has changed is no ground to check anything on.
        report = claims(&layout)?;
    }
    let note = if report.faults.is_empty() { configured(&layout)? } else { None };
    if as_json {
        json(&object_of!({
            "logs": report.logs, "entries": report.entries, "statements": report.statements, "faults": report.faults,
            "note": note,
        }))?;
    } else {
        if let Some(note) = note {
            line(&note)?;
        }
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

/// That the configuration is another than at the last start; no fault, since people write it.
fn configured(layout: &Layout) -> Result<Option<String>, Failure> {
    let mut reader = Store::open(layout.dir()).and_then(|store| store.reader()).map_err(refused)?;
    let noted = reader.snapshot(|db| db.setting(configuration::NOTED)).map_err(refused)?;
    let now = configuration::digest(layout).map_err(refused)?;
    let changed = noted.is_some_and(|noted| noted != now);
    let path = layout.configuration();
    Ok(changed.then(|| format!("`{}` has changed since the node was last started", path.display())))
}

/// What the database claims, and whether it holds.
fn claims(layout: &Layout) -> Result<Report, Failure> {
    let onlooker = Onlooker::open(layout).map_err(refused)?;
    let store = Store::open(layout.dir()).map_err(refused)?;
    let mut reader = store.reader().map_err(refused)?;
    let mut report = reader.snapshot(|db| check(db, &onlooker)).map_err(refused)?;
    report.faults.extend(purged(layout, &mut reader)?);
    if report.faults.is_empty() {
        // What is damaged cannot be folded again: the views are looked at when their ground holds.
        report.faults = views(&store, layout, &onlooker)?;
    }
    Ok(report)
}

/// What stands on the purge list and is there all the same, and what it has forgotten.
fn purged(layout: &Layout, reader: &mut Reader) -> Result<Vec<String>, Failure> {
    let path = configuration::purge_list(layout).map_err(refused)?;
    // A node that was made by an earlier version has its list from its next start on.
    let list = if path.exists() { purge_list::read(&path).map_err(refused)? } else { Vec::new() };
    let (mut faults, forgotten) = reader
        .snapshot(|db| Ok::<_, StoreError>((node::purged::remaining(db, &list)?, node::purged::forgotten(db, &list)?)))
        .map_err(refused)?;
    if !forgotten.is_empty() {
        let (path, count) = (path.display(), forgotten.len());
        faults.push(format!(
            "`{path}` has lost {count} places that were erased: start the node, which writes them again"
        ));
    }
    Ok(faults)
}

/// Compares the views with what the statements give, on a copy, so that a running node goes on.
fn views(store: &Store, layout: &Layout, onlooker: &Onlooker) -> Result<Vec<String>, Failure> {
    let copy = Scratch::new(layout.verifying()).map_err(refused)?;
    store.copy_into(copy.path()).map_err(refused)?;
    node::verify::views::verify(copy.path(), onlooker.signed.clone(), onlooker).map_err(refused)
}

/// Everything that the database claims, and that it extends what was signed last.
fn check(db: &Db<'_>, onlooker: &Onlooker) -> Result<Report, StoreError> {
    let keys = node::identities::all_log_keys(db, &onlooker.identity)?;
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
    let known = String::from_utf8_lossy(&read_small(&args.keys).map_err(refused)?).into_owned();
    let (origin, index) = (file.extra.origin.to_string(), file.index.0);
    let covers = |(of, from, to): &(String, u64, u64)| *of == origin && (*from..*to).contains(&index);
    let repudiated = note::read_repudiated(&known).iter().any(covers);
    let stamps = match &args.tsa {
        Some(path) => Some(stamps(path, &file).map_err(|error| at(&args.file, &error))?),
        None => None,
    };
    if args.words {
        let text = Words::of(&file, &proven, stamps.as_deref()).text();
        return if as_json { json(&object_of!({ "words": text })) } else { raw(text.as_bytes()) };
    }
    tell(&file.extra.origin, &proven, repudiated, stamps.as_deref().unwrap_or_default(), as_json)
}

/// The time stamps of a proof by authorities in a file of certificates; at least one.
fn stamps(path: &Path, file: &ProofFile) -> Result<Vec<Stamp>, String> {
    let pem = read_small(path).map_err(|error| error.to_string())?;
    let trusted = Authorities::read(&pem).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let stamps = stamp::verify_note(&file.checkpoint, &trusted).map_err(|error| error.to_string())?;
    if stamps.is_empty() { Err("it holds no time stamp".to_owned()) } else { Ok(stamps) }
}

/// Reads a file of keys.
pub(super) fn keys(path: &Path) -> Result<Vec<NoteVerifier>, Failure> {
    let text = String::from_utf8(read_small(path).map_err(refused)?)
        .map_err(|_| Failure::Refused(format!("`{}` is not a file of keys: it is no text", path.display())))?;
    note::read_keys(&text).map_err(|error| at(path, &error))
}

/// When a witness cosigned.
pub(super) fn moment(seconds: u64) -> String {
    Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(0)).to_string()
}

pub(super) fn at(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(format!("`{}`: {error}", path.display()))
}

pub(super) fn read_proof(path: &Path) -> Result<String, Failure> {
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

fn tell(
    origin: &Origin,
    proven: &ProvenStatement,
    repudiated: bool,
    stamps: &[Stamp],
    as_json: bool,
) -> Result<(), Failure> {
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
            "stamps": stamps.iter().map(|one| object_of!({ "by": one.authority, "at": one.at })).collect::<Vec<_>>(),
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
    for one in stamps {
        line(&format!("stamped     no later than {}, by {}", one.at, clean(&one.authority)))?;
    }
    if let (Some(label), Some(media)) = (label, media) {
        line(&format!("said        TLP:{label}, {media}"))?;
    }
    match body {
        Some((bytes, sha256)) => line(&format!("body        {bytes} bytes, SHA-256 {sha256}")),
        None => line("body        left out: the proof is sealed"),
    }
}
