//! `import`: files go into intake, or are asserted, in batches. A batch has an idempotency key of its own bytes, so the
//! same import may be run again after any interruption: what was acknowledged is not done twice.

mod files;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use intake::{Classification, Item, Kind, Limits};
use model::{Pap, StixId, Tlp, Walled};
use serde::Serialize;
use serde_json::json as object_of;
use sha2::{Digest, Sha256};

use super::print::{clean, json, line};
use super::shapes::{AssertedPart, Ceiling, Fate, Page};
use super::{Failure, Session};
use crate::client::{Ask, encode};
use crate::limits;

/// `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// STIX 2.1 bundles or objects, MISP events or exports; of a directory every .json file below it
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Make what is in them our word, instead of taking it into intake
    #[arg(long, requires = "label")]
    assert: bool,
    /// clear, green, amber, amber+strict or red; an object that is labelled stricter is refused
    #[arg(long, value_name = "TLP", requires = "assert")]
    label: Option<Tlp>,
    /// To whom; without it CLEAR and GREEN go to the ticked communities
    #[arg(long, value_name = "NAME", requires = "assert")]
    audience: Option<String>,
    /// clear, green, amber or red; without it what each object says of itself
    #[arg(long, value_name = "PAP", requires = "assert")]
    pap: Option<Pap>,
    /// Of RED, who may read it on this node; repeat it, or separate with commas
    #[arg(long = "reader", value_name = "LOGIN", requires = "assert", value_delimiter = ',')]
    readers: Vec<String>,
    /// What was told in confidence: voluntary, help, evidence or finding; supervising desks do not see it
    #[arg(long, value_name = "KIND")]
    kind: Option<Walled>,
}

/// What became of everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Tally {
    files: u64,
    /// New in intake, or asserted.
    taken: u64,
    /// In intake or said already, with the same bytes.
    already: u64,
    /// Kept in intake beside another of the same id and version.
    conflict: u64,
    /// Objects and files.
    refused: u64,
}

/// One object's line in JSON.
#[derive(Serialize)]
struct Told<'a> {
    file: &'a str,
    #[serde(flatten)]
    fate: ToldFate<'a>,
}

#[derive(Serialize)]
struct ToldFate<'a> {
    id: Option<&'a str>,
    entry: Option<&'a str>,
    intake: Option<i64>,
    fate: &'a str,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parts: &'a [AssertedPart],
}

pub(super) async fn import(session: &Session, args: &ImportArgs) -> Result<(), Failure> {
    let found = files::find(&args.paths);
    let total = found.files.iter().map(|file| file.bytes).sum();
    let ceiling = ceiling(session).await?;
    let mut import = Import { session, args, ceiling, tally: Tally::default(), bar: progress(total, session.json) };
    for problem in &found.problems {
        import.refuse(&problem.path.display().to_string(), None, &problem.reason)?;
    }
    let mut done = 0;
    for file in &found.files {
        import.file(&file.path).await?;
        done += file.bytes;
        import.bar.set_position(done);
        import.tally.files += 1;
    }
    import.bar.finish_and_clear();
    import.summary()
}

/// What the node takes: what is marked higher does not even reach it. A node that does not say takes nothing classified.
async fn ceiling(session: &Session) -> Result<Classification, Failure> {
    let told: Ceiling = session.client.value(&Ask::get("/status")).await?;
    Ok(told.ceiling.and_then(|word| word.parse().ok()).unwrap_or_default())
}

/// A bar for people at a terminal; nothing for programs.
fn progress(total: u64, json: bool) -> ProgressBar {
    let visible = std::io::stderr().is_terminal() && !json;
    let target = if visible { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

struct Import<'a> {
    session: &'a Session,
    args: &'a ImportArgs,
    ceiling: Classification,
    tally: Tally,
    bar: ProgressBar,
}

impl Import<'_> {
    async fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let name = path.display().to_string();
        self.bar.set_message(clean(&name));
        let bytes = match files::read(path) {
            Ok(bytes) => bytes,
            Err(reason) => return self.refuse(&name, None, &reason),
        };
        let split = match intake::split(&bytes, Limits { ceiling: self.ceiling, ..Limits::default() }) {
            Ok(split) => split,
            Err(error) => return self.refuse(&name, None, &error.to_string()),
        };
        let mut good = Vec::with_capacity(split.items.len());
        for item in &split.items {
            match &item.head {
                Ok(_) => good.push(item),
                Err(refusal) => {
                    let place = format!("object {}, at byte {}", refusal.position, refusal.offset);
                    self.refuse(&name, Some(&place), &refusal.reason.to_string())?;
                }
            }
        }
        let path = self.route(path);
        for batch in intake::batches(&good, node::limits::COMMAND_OBJECTS, limits::BATCH_BYTES) {
            self.batch(&name, &path, split.kind, batch).await?;
        }
        Ok(())
    }

    /// Where the batches of a file go.
    fn route(&self, file: &Path) -> String {
        let Some(label) = self.args.label else {
            let source = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let kind = self.args.kind.map(|kind| format!("&kind={}", kind.word())).unwrap_or_default();
            return format!("/intake?source={}{kind}", encode(cut(&clean(&source), model::limits::NAME_BYTES)));
        };
        let mut path = format!("/statements?label={}", encode(&label.word().to_ascii_lowercase()));
        if let Some(audience) = &self.args.audience {
            path.push_str(&format!("&audience={}", encode(audience)));
        }
        if let Some(pap) = self.args.pap {
            path.push_str(&format!("&pap={}", encode(&pap.word().to_ascii_lowercase())));
        }
        if !self.args.readers.is_empty() {
            path.push_str(&format!("&readers={}", encode(&self.args.readers.join(","))));
        }
        if let Some(kind) = self.args.kind {
            path.push_str(&format!("&kind={}", kind.word()));
        }
        path
    }

    async fn batch(&mut self, name: &str, path: &str, kind: Kind, batch: &[&Item<'_>]) -> Result<(), Failure> {
        let spans: Vec<&[u8]> = batch.iter().map(|item| item.span).collect();
        let body = body(kind, &spans).map_err(super::failure::refused)?;
        let key = key(path, &body);
        let ask = Ask::post(path, body).idempotent(key);
        let answer = self.session.client.bytes_patiently(&ask).await;
        let fates: Page<Fate> = crate::client::read(&answer.inspect_err(|_| self.bar.finish_and_clear())?)?;
        for fate in &fates.items {
            self.told(name, fate)?;
        }
        self.bar.inc(spans.iter().map(|span| span.len() as u64).sum());
        Ok(())
    }

    fn told(&mut self, file: &str, fate: &Fate) -> Result<(), Failure> {
        let (id, reason) = (fate.id.as_deref(), fate.reason.as_deref());
        match fate.fate.as_str() {
            "new" | "asserted" => self.tally.taken += 1,
            "duplicate" | "already" => self.tally.already += 1,
            "conflict" => {
                self.tally.conflict += 1;
                let known = "another object of the same id and version is known: both are in intake, decide there";
                self.say(file, id, reason.unwrap_or(known));
            }
            _ => {
                self.tally.refused += 1;
                self.say(file, id, reason.unwrap_or("refused"));
            }
        }
        if self.session.json {
            let (entry, parts) = (fate.entry.as_deref(), fate.parts.as_slice());
            json(&Told { file, fate: ToldFate { id, entry, intake: fate.intake, fate: &fate.fate, reason, parts } })?;
        } else if !fate.parts.is_empty() {
            let part = |part: &AssertedPart| format!("{} TLP:{}", part.entry, part.tlp.to_ascii_uppercase());
            let parts: Vec<String> = fate.parts.iter().map(part).collect();
            self.say(file, id, &format!("said in parts, one for each label: {}", parts.join(", ")));
        }
        Ok(())
    }

    /// A refusal that never reached the node.
    fn refuse(&mut self, file: &str, place: Option<&str>, reason: &str) -> Result<(), Failure> {
        self.tally.refused += 1;
        self.say(file, place, reason);
        if self.session.json {
            let fate =
                ToldFate { id: None, entry: None, intake: None, fate: "refused", reason: Some(reason), parts: &[] };
            json(&Told { file, fate })?;
        }
        Ok(())
    }

    /// `file: id: reason` on standard error.
    fn say(&self, file: &str, id: Option<&str>, reason: &str) {
        if !self.session.json {
            let id = id.map(|id| format!("{id}: ")).unwrap_or_default();
            self.bar.suspend(|| eprintln!("{}", clean(&format!("{file}: {id}{reason}"))));
        }
    }

    fn summary(&self) -> Result<(), Failure> {
        let Tally { files, taken, already, conflict, refused } = self.tally;
        if self.session.json {
            json(&object_of!({ "summary": self.tally }))?;
        } else {
            let done = if self.args.assert { "asserted" } else { "taken into intake" };
            let before = if self.args.assert { "said before" } else { "there before" };
            line(&format!(
                "{files} files: {taken} objects {done}, {already} {before}, {conflict} in conflict, {refused} refused"
            ))?;
        }
        if refused + conflict > 0 { Err(Failure::Told) } else { Ok(()) }
    }
}

/// At most `bytes` of a text, cut between letters.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// A batch in the shape of its file, around bytes that stay as they are.
fn body(kind: Kind, spans: &[&[u8]]) -> Result<Vec<u8>, model::ids::IdError> {
    match kind {
        Kind::StixBundle | Kind::StixObject => {
            let mut digest = Sha256::new();
            for span in spans {
                digest.update(span);
            }
            let digest: [u8; 32] = digest.finalize().into();
            let mut id = [0; 16];
            id.copy_from_slice(&digest[..16]);
            // The same objects are the same bundle, so that the batch's key stays the same too.
            Ok(intake::bundle(&StixId::from_random("bundle", id)?, spans))
        }
        Kind::MispEvent | Kind::MispExport => {
            let mut out = Vec::with_capacity(spans.iter().map(|span| span.len() + 16).sum());
            for (at, span) in spans.iter().enumerate() {
                out.extend_from_slice(if at == 0 { br#"[{"Event":"# } else { br#",{"Event":"# });
                out.extend_from_slice(span);
                out.push(b'}');
            }
            out.push(b']');
            Ok(out)
        }
    }
}

/// The idempotency key of a batch: of where it goes, and its bytes.
fn key(path: &str, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(path.as_bytes());
    digest.update([0]);
    digest.update(body);
    let digest: [u8; 32] = digest.finalize().into();
    format!("import-{}", model::bytes::hex(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_keeps_the_bytes_of_its_objects() {
        let tool: &[u8] = br#"{ "type":"tool", "id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f" }"#;
        let event: &[u8] = br#"{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219", "timestamp":"1"}"#;
        let check = |kind: Kind, spans: &[&[u8]]| {
            let body = body(kind, spans).unwrap();
            let split = intake::split(&body, Limits::default()).unwrap();
            let back: Vec<&[u8]> = split.items.iter().map(|item| item.span).collect();
            assert_eq!(back, spans);
            assert!(split.items.iter().all(|item| item.head.is_ok()));
        };
        check(Kind::StixBundle, &[tool, tool]);
        check(Kind::StixObject, &[tool]);
        check(Kind::MispEvent, &[event]);
        check(Kind::MispExport, &[event, event]);
    }

    #[test]
    fn the_same_batch_has_the_same_key_and_no_other() {
        assert_eq!(key("/a", b"x"), key("/a", b"x"));
        assert_ne!(key("/a", b"x"), key("/a", b"y"));
        assert_ne!(key("/a", b"x"), key("/b", b"x"));
        assert!(key("/a", b"x").len() <= node::limits::IDEMPOTENCY_KEY_BYTES);
    }

    #[test]
    fn names_are_cut_between_letters() {
        assert_eq!(cut("éé", 3), "é");
        assert_eq!(cut("ab", 9), "ab");
    }
}
