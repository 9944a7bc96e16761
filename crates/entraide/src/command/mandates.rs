//! `mandate`: what a partner's helpers may touch at an entity, and for how long.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use model::extension::assistance::{AccessKind, HelperKey, Hours, MandateAction, SystemName};
use model::{EntryRef, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json as object_of};

use super::failure::refused;
use super::print::{clean, line, raw};
use super::shapes::CaseWhole;
use super::{Failure, Session};
use crate::client::{Ask, encode, read};
use crate::keys::read_small;

/// `mandate …`.
#[derive(Debug, Subcommand)]
pub enum MandateCommand {
    /// Draft a mandate under an agreement in force; shows who will see it, and says it with --send
    Draft(DraftArgs),
    /// Say that the entity has consented: what its gate signed, or who recorded it
    Consent(ConsentArgs),
    /// Name the helpers whom we send, all of them, by role and SSH public key
    Helpers(HelpersArgs),
    /// Let it run, with the helpers whom the provider has named by now
    Activate {
        /// The mandate: FR:20
        entry: EntryRef,
    },
    /// Stop it for now
    Suspend(ReasonArgs),
    /// Let it run again
    Resume {
        /// The mandate: FR:20
        entry: EntryRef,
    },
    /// Take it back: at the entity's gate no session begins after 5 s, and open ones end within 60 s
    Revoke(ReasonArgs),
    /// Say that it is over as planned
    End(ReasonArgs),
    /// Record when the entity opened the way, where nothing enforces it
    Opened(AtArgs),
    /// Record when the entity closed it
    Closed(AtArgs),
    /// Make a new token for the entity's gate, shown once; the one before is worth nothing
    Token {
        /// The mandate: FR:20
        entry: EntryRef,
    },
    /// Show a mandate as it stands
    Show {
        /// Any version of it: FR:20
        entry: EntryRef,
    },
}

/// `mandate draft`.
#[derive(Debug, Args)]
pub struct DraftArgs {
    /// The acceptance under which it stands: FR:14
    entry: EntryRef,
    /// Whose systems, as the provider is to know the entity
    #[arg(long, value_name = "NAME")]
    entity: String,
    /// telephone-advice, evidence-drop, edr-tenant, vpn-rdp, ssh or escort; ssh alone is enforced
    #[arg(long, value_name = "KIND", default_value = "ssh")]
    access: AccessKind,
    /// A system, as the entity's gate names it; several times for several
    #[arg(long = "system", value_name = "NAME", required = true)]
    systems: Vec<SystemName>,
    /// What may be done: advise, read, collect, contain, rebuild; several times for several
    #[arg(long = "action", value_name = "ACTION", required = true)]
    actions: Vec<MandateAction>,
    /// From when on; now without it
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Until when, at most 31 days
    #[arg(long, value_name = "TIME")]
    until: Timestamp,
    /// Within which hours of a day, UTC: 07:00-19:00
    #[arg(long, value_name = "HOURS")]
    hours: Option<Hours>,
    /// What of the data may be taken, and where it may go
    #[arg(long, value_name = "TEXT")]
    data_limits: Option<String>,
    /// Who may take it back: names and numbers
    #[arg(long, value_name = "WHO")]
    revokers: String,
    /// Who comes, by role
    #[arg(long, value_name = "WHO")]
    team: String,
    /// Say it, after a look at who will see it
    #[arg(long)]
    send: bool,
}

/// `mandate consent`.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    /// The mandate: FR:20
    entry: EntryRef,
    /// What the entity signed at its gate: `entraide gate consent`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["by", "recorded_by"])]
    signed: Option<PathBuf>,
    /// Who consented: name and function
    #[arg(long, value_name = "WHO", required_unless_present = "signed")]
    by: Option<String>,
    /// Who recorded it, and how it was said
    #[arg(long, value_name = "WHO", required_unless_present = "signed")]
    recorded_by: Option<String>,
    /// When; now without it
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// `mandate helpers`.
#[derive(Debug, Args)]
pub struct HelpersArgs {
    /// The mandate: FR:20
    entry: EntryRef,
    /// ROLE=KEY, the key as the line of an id_ed25519.pub; several times for several; without any nobody comes
    #[arg(long = "helper", value_name = "ROLE=KEY")]
    helpers: Vec<HelperArg>,
}

/// A step with a reason.
#[derive(Debug, Args)]
pub struct ReasonArgs {
    /// The mandate: FR:20
    entry: EntryRef,
    /// Why, if it is to be said
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// A step at a time.
#[derive(Debug, Args)]
pub struct AtArgs {
    /// The mandate: FR:20
    entry: EntryRef,
    /// When
    #[arg(long, value_name = "TIME")]
    at: Timestamp,
}

/// `forensics 1=ssh-ed25519 AAAA…`.
#[derive(Debug, Clone)]
pub struct HelperArg {
    role: String,
    key: HelperKey,
}

impl std::str::FromStr for HelperArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (role, key) = text.split_once('=').ok_or("write ROLE=KEY")?;
        Ok(Self { role: role.to_owned(), key: key.parse()? })
    }
}

pub(super) async fn mandate(session: &Session, command: &MandateCommand) -> Result<(), Failure> {
    match command {
        MandateCommand::Draft(args) => draft(session, args).await,
        MandateCommand::Consent(args) => consent(session, args).await,
        MandateCommand::Helpers(args) => {
            let helper = |one: &HelperArg| object_of!({ "role": one.role, "key": one.key });
            let helpers: Vec<Value> = args.helpers.iter().map(helper).collect();
            say(session, args.entry, "helpers", &object_of!({ "helpers": helpers })).await
        }
        MandateCommand::Activate { entry } => step(session, *entry, "activate").await,
        MandateCommand::Resume { entry } => step(session, *entry, "resume").await,
        MandateCommand::Token { entry } => step(session, *entry, "gate").await,
        MandateCommand::Suspend(args) => reasoned(session, args, "suspend").await,
        MandateCommand::Revoke(args) => reasoned(session, args, "revoke").await,
        MandateCommand::End(args) => reasoned(session, args, "end").await,
        MandateCommand::Opened(args) => {
            say(session, args.entry, "step", &object_of!({ "step": "opened", "at": args.at })).await
        }
        MandateCommand::Closed(args) => {
            say(session, args.entry, "step", &object_of!({ "step": "closed", "at": args.at })).await
        }
        MandateCommand::Show { entry } => show(session, *entry).await,
    }
}

fn path(entry: EntryRef, what: &str) -> String {
    format!("/mandates/{}{what}", encode(&entry.to_string()))
}

async fn draft(session: &Session, args: &DraftArgs) -> Result<(), Failure> {
    if !args.send {
        let ask = Ask::get(format!("/assistance/{}", encode(&args.entry.to_string())));
        let case: CaseWhole = session.client.value(&ask).await?;
        let name = args.entry.to_string();
        let offer = case.answers.iter().find(|offer| offer.agreements.iter().any(|agreed| agreed.entry == name));
        let offer = offer.ok_or_else(|| Failure::Refused(format!("`{name}` is not an acceptance: see assist show")))?;
        if session.json {
            return super::print::json(&object_of!({ "sees": [case.row.owner, offer.provider], "sent": false }));
        }
        line(&format!("{}  we, who say it", case.row.owner))?;
        line(&format!("{}  the provider of the agreement, alone, as TLP:AMBER+STRICT", offer.provider))?;
        line("nobody else sees it; it names the entity, its systems and who may take it back")?;
        return line("nothing was sent: the same command with --send says it");
    }
    let drafted = object_of!({
        "entity": args.entity, "access": args.access, "systems": args.systems, "actions": args.actions,
        "from": args.from, "until": args.until, "hours": args.hours, "data_limits": args.data_limits,
        "revokers": args.revokers, "team": args.team,
    });
    let path = format!("/assistance/{}/mandates", encode(&args.entry.to_string()));
    told(session, &session.client.bytes(&Ask::json(Method::POST, path, &drafted)).await?)
}

async fn consent(session: &Session, args: &ConsentArgs) -> Result<(), Failure> {
    let said = match &args.signed {
        Some(file) => {
            let bytes = read_small(file).map_err(refused)?;
            let signed: Value = serde_json::from_slice(&bytes).map_err(|_| {
                Failure::Refused(format!("`{}` is not what `entraide gate consent` writes", file.display()))
            })?;
            object_of!({ "step": "consent", "by": signed["by"], "key": signed["key"], "note": signed["note"],
                "at": args.at })
        }
        None => object_of!({ "step": "consent", "by": args.by, "recorded_by": args.recorded_by, "at": args.at }),
    };
    say(session, args.entry, "step", &said).await
}

async fn step(session: &Session, entry: EntryRef, step: &str) -> Result<(), Failure> {
    say(session, entry, "step", &object_of!({ "step": step })).await
}

async fn reasoned(session: &Session, args: &ReasonArgs, step: &str) -> Result<(), Failure> {
    say(session, args.entry, "step", &object_of!({ "step": step, "reason": args.reason })).await
}

async fn say(session: &Session, entry: EntryRef, what: &str, value: &Value) -> Result<(), Failure> {
    let path = path(entry, &format!("/{what}"));
    told(session, &session.client.bytes(&Ask::json(Method::POST, path, value)).await?)
}

fn told(session: &Session, bytes: &bytes::Bytes) -> Result<(), Failure> {
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let said: MandateSaid = read(bytes)?;
    line(&format!("said at {}; entraide mandate show {}", said.entry, said.entry))?;
    match said.token {
        Some(token) => line(&format!("the gate's token, shown once: {token}")),
        None => Ok(()),
    }
}

async fn show(session: &Session, entry: EntryRef) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get(path(entry, ""))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let row: MandateRow = read(&bytes)?;
    line(&format!("{}  {}  {} for {}", row.entry, row.standing, clean(&row.entity), row.provider))?;
    let kept = if row.enforced { "enforced by the entity's gate" } else { "recorded: people keep it" };
    line(&format!("  {} ({kept}): {} on {}", row.access, row.actions.join(", "), row.systems.join(", ")))?;
    let hours = row.hours.map(|hours| format!(", {hours} UTC")).unwrap_or_default();
    line(&format!("  {} to {}{hours}; may be taken back by {}", row.from, row.until, clean(&row.revokers)))?;
    match &row.consent {
        Some(consent) => {
            line(&format!("  the entity's consent: {}, {}, {}", clean(&consent.by), consent.at, consent.how))?;
        }
        None => line("  the entity has not consented")?,
    }
    for helper in &row.helpers {
        line(&format!("  may come: {}  {}", clean(&helper.role), clean(&helper.key)))?;
    }
    for helper in row.named.iter().filter(|named| !row.helpers.contains(named)) {
        line(&format!("  named, not activated: {}  {}", clean(&helper.role), clean(&helper.key)))?;
    }
    for (word, at) in [("opened", &row.opened), ("closed", &row.closed)] {
        if let Some(at) = at {
            line(&format!("  {word} by the entity at {at}"))?;
        }
    }
    line(&format!("next: {}", row.next.join(", ")))
}

#[derive(Debug, Deserialize)]
pub(super) struct MandateRow {
    pub(super) entry: String,
    pub(super) provider: String,
    pub(super) standing: String,
    pub(super) entity: String,
    pub(super) access: String,
    pub(super) enforced: bool,
    pub(super) systems: Vec<String>,
    pub(super) actions: Vec<String>,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) hours: Option<String>,
    pub(super) revokers: String,
    pub(super) consent: Option<ConsentRow>,
    pub(super) helpers: Vec<HelperRow>,
    pub(super) named: Vec<HelperRow>,
    pub(super) opened: Option<String>,
    pub(super) closed: Option<String>,
    pub(super) next: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ConsentRow {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) how: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct HelperRow {
    pub(super) role: String,
    pub(super) key: String,
}

#[derive(Deserialize)]
pub(super) struct MandateSaid {
    pub(super) entry: String,
    pub(super) token: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_a_role_and_a_key() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me@here";
        let helper: HelperArg = format!("forensics 1={key}").parse().unwrap();
        assert_eq!((helper.role.as_str(), helper.key.as_str().len()), ("forensics 1", 80));
        assert!("forensics 1".parse::<HelperArg>().is_err() && "a=ssh-rsa AAAA".parse::<HelperArg>().is_err());
    }
}
