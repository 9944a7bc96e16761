//! `scan`: reads telemetry against what may be used for detection, and tells where a known value stands. The telemetry stays
//! where it is; the node learns nothing of it.

mod input;
mod wanted;

use std::path::PathBuf;

use clap::Args;
use detect::{Builder, Hit, Index, Key, Scanner, Shape, Stored, field_of};
use model::Tlp;
use node::ports::Random as _;
use serde::Serialize;

use super::exports;
use super::print::{clean, json, line};
use super::{Failure, Session, failure};
use crate::machine::MachineRandom;
use input::Input;
use wanted::{Source, Wanted};

/// `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Files of any form, gzip and zstd too; `-` or nothing reads standard input
    files: Vec<PathBuf>,
    /// Look for the values of a list that was made for detection, instead of all that may be used for it
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// The strictest label of what is looked for: clear, green, amber or amber+strict
    #[arg(long, value_name = "TLP", conflicts_with = "list")]
    label: Option<Tlp>,
}

/// One hit, as `--json` tells it.
#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a str,
    line: u64,
    field: Option<String>,
    found: String,
    value: &'a str,
    kind: &'static str,
    how: &'static str,
    decoded: bool,
    /// Does the value fulfil the indicator alone?
    alone: bool,
    entry: &'a str,
    label: &'a str,
    title: &'a str,
}

/// What was done in all.
#[derive(Debug, Default)]
struct Sum {
    hits: u64,
    bytes: u64,
}

pub(super) async fn scan(session: &Session, args: &ScanArgs) -> Result<(), Failure> {
    let table = exports::detectable(session, args.list.as_deref(), args.label).await?;
    let Wanted { values, sources, left_out } = Wanted::read(&table)?;
    if values.is_empty() {
        return Err(Failure::Refused(
            "there is no value to look for: nothing that you may use for detection has one".to_owned(),
        ));
    }
    let mut key = [0; 32];
    MachineRandom::new().map_err(failure::refused)?.fill(&mut key);
    let known = values.len();
    let (index, records) = Builder::of(Key::new(key), values).map_err(failure::refused)?;
    let inputs = if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files.clone() };
    let mut sum = Sum::default();
    for path in &inputs {
        one(path, (&index, &records), &sources, session.json, &mut sum)?;
    }
    let left = if left_out == 0 { String::new() } else { format!("; {left_out} values of no kind that logs show") };
    eprintln!("{} hits in {} bytes, of {known} values{left}", sum.hits, sum.bytes);
    Ok(())
}

/// Reads one stream to its end.
fn one(
    path: &std::path::Path,
    (index, records): (&Index, &Stored),
    sources: &[Source],
    as_json: bool,
    sum: &mut Sum,
) -> Result<(), Failure> {
    let name = clean(&path.display().to_string());
    let cannot = |error: std::io::Error| Failure::Refused(format!("`{name}` can't be read: {error}"));
    let mut input = Input::open(path).map_err(cannot)?;
    let mut scanner = Scanner::new();
    let mut shape: Option<Shape> = None;
    let mut printed: Result<(), Failure> = Ok(());
    loop {
        let room = scanner.room();
        let read = input.read(room).map_err(cannot)?;
        if shape.is_none() {
            let first = room.get(..read).unwrap_or_default();
            shape = Some(Shape::of(first.split(|byte| *byte == b'\n').next().unwrap_or_default()));
        }
        let shape = shape.as_ref().unwrap_or(&Shape::Plain);
        let mut hit = |hit: &Hit<'_>| {
            if printed.is_ok() {
                sum.hits += 1;
                printed = tell(&name, hit, shape, sources, as_json);
            }
        };
        if read == 0 {
            scanner.finish(index, records, &mut hit).map_err(failure::refused)?;
        } else {
            scanner.advance(read, index, records, &mut hit).map_err(failure::refused)?;
        }
        std::mem::replace(&mut printed, Ok(()))?;
        if read == 0 {
            sum.bytes += scanner.bytes();
            return Ok(());
        }
    }
}

fn tell(file: &str, hit: &Hit<'_>, shape: &Shape, sources: &[Source], as_json: bool) -> Result<(), Failure> {
    let Some(source) = usize::try_from(hit.record.tag).ok().and_then(|tag| sources.get(tag)) else { return Ok(()) };
    let told = Told {
        file,
        line: hit.line,
        field: field_of(shape, hit.text, hit.start),
        found: String::from_utf8_lossy(hit.text.get(hit.start..hit.end).unwrap_or_default()).into_owned(),
        value: &hit.record.text,
        kind: hit.record.kind.word(),
        how: hit.how.word(),
        decoded: hit.decoded,
        alone: source.alone,
        entry: &source.entry,
        label: &source.label,
        title: &source.title,
    };
    if as_json {
        return json(&told);
    }
    let field = told.field.as_deref().map(|field| format!(" in {}", clean(field))).unwrap_or_default();
    let found = if told.found == told.value { String::new() } else { format!(" as `{}`", clean(&told.found)) };
    let part = if told.alone { "" } else { ", one part of its pattern" };
    line(&format!(
        "{file}:{}: {} {}{found}{field}, {} TLP:{} {}{part}",
        told.line,
        told.kind,
        clean(told.value),
        told.entry,
        told.label,
        clean(told.title)
    ))
}
