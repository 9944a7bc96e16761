//! `audience` and `community`: to whom we speak.

use clap::Subcommand;
use hyper::Method;
use serde_json::json as object_of;

use super::objects::{countries, country};
use super::print::{clean, line, raw, table};
use super::shapes::{Audience, AudienceSaid, Page, Preview};
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `audience …`.
#[derive(Debug, Subcommand)]
pub enum AudienceCommand {
    /// Make an audience for a matter, and say so to its members
    Create {
        /// Its name
        name: String,
        /// Countries or whole origins of confirmed partners, separated by commas; * is all with a node
        #[arg(long, value_delimiter = ',', value_name = "EE,DE,…")]
        members: Vec<String>,
    },
    /// Show every audience: our own, and those of partners in which we are
    List,
    /// Change who is in an audience; those who join get its history only with --backfill
    Members {
        /// Which
        name: String,
        /// All its members from now on, separated by commas; * is all confirmed partners with a node
        #[arg(required = true, value_delimiter = ',', value_name = "EE,DE,…")]
        members: Vec<String>,
        /// Send the history too: the number of older statements that `preview` showed
        #[arg(long, value_name = "N")]
        backfill: Option<u64>,
    },
    /// Show what a change of members would do, and change nothing
    Preview {
        /// Which
        name: String,
        /// All its members, separated by commas
        #[arg(required = true, value_delimiter = ',', value_name = "EE,DE,…")]
        members: Vec<String>,
    },
    /// Show one of our audiences
    Show {
        /// Which
        name: String,
    },
}

/// `community …`.
#[derive(Debug, Subcommand)]
pub enum CommunityCommand {
    /// Make a standing circle of partners
    Create {
        /// Its name
        name: String,
        /// Countries or whole origins of confirmed partners, separated by commas; * is all with a node
        #[arg(long, value_delimiter = ',', value_name = "EE,DE,…")]
        members: Vec<String>,
    },
    /// Show every community
    List,
    /// Send CLEAR and GREEN to it when no audience is named
    Tick {
        /// Which
        name: String,
    },
    /// Stop sending CLEAR and GREEN to it when no audience is named
    Untick {
        /// Which
        name: String,
    },
    /// Change who is in it; those who join get its history only with --backfill
    Members {
        /// Which
        name: String,
        /// All its members from now on, separated by commas; * is all confirmed partners with a node
        #[arg(required = true, value_delimiter = ',', value_name = "EE,DE,…")]
        members: Vec<String>,
        /// Send the history too: the number of older statements that `audience preview` showed
        #[arg(long, value_name = "N")]
        backfill: Option<u64>,
    },
}

pub(super) async fn audience(session: &Session, command: &AudienceCommand) -> Result<(), Failure> {
    match command {
        AudienceCommand::Create { name, members } => create(session, name, "named", members).await,
        AudienceCommand::List => list(session, None).await,
        AudienceCommand::Members { name, members, backfill } => change(session, name, members, *backfill).await,
        AudienceCommand::Preview { name, members } => {
            let path = format!("/audiences/{}/preview", encode(name));
            let ask = Ask::json(Method::POST, path, &object_of!({ "members": members }));
            let bytes = session.client.bytes(&ask).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let preview: Preview = read(&bytes)?;
            line(&format!("joining  {}", countries(&preview.joining)))?;
            line(&format!("leaving  {}", countries(&preview.leaving)))?;
            line(&format!("history  {} older objects would go with --backfill {0}", preview.older))
        }
        AudienceCommand::Show { name } => {
            let bytes = session.client.bytes(&Ask::get(format!("/audiences/{}", encode(name)))).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            table(&[row(&read::<Audience>(&bytes)?)])
        }
    }
}

pub(super) async fn community(session: &Session, command: &CommunityCommand) -> Result<(), Failure> {
    match command {
        CommunityCommand::Create { name, members } => create(session, name, "community", members).await,
        CommunityCommand::List => list(session, Some("community")).await,
        CommunityCommand::Tick { name } => tick(session, name, true).await,
        CommunityCommand::Untick { name } => tick(session, name, false).await,
        CommunityCommand::Members { name, members, backfill } => change(session, name, members, *backfill).await,
    }
}

async fn create(session: &Session, name: &str, kind: &str, members: &[String]) -> Result<(), Failure> {
    let new = object_of!({ "name": name, "kind": kind, "members": members });
    said(session, &Ask::json(Method::POST, "/audiences", &new)).await
}

async fn change(session: &Session, name: &str, members: &[String], backfill: Option<u64>) -> Result<(), Failure> {
    let path = format!("/audiences/{}/members", encode(name));
    let new = object_of!({ "members": members, "backfill": backfill });
    said(session, &Ask::json(Method::PUT, path, &new)).await
}

async fn said(session: &Session, ask: &Ask) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let said: AudienceSaid = read(&bytes)?;
    line(&format!("{}, version {}: {}", clean(&said.name), said.version, countries(&said.members)))
}

async fn tick(session: &Session, name: &str, ticked: bool) -> Result<(), Failure> {
    let path = format!("/audiences/{}/tick", encode(name));
    let bytes = session.client.bytes(&Ask::json(Method::PUT, path, &object_of!({ "ticked": ticked }))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let go = if ticked { "go to it by default" } else { "no longer go to it by default" };
    line(&format!("{name}: CLEAR and GREEN {go}"))
}

async fn list(session: &Session, kind: Option<&str>) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/audiences")).await?;
    if session.json {
        let mut page: serde_json::Value = read(&bytes)?;
        if let (Some(kind), Some(items)) = (kind, page.get_mut("items").and_then(|items| items.as_array_mut())) {
            items.retain(|item| item.get("kind").and_then(|of| of.as_str()) == Some(kind));
        }
        return super::print::json(&page);
    }
    let page: Page<Audience> = read(&bytes)?;
    let wanted = page.items.iter().filter(|audience| kind.is_none_or(|kind| audience.kind == kind));
    table(&wanted.map(row).collect::<Vec<_>>())
}

fn row(audience: &Audience) -> Vec<String> {
    let members: Vec<&str> = audience.members.iter().map(|member| member.country.as_str()).collect();
    let ticked = if audience.ticked { "ticked" } else { "" };
    vec![
        clean(&audience.name),
        format!("{} of {}", audience.kind, country(&audience.origin)),
        format!("version {}", audience.version),
        audience.entry.clone(),
        ticked.to_owned(),
        members.join(" "),
    ]
}
