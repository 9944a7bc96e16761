//! `pointer`: says that a classified annex exists and whom to call. Who will see it is shown first, and nothing is sent
//! until it is asked for.

use clap::Args;
use hyper::Method;
use model::Tlp;
use model::party::AnnexLevel;
use serde_json::json as object_of;

use super::print::{line, raw};
use super::shapes::Pointed;
use super::{Failure, Session, objects};
use crate::client::{Ask, read};

/// `pointer`.
#[derive(Debug, Args)]
pub struct PointerArgs {
    /// How high the annex is: eu-restricted, eu-secret, nato-confidential, national-restricted, …
    #[arg(long)]
    level: AnnexLevel,
    /// The accredited system or the registry in which it is kept
    #[arg(long, value_name = "TEXT")]
    held_at: String,
    /// Whom to ask for
    #[arg(long, value_name = "TEXT")]
    desk: String,
    /// The telephone number
    #[arg(long, value_name = "NUMBER")]
    telephone: String,
    /// What it is about, in one line of English that is not classified itself
    #[arg(long, value_name = "TEXT")]
    summary: String,
    /// Who may see the pointer: clear, green, amber or amber+strict
    #[arg(long, value_name = "TLP")]
    label: Tlp,
    /// To whom; without it CLEAR and GREEN go to the ticked communities
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// Say it, after a look at who will see it
    #[arg(long)]
    send: bool,
}

pub(super) async fn pointer(session: &Session, args: &PointerArgs) -> Result<(), Failure> {
    let label = args.label.word().to_ascii_lowercase();
    if !args.send {
        let planned = object_of!({ "label": label, "audience": args.audience });
        let bytes = session.client.bytes(&Ask::json(Method::POST, "/who-sees", &planned)).await?;
        if session.json {
            return raw(&[&bytes[..], b"\n"].concat());
        }
        objects::sheet(&read(&bytes)?)?;
        return line("nothing was sent: the same command with --send says it");
    }
    let new = object_of!({ "level": args.level.word(), "held_at": args.held_at, "desk": args.desk,
        "telephone": args.telephone, "summary": args.summary, "label": label, "audience": args.audience });
    let bytes = session.client.bytes(&Ask::json(Method::POST, "/pointers", &new)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let said: Pointed = read(&bytes)?;
    line(&format!("{} points to the annex {}", said.entry, said.reference))
}
