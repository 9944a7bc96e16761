//! `user` and `token`: who may work on the node.

use clap::Subcommand;
use hyper::Method;
use model::{Desk, Role};
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::{Access, NewToken, Page, Passkey, Token, User};
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `user …`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account; password and one-time-code secret are shown once
    Add {
        /// By which it logs in: 2 to 64 of a-z, 0-9, dot, hyphen, underscore
        login: String,
        /// The name for people
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// csirt, competent-authority, single-point-of-contact, crisis-authority, hub or coordinator
        #[arg(long, default_value_t = Desk::Csirt)]
        desk: Desk,
        /// viewer, analyst, duty-officer, liaison, crisis-officer, administrator, entity-reporter, auditor; repeat it, or
        /// separate with commas
        #[arg(long = "role", required = true, value_delimiter = ',', value_name = "ROLE")]
        roles: Vec<Role>,
    },
    /// Show every account
    List,
    /// Lock an account: its sessions end at once
    Lock {
        /// Which
        login: String,
    },
    /// Unlock an account
    Unlock {
        /// Which
        login: String,
    },
    /// Give an account a new password and a new one-time-code secret; its passkeys and sessions end
    Reset {
        /// Which
        login: String,
    },
    /// Show the passkeys of an account, or revoke one; its sessions end then
    Passkeys {
        /// Which account
        login: String,
        /// The passkey to revoke, as the list names it
        #[arg(long, value_name = "ID")]
        revoke: Option<String>,
    },
}

/// `token …`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token for a program; it is shown once
    Add {
        /// Its name: 1 to 64 of a-z, 0-9, dot, hyphen, underscore
        name: String,
        /// The account as which it acts
        #[arg(long)]
        login: Option<String>,
        /// How many days it lives: 1 to 366
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
    },
    /// Show the tokens, without their secrets
    List,
    /// Revoke a token
    Revoke {
        /// Which
        name: String,
    },
}

pub(super) async fn user(session: &Session, command: &UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Add { login, name, desk, roles } => {
            let new = object_of!({ "login": login, "name": name, "desk": desk, "roles": roles });
            access(session, &Ask::json(Method::POST, "/users", &new)).await
        }
        UserCommand::Reset { login } => {
            let path = format!("/users/{}/reset", encode(login));
            access(session, &Ask::json(Method::POST, path, &object_of!({}))).await
        }
        UserCommand::Lock { login } => state(session, login, "locked").await,
        UserCommand::Unlock { login } => state(session, login, "active").await,
        UserCommand::Passkeys { login, revoke } => passkeys(session, login, revoke.as_deref()).await,
        UserCommand::List => {
            let bytes = session.client.bytes(&Ask::get("/users")).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let users: Page<User> = read(&bytes)?;
            let row = |user: User| vec![user.login, clean(&user.name), user.desk, user.roles.join(","), user.state];
            table(&users.items.into_iter().map(row).collect::<Vec<_>>())
        }
    }
}

async fn passkeys(session: &Session, login: &str, revoke: Option<&str>) -> Result<(), Failure> {
    let path = format!("/users/{}/passkeys", encode(login));
    if let Some(id) = revoke {
        session.client.bytes(&Ask::delete(format!("{path}/{}", encode(id)))).await?;
        return if session.json { raw(b"{}\n") } else { line(&format!("passkey {id} of {login} is revoked")) };
    }
    let bytes = session.client.bytes(&Ask::get(path)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let passkeys: Page<Passkey> = read(&bytes)?;
    let row = |passkey: Passkey| {
        let used = passkey.last_used.map_or("never used".to_owned(), |at| format!("used {at}"));
        vec![passkey.id, clean(&passkey.name), passkey.host, format!("added {}", passkey.created), used]
    };
    table(&passkeys.items.into_iter().map(row).collect::<Vec<_>>())
}

async fn access(session: &Session, ask: &Ask) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let access: Access = read(&bytes)?;
    line(&format!("login     {}", access.login))?;
    if let Some(password) = &access.password {
        line(&format!("password  {password}"))?;
    }
    line(&format!("one-time codes: secret {}", access.totp_secret))?;
    line(&access.totp_uri)?;
    line("This is shown once. Give it over a channel that people trust.")
}

async fn state(session: &Session, login: &str, state: &str) -> Result<(), Failure> {
    let ask = Ask::json(Method::PUT, format!("/users/{}", encode(login)), &object_of!({ "state": state }));
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let user: User = read(&bytes)?;
    line(&format!("{} is {}", user.login, user.state))
}

pub(super) async fn token(session: &Session, command: &TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Add { name, login, days } => {
            let new = object_of!({ "name": name, "login": login, "days": days });
            let bytes = session.client.bytes(&Ask::json(Method::POST, "/tokens", &new)).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            line(&read::<NewToken>(&bytes)?.token)
        }
        TokenCommand::List => {
            let bytes = session.client.bytes(&Ask::get("/tokens")).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let tokens: Page<Token> = read(&bytes)?;
            let row = |token: Token| {
                let expires = token.expires.map_or("never runs out".to_owned(), |at| format!("until {at}"));
                let used = token.last_used.map_or("never used".to_owned(), |at| format!("used {at}"));
                vec![token.name, token.login, expires, used]
            };
            table(&tokens.items.into_iter().map(row).collect::<Vec<_>>())
        }
        TokenCommand::Revoke { name } => {
            session.client.bytes(&Ask::delete(format!("/tokens/{}", encode(name)))).await?;
            if session.json { raw(b"{}\n") } else { line(&format!("{name} is revoked")) }
        }
    }
}
