//! `mailbox`: mail of partners without a node.

use clap::{Args, Subcommand};
use hyper::Method;
use model::EntryRef;
use serde::Deserialize;
use serde_json::json as object_of;

use super::assist::relay::SaysArgs;
use super::print::{clean, line, raw, table};
use super::shapes::{Page, SaidOf};
use super::{Failure, Session};
use crate::client::{Ask, read};

/// `mailbox …`.
#[derive(Debug, Subcommand)]
pub enum MailboxCommand {
    /// List mail, what waits first
    List,
    /// Show a mail: what it says, whose key signed it, and what is attached
    Show {
        /// Its number
        number: i64,
    },
    /// Make a mail that the partner's key signed its relayed word
    Relay(RelayArgs),
    /// Set a mail aside
    Dismiss {
        /// Its number
        number: i64,
        /// Why, in one line
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// `mailbox relay`.
#[derive(Debug, Args)]
pub struct RelayArgs {
    /// The mail's number
    number: i64,
    /// Our call for help, or the acceptance that it is about: FR:12
    entry: EntryRef,
    #[command(flatten)]
    says: SaysArgs,
}

#[derive(Debug, Deserialize)]
struct Mail {
    number: i64,
    received: String,
    claims: String,
    subject: String,
    partner: Option<String>,
    encrypted: bool,
    signature: String,
    fingerprint: Option<String>,
    text: String,
    files: Vec<String>,
    state: String,
    outcome: Option<String>,
}

pub(super) async fn mailbox(session: &Session, command: &MailboxCommand) -> Result<(), Failure> {
    match command {
        MailboxCommand::List => list(session).await,
        MailboxCommand::Show { number } => show(session, *number).await,
        MailboxCommand::Relay(args) => {
            let told = object_of!({ "entry": args.entry.to_string(), "told": args.says.told("") });
            let ask = Ask::json(Method::POST, format!("/mailbox/{}/relay", args.number), &told);
            let bytes = session.client.bytes(&ask).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let said: SaidOf = read(&bytes)?;
            line(&format!("said at {}, marked as relayed; entraide assist show {}", said.entry, said.request))
        }
        MailboxCommand::Dismiss { number, reason } => {
            let ask = Ask::json(Method::POST, format!("/mailbox/{number}/dismiss"), &object_of!({ "reason": reason }));
            let bytes = session.client.bytes(&ask).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            line(&format!("mail {number} is set aside"))
        }
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/mailbox")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let mails = read::<Page<Mail>>(&bytes)?.items;
    if mails.is_empty() {
        return line("no mail");
    }
    let row = |one: &Mail| {
        let outcome = one.outcome.as_deref().map(|outcome| format!(": {}", clean(outcome))).unwrap_or_default();
        vec![
            format!("mail {}", one.number),
            one.received.clone(),
            whose(one),
            clean(&one.subject),
            format!("{}{outcome}", one.state),
        ]
    };
    table(&mails.iter().map(row).collect::<Vec<_>>())
}

/// Whose it is: by the key, never by what it claims.
fn whose(mail: &Mail) -> String {
    match (&mail.partner, mail.signature.as_str()) {
        (Some(partner), "good") => format!("signed by {partner}"),
        _ => format!("claims {}, signature {}", clean(&mail.claims), mail.signature),
    }
}

async fn show(session: &Session, number: i64) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/mailbox")).await?;
    let found = read::<Page<Mail>>(&bytes)?.items.into_iter().find(|one| one.number == number);
    let mail =
        found.ok_or_else(|| Failure::Refused(format!("there is no mail {number} among the newest: list them")))?;
    line(&format!("mail {}, {}, {}", mail.number, mail.received, mail.state))?;
    line(&format!("claims     {}", clean(&mail.claims)))?;
    line(&format!("subject    {}", clean(&mail.subject)))?;
    line(&format!("signature  {}{}", mail.signature, mail.partner.map(|of| format!(", of {of}")).unwrap_or_default()))?;
    if let Some(fingerprint) = &mail.fingerprint {
        line(&format!("key        {}", clean(fingerprint)))?;
    }
    line(&format!("encrypted  {}", if mail.encrypted { "yes" } else { "no" }))?;
    for file in &mail.files {
        line(&format!("attached   {}", clean(file)))?;
    }
    line("")?;
    mail.text.lines().try_for_each(|one| line(&format!("  {}", clean(one))))
}
