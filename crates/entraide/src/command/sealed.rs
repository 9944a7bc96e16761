//! `evidence key`, `put`, `fetch` and `open`: files of evidence, sealed here, carried sealed, and opened there.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use journal::pieces::{self, Digested, PIECE_BYTES};
use model::extension::assistance::{ArtefactKind, Sha256Digest};
use model::{AgeRecipient, EntryRef, Timestamp, Tlp};
use serde::Deserialize;
use serde_json::json as object_of;

use super::failure::refused;
use super::print::{clean, json, line};
use super::{Failure, Session};
use crate::client::{Ask, encode, read};
use crate::keys::{rename, write_private};
use crate::machine::MachineRandom;
use crate::sealing;

/// `evidence put`.
#[derive(Debug, Args)]
pub struct PutArgs {
    /// The acceptance under which it is given: FR:14
    entry: EntryRef,
    /// The file, as it is: it is sealed here
    file: PathBuf,
    /// Who can open it: age1…; several times for several
    #[arg(long = "to", value_name = "KEY", required = true)]
    recipients: Vec<AgeRecipient>,
    /// disk-image, memory-image, logs, network-capture, malware-sample, findings, document, other
    #[arg(long, value_name = "KIND")]
    kind: ArtefactKind,
    /// Its name for people; that of the file unless said otherwise
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where the sealed copy is until it is in the node; here unless said otherwise
    #[arg(long, value_name = "DIR", default_value = ".")]
    scratch: PathBuf,
    /// It is destroyed by then, unless the law wants it kept
    #[arg(long, value_name = "TIME")]
    destroy_by: Option<Timestamp>,
    /// A malicious program is in it
    #[arg(long)]
    malware: bool,
    /// Personal data is in it
    #[arg(long)]
    personal_data: bool,
    /// A court or prosecutor wants it kept
    #[arg(long)]
    judicial_hold: bool,
    /// Who may see there that it exists: clear, green, amber, amber+strict
    #[arg(long, value_name = "TLP", default_value = "amber+strict")]
    label: Tlp,
}

/// `evidence fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The evidence: FR:20
    entry: EntryRef,
    /// Where the sealed file goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `evidence open`.
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// The sealed file
    file: PathBuf,
    /// The file with the private key, of `entraide evidence key` or `age-keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where what is in it goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Upload {
    missing: Vec<(u64, u64)>,
}

#[derive(Debug, Deserialize)]
struct Fetching {
    entry: String,
    name: String,
    sealed_size: u64,
    sealed_sha256: String,
    pieces: u64,
}

/// Makes a key: the private one into a file, the public one to standard output.
pub(super) fn key(file: &Path, as_json: bool) -> Result<(), Failure> {
    let mut random = MachineRandom::new().map_err(refused)?;
    let (text, recipient) = sealing::new_key(&mut random);
    write_private(file, text.as_bytes()).map_err(refused)?;
    if as_json {
        return json(&object_of!({ "recipient": recipient, "file": file.display().to_string() }));
    }
    line(&recipient.to_string())
}

/// Opens a sealed file.
pub(super) fn open(args: &OpenArgs, as_json: bool) -> Result<(), Failure> {
    let keys = sealing::identities(&args.key).map_err(refused)?;
    sealing::open(&args.file, &args.out, &keys).map_err(refused)?;
    let opened = sealing::digested(&args.out).map_err(refused)?;
    if as_json {
        return json(&object_of!({ "size": opened.size, "sha256": opened.sha256 }));
    }
    line(&format!("opened: {} bytes, SHA-256 {}", opened.size, opened.sha256))
}

/// Seals a file, puts it into the node, and says that it is evidence. Done again after it was interrupted, it goes on.
pub(super) async fn put(session: &Session, args: &PutArgs) -> Result<(), Failure> {
    let plain = sealing::digested(&args.file).map_err(refused)?;
    let copy = sealed_copy(args, &plain)?;
    let sealed = sealing::digested(&copy).map_err(refused)?;
    let name = pieces::root(sealed.size, &sealed.digests).ok_or_else(|| refused("an empty file is no sealed file"))?;
    loop {
        let path = format!("/assistance/{}/uploads/{name}?size={}", encode(&args.entry.to_string()), sealed.size);
        let begun = Ask::put(path, sealed.digests.clone()).octets();
        let upload: Upload = read(&session.client.bytes_patiently(&begun).await?)?;
        if upload.missing.is_empty() {
            break;
        }
        put_pieces(session, &copy, &sealed, name, &upload).await?;
    }
    let title = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let said = object_of!({
        "pieces": name, "sealed_size": sealed.size, "sealed_sha256": sealed.sha256, "recipients": args.recipients,
        "name": args.name.clone().unwrap_or(title), "kind": args.kind, "size": plain.size, "sha256": plain.sha256,
        "destroy_by": args.destroy_by, "malware": args.malware, "personal_data": args.personal_data,
        "judicial_hold": args.judicial_hold, "label": args.label.word().to_ascii_lowercase(),
    });
    let path = format!("/assistance/{}/sealed", encode(&args.entry.to_string()));
    // Whoever was interrupted before the answer came gets it now.
    let ask = Ask::json(Method::POST, path, &said).idempotent(name.to_string());
    let answer = session.client.bytes_patiently(&ask).await?;
    crate::keys::remove(&copy).map_err(refused)?;
    super::assist::told(session, &answer)
}

/// The sealed copy of a file for these people: made, or found from an earlier attempt. Its name says what is in it and for
/// whom, so that none is ever taken for another.
fn sealed_copy(args: &PutArgs, plain: &Digested) -> Result<PathBuf, Failure> {
    if plain.size == 0 {
        return Err(Failure::Refused(format!("`{}` is empty: there is nothing to give", args.file.display())));
    }
    let mut words: Vec<String> = args.recipients.iter().map(ToString::to_string).collect();
    words.sort();
    words.push(plain.sha256.to_string());
    let mut digester = pieces::Digester::default();
    digester.update(words.join(" ").as_bytes());
    let digest: String = digester.finish().sha256.to_string().chars().take(32).collect();
    let copy = args.scratch.join(format!("sealed-{digest}.age"));
    if !copy.is_file() {
        let mut random = MachineRandom::new().map_err(refused)?;
        sealing::seal(&args.file, &copy, &args.recipients, &mut random).map_err(refused)?;
    }
    Ok(copy)
}

async fn put_pieces(
    session: &Session,
    copy: &Path,
    sealed: &Digested,
    name: Sha256Digest,
    upload: &Upload,
) -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::Refused(format!("`{}`: {error}", copy.display()));
    let mut file = File::open(copy).map_err(told)?;
    for piece in upload.missing.iter().flat_map(|(first, last)| *first..=*last) {
        let Some(length) = pieces::length(sealed.size, piece) else { continue };
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(piece * PIECE_BYTES as u64)).map_err(told)?;
        file.read_exact(&mut bytes).map_err(told)?;
        session.client.bytes_patiently(&Ask::put(format!("/uploads/{name}/{piece}"), bytes).octets()).await?;
    }
    Ok(())
}

/// Takes a sealed file out of the node, and with that out of the node whose it is. Done again after it was interrupted, it
/// goes on.
pub(super) async fn fetch(session: &Session, args: &FetchArgs) -> Result<(), Failure> {
    if args.out.symlink_metadata().is_ok() {
        return Err(Failure::Refused(format!("`{}` is there already: name another file", args.out.display())));
    }
    let entry = encode(&args.entry.to_string());
    let begun = Ask::post(format!("/assistance/{entry}/fetch"), "{}");
    let fetching: Fetching = read(&session.client.bytes_patiently(&begun).await?)?;
    // The name says of which file it is a part: what another left behind is not carried on.
    let digest: String = fetching.sealed_sha256.chars().take(16).collect();
    let part = sealing::beside(&args.out, &format!("{digest}.part"));
    let told = |error: std::io::Error| Failure::Refused(format!("`{}`: {error}", part.display()));
    let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&part);
    let mut file = open.map_err(told)?;
    let done = file.metadata().map_err(told)?.len().min(fetching.sealed_size) / PIECE_BYTES as u64;
    file.seek(SeekFrom::Start(done * PIECE_BYTES as u64)).map_err(told)?;
    for piece in done..fetching.pieces {
        let ask = Ask::get(format!("/assistance/{entry}/pieces/{piece}"));
        let bytes = session.client.bytes_patiently(&ask).await?;
        file.write_all(&bytes).map_err(told)?;
    }
    file.set_len(fetching.sealed_size).and_then(|()| file.sync_all()).map_err(told)?;
    let sealed = sealing::digested(&part).map_err(refused)?;
    if sealed.sha256.to_string() != fetching.sealed_sha256 {
        crate::keys::remove(&part).map_err(refused)?;
        return Err(Failure::Refused("what came is not what its statement says: fetch it again".to_owned()));
    }
    rename(&part, &args.out).map_err(refused)?;
    if session.json {
        return json(&object_of!({ "entry": fetching.entry, "size": sealed.size, "sha256": sealed.sha256 }));
    }
    let (name, out) = (clean(&fetching.name), args.out.display());
    line(&format!("fetched: {name}, {} bytes, sealed, in {out}; said at {}", sealed.size, fetching.entry))
}
