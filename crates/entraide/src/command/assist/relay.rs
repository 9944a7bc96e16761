//! `assist relay`: what a partner without a node says over the telephone is taken down, read back, and confirmed.

use clap::Args;
use hyper::Method;
use model::extension::assistance::Payer;
use model::{EntryRef, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json as object_of};

use super::super::print::{clean, line, raw};
use super::super::{Failure, Session};
use super::{LineArg, told};
use crate::client::{Ask, encode, read};

/// `assist relay`.
#[derive(Debug, Args)]
pub struct RelayArgs {
    /// Our call for help, or the acceptance that is signed, declined or ended: FR:12
    entry: EntryRef,
    #[command(flatten)]
    pub(crate) says: SaysArgs,
}

/// Who says what.
#[derive(Debug, Args)]
pub struct SaysArgs {
    /// yes, maybe, no or withdrawn; of an acceptance sign, decline, acknowledge, done or end
    #[arg(value_parser = ["yes", "maybe", "no", "withdrawn", "sign", "decline", "acknowledge", "done", "end"])]
    says: String,
    /// Who says it there: name and office
    #[arg(long, value_name = "WHO")]
    said_by: String,
    /// When it was said; now unless said otherwise
    #[arg(long, value_name = "TIME")]
    said_at: Option<Timestamp>,
    /// Whom to call: name and number; with an answer alone
    #[arg(long, value_name = "WHO")]
    call: Option<String>,
    /// What is offered: LINE:QUANTITY[:MODE]; with yes and none everything that is asked
    #[arg(long = "line", value_name = "LINE")]
    lines: Vec<LineArg>,
    /// Who pays: provider, requester, to-be-agreed
    #[arg(long, value_name = "PAYER")]
    payer: Option<Payer>,
    /// It may be accepted until then
    #[arg(long, value_name = "TIME")]
    valid_until: Option<Timestamp>,
    /// What else is said, or why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl SaysArgs {
    /// As the API takes it.
    pub(crate) fn told(&self, partner: &str) -> Value {
        let lines: Vec<Value> = self.lines.iter().map(LineArg::offered).collect();
        object_of!({
            "partner": partner, "said_by": self.said_by, "said_at": self.said_at, "says": self.says, "call": self.call,
            "lines": lines, "payer": self.payer, "valid_until": self.valid_until, "note": self.note,
        })
    }
}

#[derive(Debug, Deserialize)]
struct Draft {
    number: i64,
    read_back: String,
    until: String,
}

pub(super) async fn take_down(session: &Session, partner: &str, args: &RelayArgs) -> Result<(), Failure> {
    let path = format!("/assistance/{}/relay", encode(&args.entry.to_string()));
    let bytes = session.client.bytes(&Ask::json(Method::POST, path, &args.says.told(partner))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let draft: Draft = read(&bytes)?;
    line("Read this to them, word for word:")?;
    line("")?;
    for one in draft.read_back.lines() {
        line(&format!("  {}", clean(one)))?;
    }
    line("")?;
    line(&format!(
        "If they say that it is right, before {}: entraide assist relay-confirm {}",
        draft.until, draft.number
    ))?;
    line(&format!("If not: entraide assist relay-drop {}", draft.number))
}

pub(super) async fn confirm(session: &Session, number: i64) -> Result<(), Failure> {
    let ask = Ask::json(Method::POST, format!("/relays/{number}/confirm"), &object_of!({}));
    told(session, &session.client.bytes(&ask).await?)
}

pub(super) async fn drop_draft(session: &Session, number: i64) -> Result<(), Failure> {
    session.client.bytes(&Ask::delete(format!("/relays/{number}"))).await?;
    line("dropped: nothing of it was said")
}
