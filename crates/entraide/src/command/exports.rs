//! `export` and `list`, and what `scan` looks for: what may be used for a purpose, page by page, as one file on standard output.

use clap::{Args, Subcommand, ValueEnum};
use hyper::Method;
use intake::{Classification, Limits};
use model::Tlp;
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::{List, Page};
use super::{Failure, Session};
use crate::client::{Ask, encode};
use crate::limits;

/// For what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// People read it elsewhere
    Read,
    /// Telemetry is matched against it
    Detect,
    /// Traffic is blocked by it
    Block,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Detect => "detect",
            Self::Block => "block",
        }
    }
}

/// In which shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A STIX bundle, of what was said as STIX
    Stix,
    /// A MISP export, of what was said as MISP
    Misp,
    /// A line for each value of both
    Csv,
}

impl Format {
    const fn word(self) -> &'static str {
        match self {
            Self::Stix => "stix",
            Self::Misp => "misp",
            Self::Csv => "csv",
        }
    }
}

/// `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// For what: PAP limits detection and blocking
    #[arg(long = "for", value_name = "PURPOSE", required_unless_present = "list", conflicts_with = "list")]
    purpose: Option<Purpose>,
    /// A list that was made for a purpose: its next pull no longer holds what was withdrawn
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// The shape; nothing is converted
    #[arg(long, default_value = "csv")]
    format: Format,
    /// The strictest label in it: clear, green, amber or amber+strict
    #[arg(long, value_name = "TLP", conflicts_with = "list")]
    label: Option<Tlp>,
}

/// `list …`.
#[derive(Debug, Subcommand)]
pub enum ListCommand {
    /// Show every list
    Show,
    /// Make a list, or change what it is for
    Put {
        /// Small letters, digits and hyphens
        name: String,
        /// For what
        #[arg(long = "for", value_name = "PURPOSE")]
        purpose: Purpose,
        /// The strictest label in it: clear, green, amber or amber+strict
        #[arg(long, value_name = "TLP")]
        label: Option<Tlp>,
    },
}

pub(super) async fn export(session: &Session, args: &ExportArgs) -> Result<(), Failure> {
    let from = match (&args.list, args.purpose) {
        (Some(list), _) => From::List(list),
        (None, Some(purpose)) => From::Purpose(purpose, args.label),
        (None, None) => return Err(Failure::Usage("say for what, or which list".to_owned())),
    };
    pages(session, &from, args.format, &mut raw).await
}

/// Everything that may be used for detection, or that one list holds, as one table.
pub(super) async fn detectable(session: &Session, list: Option<&str>, label: Option<Tlp>) -> Result<Vec<u8>, Failure> {
    let from = list.map_or(From::Purpose(Purpose::Detect, label), From::List);
    let mut table = Vec::new();
    pages(session, &from, Format::Csv, &mut |part| {
        table.extend_from_slice(part);
        Ok(())
    })
    .await?;
    Ok(table)
}

/// What is exported.
enum From<'a> {
    List(&'a str),
    Purpose(Purpose, Option<Tlp>),
}

/// Every page of an export, part by part.
async fn pages(
    session: &Session,
    from: &From<'_>,
    format: Format,
    out: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let shape = format.word();
    let path = match from {
        From::List(list) => format!("/exports/lists/{}?format={shape}&limit=1000", encode(list)),
        From::Purpose(purpose, label) => {
            let label = label.map(|label| format!("&label={}", encode(&word(label)))).unwrap_or_default();
            format!("/exports?for={}&format={shape}&limit=1000{label}", purpose.word())
        }
    };
    let mut whole = Whole::new(format);
    let mut next: Option<String> = None;
    for _ in 0..limits::EXPORT_PAGES {
        let place = next.as_deref().map(|next| format!("&after={}", encode(next))).unwrap_or_default();
        let (bytes, more) = session.client.page(&Ask::get(format!("{path}{place}"))).await?;
        out(&whole.part(&bytes)?)?;
        match more {
            Some(more) => next = Some(more),
            None => return out(&whole.end()),
        }
    }
    Err(Failure::Refused("the export has more pages than one command reads: narrow it by --label".to_owned()))
}

fn word(label: Tlp) -> String {
    label.word().to_ascii_lowercase()
}

/// Pages put together to one file, around bytes that stay as they are.
struct Whole {
    format: Format,
    objects: u64,
    begun: bool,
    /// Marking definitions come with every page that needs them: each goes out once.
    definitions: std::collections::HashSet<String>,
}

impl Whole {
    fn new(format: Format) -> Self {
        Self { format, objects: 0, begun: false, definitions: std::collections::HashSet::new() }
    }

    fn part(&mut self, page: &[u8]) -> Result<Vec<u8>, Failure> {
        let first = !std::mem::replace(&mut self.begun, true);
        if self.format == Format::Csv {
            let header = page.windows(2).position(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
            return Ok(page.get(if first { 0 } else { header }..).unwrap_or_default().to_vec());
        }
        // What the node gave out is not looked at for markings again.
        let limits = Limits { ceiling: Classification::Secret, ..Limits::default() };
        let split = intake::split(page, limits).map_err(super::failure::refused)?;
        let mut out = Vec::with_capacity(page.len());
        if first {
            out.extend_from_slice(self.opening(page).as_bytes());
        }
        for item in &split.items {
            if let Ok(head) = &item.head
                && head.id.type_name() == "marking-definition"
                && !self.definitions.insert(head.id.to_string())
            {
                continue;
            }
            if self.objects > 0 {
                out.push(b',');
            } else if self.format == Format::Stix {
                out.extend_from_slice(br#","objects":["#);
            }
            self.objects += 1;
            match self.format {
                Format::Misp => {
                    out.extend_from_slice(br#"{"Event":"#);
                    out.extend_from_slice(item.span);
                    out.push(b'}');
                }
                Format::Stix | Format::Csv => out.extend_from_slice(item.span),
            }
        }
        Ok(out)
    }

    /// What stands before the first object. A bundle's id is that of its first page.
    fn opening(&self, page: &[u8]) -> String {
        #[derive(serde::Deserialize)]
        struct Bundle {
            id: String,
        }
        match self.format {
            Format::Stix => {
                let id = serde_json::from_slice::<Bundle>(page).map(|bundle| bundle.id).unwrap_or_default();
                format!(r#"{{"type":"bundle","id":"{id}""#)
            }
            Format::Misp => r#"{"response":["#.to_owned(),
            Format::Csv => String::new(),
        }
    }

    fn end(&self) -> Vec<u8> {
        match self.format {
            Format::Stix if self.objects == 0 => b"}\n".to_vec(),
            Format::Stix | Format::Misp => b"]}\n".to_vec(),
            Format::Csv => Vec::new(),
        }
    }
}

pub(super) async fn list(session: &Session, command: &ListCommand) -> Result<(), Failure> {
    let row = |list: &List| {
        let label = format!("up to TLP:{}", list.label.to_ascii_uppercase());
        let changed = format!("version {}, {} by {}", list.version, list.at, clean(&list.by));
        vec![list.name.clone(), format!("for {}", list.purpose), label, changed]
    };
    match command {
        ListCommand::Show => {
            let bytes = session.client.bytes(&Ask::get("/exports/lists")).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let found: Page<List> = crate::client::read(&bytes)?;
            if found.items.is_empty() {
                return line("there is no list");
            }
            table(&found.items.iter().map(row).collect::<Vec<_>>())
        }
        ListCommand::Put { name, purpose, label } => {
            let path = format!("/exports/lists/{}", encode(name));
            let new = object_of!({ "for": purpose.word(), "label": label.map(word) });
            let bytes = session.client.bytes(&Ask::json(Method::PUT, path, &new)).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            table(&[row(&crate::client::read(&bytes)?)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_make_one_file_and_each_marking_stands_in_it_once() {
        let marking =
            r#"{"type":"marking-definition","id":"marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}"#;
        let tool = r#"{ "type":"tool","id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f" }"#;
        let page = format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{marking},{tool}]}}"#);
        let mut whole = Whole::new(Format::Stix);
        let mut out = whole.part(page.as_bytes()).unwrap();
        out.extend(whole.part(page.as_bytes()).unwrap());
        out.extend(whole.end());
        let expect = format!("{{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{marking},{tool},{tool}]}}\n");
        assert_eq!(String::from_utf8(out).unwrap(), expect);
        let mut empty = Whole::new(Format::Stix);
        let mut out = empty.part(br#"{"type":"bundle","id":"bundle--1"}"#).unwrap();
        out.extend(empty.end());
        assert_eq!(out, b"{\"type\":\"bundle\",\"id\":\"bundle--1\"}\n");
        let mut csv = Whole::new(Format::Csv);
        let mut out = csv.part(b"a,b\r\n1,2\r\n").unwrap();
        out.extend(csv.part(b"a,b\r\n3,4\r\n").unwrap());
        assert_eq!(out, b"a,b\r\n1,2\r\n3,4\r\n");
        let event = br#"{"response":[{"Event":{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219","timestamp":"1"}}]}"#;
        let mut misp = Whole::new(Format::Misp);
        let mut out = misp.part(event).unwrap();
        out.extend(misp.part(br#"{"response":[]}"#).unwrap());
        out.extend(misp.end());
        assert_eq!(out, [&event[..], b"\n"].concat());
    }
}
