//! `open FILE`: what a signed file says, by whom, when at the latest, and whether that is proven. Offline, for people of
//! partners without a node.

use std::path::PathBuf;

use clap::Args;
use journal::proof::ProofFile;
use journal::verified::Verified;
use journal::{envelope, note};
use model::EntryRef;
use node::reach::letter;
use serde_json::json as object_of;

use super::Failure;
use super::print::{clean, json, line};
use super::proofs::{at, moment, read_proof};
use crate::keys::read_small;

/// `open`.
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// The signed file, as it came; - is standard input
    file: PathBuf,
    /// Keys of logs that you trust, a note key a line; get them from that nation's people and not with the file. Without
    /// them it is told what the file claims, and nothing is proven
    #[arg(long, value_name = "K")]
    keys: Option<PathBuf>,
}

pub(super) fn open(args: &OpenArgs, as_json: bool) -> Result<(), Failure> {
    let text = read_proof(&args.file)?;
    let file = ProofFile::read(&text).map_err(|error| at(&args.file, &error))?;
    let (origin, index) = (&file.extra.origin, file.index);
    let entry = EntryRef::of(origin, index);
    let envelope = envelope::decode(&file.extra.opening.envelope).ok();
    let label = envelope.map_or("unknown", |envelope| envelope.label.tlp.word());
    let said = letter::in_words(&file);
    let proven = match &args.keys {
        None => Err("no key was given: add --keys with the key of that nation, from its people".to_owned()),
        Some(path) => {
            let keys = super::proofs::keys(path)?;
            let known = String::from_utf8_lossy(&read_small(path).map_err(super::failure::refused)?).into_owned();
            let covers =
                |(of, from, to): &(String, u64, u64)| *of == origin.to_string() && (*from..*to).contains(&index.0);
            if note::read_repudiated(&known).iter().any(covers) {
                Err("its owner says that somebody else said it with stolen keys: it is not its word".to_owned())
            } else {
                file.verify(&keys).map(Verified::into_inner).map_err(|error| error.to_string())
            }
        }
    };
    let stands = proven.as_ref().err();
    if as_json {
        json(&object_of!({
            "proven": stands.is_none(), "why": stands, "entry": entry.to_string(), "origin": origin, "tlp": label,
            "said": said,
        }))?;
    } else {
        line(&format!("{} ({origin}) says, as entry {entry}, under TLP:{label}:", origin.country()))?;
        line("")?;
        for one in said.lines() {
            line(&format!("  {}", clean(one)))?;
        }
        line("")?;
        match &proven {
            Ok(found) => {
                line(&format!(
                    "PROVEN: it stands in that log, whose checkpoint of {} entries is signed.",
                    found.checkpoint.size
                ))?;
                for one in &found.cosigned {
                    line(&format!(
                        "It was there no later than {}, by the witness {}.",
                        moment(one.seconds),
                        clean(&one.witness)
                    ))?;
                }
            }
            Err(why) => line(&format!("NOT PROVEN: {}. Call them before you act on it.", clean(why)))?,
        }
    }
    if stands.is_none() { Ok(()) } else { Err(Failure::Told) }
}
