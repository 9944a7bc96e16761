//! `keys` and `signer`: the keys of a node, how they are replaced, and the process that has them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ed25519_dalek::SigningKey;
use hyper::Method;
use journal::rotation::{MAX_ROTATION_BYTES, Request, Signed};
use serde::Deserialize;
use serde_json::json as object_of;

use super::failure::refused;
use super::print::{clean, line, raw, table};
use super::{Failure, Session};
use crate::client::{Ask, read};
use crate::keys::{Kind, Layout, read_key, read_small};
use crate::signing::Signing;

/// `keys …`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Show the keys, what is under way, and which partners have not heard yet
    List,
    /// Replace keys without a gap: log, witness, mandate and tls with the root key, wrapping and cursor without
    Rotate {
        /// log, witness, mandate, tls, wrapping or cursor, with commas
        #[arg(value_name = "KEYS", value_delimiter = ',', required = true)]
        keys: Vec<String>,
        /// The root key's file; to leave it offline use request, sign and install
        #[arg(long, value_name = "FILE")]
        root_key: Option<PathBuf>,
        /// How long old keys go on beside the new ones at most
        #[arg(long, value_name = "SECONDS")]
        overlap: Option<u32>,
    },
    /// Say that keys were stolen: partners drop them at once, and what a thief said with them is repudiated
    Compromised {
        /// Which; without it log, witness, mandate and tls
        #[arg(long, value_name = "KEYS", value_delimiter = ',', default_value = "log,witness,mandate,tls")]
        keys: Vec<String>,
        /// Repudiate what was said from this time on: 2026-11-25T08:00:00Z
        #[arg(long, value_name = "TIME", conflicts_with = "size")]
        since: Option<String>,
        /// Repudiate the entries of our log from this one on
        #[arg(long, value_name = "N")]
        size: Option<u64>,
        /// The root key's file; without it the request is printed, for sign and install
        #[arg(long, value_name = "FILE")]
        root_key: Option<PathBuf>,
    },
    /// Make the next keys and print what the root key is to sign
    Request {
        /// log, witness, mandate or tls, with commas
        #[arg(value_name = "KEYS", value_delimiter = ',', required = true)]
        keys: Vec<String>,
    },
    /// Sign a request with the root key, on the machine where it is; needs no node
    Sign {
        /// The request's file
        request: PathBuf,
        /// The root key's file
        #[arg(long, value_name = "FILE")]
        root_key: PathBuf,
    },
    /// Put in force what the root key has signed
    Install {
        /// The file that `keys sign` wrote
        signed: PathBuf,
        /// How long old keys go on beside the new ones at most
        #[arg(long, value_name = "SECONDS")]
        overlap: Option<u32>,
    },
}

/// `signer`.
#[derive(Debug, Args)]
pub struct SignerArgs {
    /// Where nodes reach it: the line `signer` of their entraide.toml
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// The module of a PKCS#11 token for log and witness keys, such as libsofthsm2.so
    #[arg(long, value_name = "MODULE", requires_all = ["token", "pin_file"])]
    pkcs11: Option<PathBuf>,
    /// The token's label
    #[arg(long, value_name = "LABEL", requires = "pkcs11")]
    token: Option<String>,
    /// A file that holds the token's user PIN
    #[arg(long, value_name = "FILE", requires = "pkcs11")]
    pin_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Keys {
    version: u64,
    issued: String,
    items: Vec<Key>,
    rotation: Option<Rotation>,
    waiting: Vec<String>,
    repudiated: Vec<Span>,
}
#[derive(Debug, Deserialize)]
struct Key {
    kind: String,
    state: String,
    public: Option<String>,
    until: Option<String>,
}
#[derive(Debug, Deserialize)]
struct Rotation {
    deadline: String,
}
#[derive(Debug, Deserialize)]
struct Span {
    from: u64,
    to: u64,
}
#[derive(Debug, Deserialize)]
struct Asked {
    request: String,
}

pub(super) async fn keys(session: &Session, command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::List => show(session, &Ask::get("/keys")).await,
        KeysCommand::Rotate { keys, root_key, overlap } => rotate(session, keys, root_key.as_deref(), *overlap).await,
        KeysCommand::Compromised { keys, since, size, root_key } => {
            let wanted = object_of!({ "kinds": keys, "stolen": true, "since": since, "from": size });
            match root_key {
                Some(root_key) => signed_here(session, &wanted, root_key, None).await,
                None => raw(request(session, &wanted).await?.as_bytes()),
            }
        }
        KeysCommand::Request { keys } => raw(request(session, &object_of!({ "kinds": keys })).await?.as_bytes()),
        KeysCommand::Install { signed, overlap } => {
            let signed = small_text(signed)?;
            install(session, &signed, *overlap).await
        }
        KeysCommand::Sign { .. } => Err(Failure::Usage("`keys sign` is not asked of a node".to_owned())),
    }
}

/// `keys sign`: on a machine without a node.
pub(super) fn sign(file: &Path, root_key: &Path) -> Result<(), Failure> {
    let request = Request::read(&small_text(file)?).map_err(refused)?;
    let signed = sign_with(&request, root_key)?;
    for one in &request.0 {
        // What was signed is told on the side: standard output is the answer's file.
        eprintln!("signed version {} of {} ({})", one.version, one.origin, clean(&one.name));
        for span in &one.past.repudiated {
            eprintln!("  it repudiates the entries from {} to before {}", span.from, span.to);
        }
    }
    raw(signed.write().as_bytes())
}

fn sign_with(request: &Request, root_key: &Path) -> Result<Signed, Failure> {
    let secret = read_key(root_key, Kind::Root).map_err(refused)?;
    request.sign(&SigningKey::from_bytes(&secret)).map_err(refused)
}

async fn rotate(
    session: &Session,
    keys: &[String],
    root_key: Option<&Path>,
    overlap: Option<u32>,
) -> Result<(), Failure> {
    let is_ours = |word: &&String| matches!(word.as_str(), "wrapping" | "cursor");
    let named: Vec<&String> = keys.iter().filter(|word| !is_ours(word)).collect();
    let root_key = match (named.is_empty(), root_key) {
        (true, _) => None,
        (false, Some(root_key)) => Some(root_key),
        (false, None) => {
            let how = "the root key must sign this: --root-key FILE, or `keys request`, `sign` and `install`";
            return Err(Failure::Usage(how.to_owned()));
        }
    };
    for kind in keys.iter().filter(is_ours) {
        show(session, &Ask::json(Method::POST, "/keys/renewals", &object_of!({ "kind": kind }))).await?;
    }
    match root_key {
        Some(root_key) => signed_here(session, &object_of!({ "kinds": named }), root_key, overlap).await,
        None => Ok(()),
    }
}

async fn request(session: &Session, wanted: &serde_json::Value) -> Result<String, Failure> {
    let asked: Asked = session.client.value(&Ask::json(Method::POST, "/keys/requests", wanted)).await?;
    Ok(asked.request)
}

async fn signed_here(
    session: &Session,
    wanted: &serde_json::Value,
    root_key: &Path,
    overlap: Option<u32>,
) -> Result<(), Failure> {
    // Whether the file can be read is known before anything is made.
    read_key(root_key, Kind::Root).map_err(refused)?;
    let request = Request::read(&request(session, wanted).await?).map_err(refused)?;
    install(session, &sign_with(&request, root_key)?.write(), overlap).await
}

async fn install(session: &Session, signed: &str, overlap: Option<u32>) -> Result<(), Failure> {
    let body = object_of!({ "signed": signed, "overlap": overlap });
    show(session, &Ask::json(Method::POST, "/keys/identity", &body)).await
}

async fn show(session: &Session, ask: &Ask) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let keys: Keys = read(&bytes)?;
    line(&format!("identity version {}, signed {}", keys.version, keys.issued))?;
    let row = |key: &Key| {
        let until = key.until.as_ref().map(|until| format!("up to {until}")).unwrap_or_default();
        vec![key.kind.clone(), key.state.clone(), key.public.clone().unwrap_or_default(), until]
    };
    table(&keys.items.iter().map(row).collect::<Vec<_>>())?;
    for span in &keys.repudiated {
        line(&format!("we do not stand by the entries from {} to before {}", span.from, span.to))?;
    }
    if let Some(rotation) = &keys.rotation {
        line(&format!("old keys go once every active partner knows the new ones, or at {}", rotation.deadline))?;
    }
    if !keys.waiting.is_empty() {
        line(&format!("not heard of it yet: {}", super::objects::countries(&keys.waiting)))?;
    }
    Ok(())
}

fn small_text(path: &Path) -> Result<String, Failure> {
    let bytes = read_small(path).map_err(refused)?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_ROTATION_BYTES);
    text.ok_or_else(|| Failure::Refused(format!("`{}` is not a file of `entraide keys`", path.display())))
}

/// `signer`: runs until it is ended.
pub(super) fn signer(dir: &Path, args: &SignerArgs) -> Result<(), Failure> {
    let token = match (&args.pkcs11, &args.token, &args.pin_file) {
        (Some(module), Some(label), Some(pin)) => {
            Some(crate::token::open(module, label, &small_text(pin)?).map_err(refused)?)
        }
        (_, _, _) => None,
    };
    let signing = Signing::open(&Layout::new(dir), token, &args.socket).map_err(refused)?;
    line(&format!("ready: {} at {}", signing.origin(), args.socket.display()))?;
    signing.run().map_err(refused)
}
