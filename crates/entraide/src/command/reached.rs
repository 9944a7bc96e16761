//! `partner add`, `partner reach`: partners without a node, by mail or telephone.

use std::path::PathBuf;

use clap::Args;
use hyper::Method;
use model::{Country, PartnerClass, Reach};
use serde::Deserialize;
use serde_json::{Value, json as object_of};

use super::failure::refused;
use super::print::{clean, line, raw, table};
use super::shapes::Page;
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// How somebody without a node is reached.
#[derive(Debug, Args)]
pub struct WaysArgs {
    /// By which way statements go out: mail+pgp, mail+smime or phone
    #[arg(long = "by", value_name = "WAY")]
    reach: Reach,
    /// The mail address
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// The number that is called at any hour: +373 22 123456
    #[arg(long, value_name = "NUMBER")]
    telephone: String,
    /// A file with the PGP public key or the S/MIME certificate; without one mail says only that there is something
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl WaysArgs {
    fn told(&self) -> Result<Value, Failure> {
        let key = match &self.key {
            Some(path) => {
                let bytes = crate::keys::read_small(path).map_err(refused)?;
                let text = String::from_utf8(bytes);
                let why = format!("`{}` is no text: export the key armoured, or as PEM", path.display());
                Some(text.map_err(|_| Failure::Refused(why))?)
            }
            None => None,
        };
        let (reach, telephone) = (self.reach.word(), &self.telephone);
        Ok(object_of!({ "reach": reach, "mail": self.mail, "telephone": telephone, "key": key }))
    }
}

/// `partner add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Two letters
    country: Country,
    /// Its name for people
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What it is to us: eu-state, eu-body, eea, associated, third-country, provider or hub
    #[arg(long, value_name = "CLASS")]
    class: PartnerClass,
    #[command(flatten)]
    ways: WaysArgs,
}

/// `partner reach`.
#[derive(Debug, Args)]
pub struct ReachArgs {
    /// Two letters, the name that you gave it, or the whole origin
    partner: String,
    /// By which way statements go out from now on: mail+pgp, mail+smime or phone; without it, how it is reached is shown
    #[arg(long = "by", value_name = "WAY", requires = "telephone")]
    reach: Option<Reach>,
    /// The mail address
    #[arg(long, value_name = "ADDRESS", requires = "reach")]
    mail: Option<String>,
    /// The number that is called at any hour
    #[arg(long, value_name = "NUMBER", requires = "reach")]
    telephone: Option<String>,
    /// A file with its PGP public key or S/MIME certificate
    #[arg(long, value_name = "FILE", requires = "reach")]
    key: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Reached {
    country: String,
    name: String,
    origin: String,
    state: String,
    reach: String,
    mail: Option<String>,
    telephone: String,
    fingerprint: Option<String>,
}

pub(super) async fn add(session: &Session, args: &AddArgs) -> Result<(), Failure> {
    let told = object_of!({
        "country": args.country.as_str(), "name": args.name, "class": args.class.word(), "ways": args.ways.told()?,
    });
    show(session, &Ask::json(Method::POST, "/partners/reached", &told)).await
}

pub(super) async fn reach(session: &Session, args: &ReachArgs) -> Result<(), Failure> {
    let path = format!("/partners/{}/reach", encode(&args.partner));
    let (Some(reach), Some(telephone)) = (args.reach, args.telephone.clone()) else {
        return show(session, &Ask::get(path)).await;
    };
    let ways = WaysArgs { reach, mail: args.mail.clone(), telephone, key: args.key.clone() };
    show(session, &Ask::json(Method::PUT, path, &ways.told()?)).await
}

async fn show(session: &Session, ask: &Ask) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let one: Reached = read(&bytes)?;
    line(&format!("{} {} ({}), {}", one.country, clean(&one.name), one.origin, one.state))?;
    let mail = one.mail.as_deref().map(|mail| format!(" to {}", clean(mail))).unwrap_or_default();
    line(&format!("no node: {}{mail}, call {}", one.reach, clean(&one.telephone)))?;
    match (&one.fingerprint, one.reach.as_str()) {
        (Some(fingerprint), _) => line(&format!("key    {}", grouped(fingerprint)))?,
        (None, "phone") => {}
        (None, _) => line("no key: a mail says that there is something, and nothing of it")?,
    }
    if one.state != "awaiting-confirmation" {
        return Ok(());
    }
    let compare = if one.fingerprint.is_some() { ", and compare the fingerprint of the key" } else { "" };
    line(&format!("Telephone its people at a number that you know{compare}."))?;
    line(&format!("If it is right: entraide partner confirm {}", one.country))
}

#[derive(Debug, Deserialize)]
struct LetterRow {
    number: i64,
    entry: String,
    queued: String,
    fate: String,
    tries: u32,
    why: Option<String>,
}

pub(super) async fn letters(session: &Session, partner: &str) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get(format!("/partners/{}/letters", encode(partner)))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let letters = read::<Page<LetterRow>>(&bytes)?.items;
    if letters.is_empty() {
        return line("no letters");
    }
    let row = |one: &LetterRow| {
        let why = one.why.as_deref().map(|why| format!(": {}", clean(why))).unwrap_or_default();
        let tries = if one.tries > 1 { format!("{} tries", one.tries) } else { String::new() };
        vec![
            format!("letter {}", one.number),
            one.entry.clone(),
            one.queued.clone(),
            format!("{}{why}", one.fate),
            tries,
        ]
    };
    table(&letters.iter().map(row).collect::<Vec<_>>())
}

#[derive(Debug, Deserialize)]
struct Code {
    number: i64,
    code: String,
}

pub(super) async fn code(session: &Session, partner: &str, letter: i64) -> Result<(), Failure> {
    let ask = Ask::json(Method::POST, format!("/partners/{}/letters/{letter}/code", encode(partner)), &object_of!({}));
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let one: Code = read(&bytes)?;
    line(&one.code)?;
    line(&format!(
        "Tell it over the telephone. It opens the link of letter {} for an hour, for one answer.",
        one.number
    ))
}

fn grouped(fingerprint: &str) -> String {
    let letters: Vec<char> = fingerprint.chars().filter(char::is_ascii_hexdigit).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
