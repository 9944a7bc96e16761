//! `evidence` and `verify-evidence`: what a log did that no honest log does, as a file that others can check; and the
//! sealed files of a case (`sealed`).

use std::path::PathBuf;

use clap::{Args, Subcommand};
use journal::evidence_file::{EvidenceFile, MAX_BYTES, Proven};
use serde_json::json as object_of;

use super::failure::refused;
use super::print::{clean, json, line, raw};
use super::sealed::{self, FetchArgs, OpenArgs, PutArgs};
use super::shapes::Status;
use super::{Failure, Session};
use crate::client::{Ask, read};
use crate::keys::read_small;

/// `evidence …`.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Make a key to which evidence can be sealed: the private one into a file, the public one to standard output
    Key {
        /// Where the private key goes
        file: PathBuf,
    },
    /// Seal a file and give it to the other party of an agreement; run it again to go on after an interruption
    Put(PutArgs),
    /// Take a sealed file out, of an own or of a partner's; run it again to go on after an interruption
    Fetch(FetchArgs),
    /// Open a sealed file with a private key; no node is asked
    Open(OpenArgs),
    /// Show the newest evidence against logs, with its numbers
    List,
    /// Write one piece of evidence against a log to standard output, as a file that anybody can check with the log's key
    File {
        /// Its number
        id: i64,
    },
}

/// `verify-evidence`.
#[derive(Debug, Args)]
pub struct VerifyEvidenceArgs {
    /// The evidence's file
    file: PathBuf,
    /// Keys of logs that you trust, a note key a line
    #[arg(long, value_name = "K")]
    keys: PathBuf,
}

pub(super) async fn evidence(session: &Session, command: &EvidenceCommand) -> Result<(), Failure> {
    match command {
        EvidenceCommand::Key { file } => sealed::key(file, session.json),
        EvidenceCommand::Put(args) => sealed::put(session, args).await,
        EvidenceCommand::Fetch(args) => sealed::fetch(session, args).await,
        EvidenceCommand::Open(args) => sealed::open(args, session.json),
        EvidenceCommand::List => list(session).await,
        EvidenceCommand::File { id } => {
            let bytes = session.client.bytes(&Ask::get(format!("/evidence/{id}"))).await?;
            if session.json {
                return json(&object_of!({ "id": id, "evidence": String::from_utf8_lossy(&bytes) }));
            }
            raw(&bytes)
        }
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/status")).await?;
    let status: Status = read(&bytes)?;
    if session.json {
        return json(&object_of!({ "items": status.evidence }));
    }
    for row in &status.evidence {
        line(&format!("{}  {} {} {}: {}", row.id, row.at, row.partner, row.kind, clean(&row.summary)))?;
    }
    Ok(())
}

pub(super) fn verify(args: &VerifyEvidenceArgs, as_json: bool) -> Result<(), Failure> {
    let at = |error: &dyn std::fmt::Display| Failure::Refused(format!("`{}`: {error}", args.file.display()));
    let keys = super::proofs::keys(&args.keys)?;
    let bytes = read_small(&args.file).map_err(refused)?;
    if bytes.len() > MAX_BYTES {
        return Err(at(&"it is larger than an evidence file may be"));
    }
    let text = String::from_utf8(bytes).map_err(|_| at(&"this is not an evidence file: it is no text"))?;
    let file = EvidenceFile::read(&text).map_err(|error| at(&error))?;
    let proven = file.verify(&keys).map_err(|error| at(&error))?.into_inner();
    match (&file, proven) {
        (EvidenceFile::Histories(told), Proven::Histories(proven)) => {
            let (origin, small, large) = (&told.origin, proven.theirs.size, proven.ours.size);
            if as_json {
                return json(&object_of!({
                    "proven": true, "origin": origin, "size": small, "root": proven.theirs.root,
                    "other_root": told.root, "other_size": large,
                }));
            }
            line(&format!("proven: {origin} signed two histories"))?;
            line(&format!("its first {small} entries have root {}", proven.theirs.root))?;
            line(&format!(
                "its first {small} entries have root {}, as its checkpoint of {large} entries says",
                told.root
            ))
        }
        (_, Proven::Statements(proven)) => {
            let (origin, [first, second]) = (file.origin(), proven.entries);
            if as_json {
                return json(&object_of!({
                    "proven": true, "origin": origin, "audience": proven.audience, "lane": proven.lane,
                    "sequence": proven.sequence, "entries": proven.entries,
                }));
            }
            line(&format!("proven: {origin} put two statements into one place of an audience"))?;
            line(&format!("audience {}, place {}: its entries {first} and {second}", proven.audience, proven.sequence))
        }
        // A file of two checkpoints proves two histories or nothing.
        (EvidenceFile::Statements(_), Proven::Histories(_)) => Err(at(&"it proves nothing")),
    }
}
