//! The ways out by which the node wakes people, as the configuration says. An exercise has none: its alerts are shown on
//! its own pages and reach nobody.

use std::path::Path;
use std::sync::Arc;

use http_room::client::mail::{MailConfig, MailOutlet, Security};
use http_room::client::webhook::{WebhookOutlet, WebhookUrl};
use model::alert::Channel;
use node::alert::Words;
use node::ports::{Boxed, Mailbox, Notice, Outlet, OutletError, Post, RealOnly};
use serde::Deserialize;

use crate::cipher::Programs;
use crate::configuration;
use crate::keys::{Layout, read_small};
use crate::limits;
use crate::maildir::Maildir;

/// `[alerts]`: how people are woken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerting {
    /// With what links in notices begin: `https://fr.example:7442`.
    pub address: Option<String>,
    /// The number that is called by whoever can't log in.
    pub call: Option<String>,
    /// By mail.
    pub mail: Option<Mail>,
    /// To a gateway for short messages or calls.
    pub webhook: Option<Webhook>,
}

/// `[alerts.mail]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server: `smtp.example:587`.
    pub server: String,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Protection,
    /// From which address.
    pub from: String,
    /// The user, if the server asks for one.
    pub user: Option<String>,
    /// A file with that user's password; relative to the node's directory.
    pub password: Option<std::path::PathBuf>,
    /// A file of certificates in PEM that vouch for the server; without it those that the machine trusts.
    pub ca: Option<std::path::PathBuf>,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// It must turn to TLS.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None, to this machine alone.
    None,
}

/// `[alerts.webhook]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where the gateway listens: `https://gateway.example/alert`.
    pub url: String,
    /// A file with the secret that signs; relative to the node's directory.
    pub secret: std::path::PathBuf,
    /// A file of certificates in PEM that vouch for the gateway; without it those that the machine trusts.
    pub ca: Option<std::path::PathBuf>,
}

/// What wakes people.
pub(crate) struct Ways {
    /// The ways out.
    pub(crate) outlets: Vec<Arc<dyn Outlet>>,
    /// The way out by mail to partners without a node.
    pub(crate) post: Option<Arc<dyn Post>>,
    /// Where their mail comes in.
    pub(crate) mailbox: Option<Arc<dyn Mailbox>>,
    /// What opens it, and encrypts what goes out.
    pub(crate) programs: Programs,
    /// What notices say beside number and label.
    pub(crate) words: Words,
}

/// The ways out of a real node.
///
/// # Errors
/// What the configuration says can't be, in words.
pub(crate) fn ways(layout: &Layout, told: Option<Alerting>, real: RealOnly) -> Result<Ways, String> {
    let told = told.unwrap_or_default();
    if let Some(address) = told.address.as_deref().filter(|address| !is_address(address)) {
        return Err(format!("`address` is with what links begin, such as https://fr.example:7442, not `{address}`"));
    }
    let mut outlets: Vec<Arc<dyn Outlet>> = Vec::new();
    let mut post = None;
    if let Some(told) = told.mail {
        let mail = Arc::new(mail(layout.dir(), told, real)?);
        outlets.push(Arc::clone(&mail) as Arc<dyn Outlet>);
        post = Some(mail as Arc<dyn Post>);
    }
    if let Some(told) = told.webhook {
        let url = WebhookUrl::read(&told.url)?;
        let (secret, authorities) = (secret(layout.dir(), &told.secret)?, file(layout.dir(), told.ca.as_deref())?);
        let outlet = WebhookOutlet::new(real, url, secret.into_bytes(), authorities.as_deref(), limits::OUTLET)?;
        outlets.push(Arc::new(outlet));
    }
    Ok(Ways {
        outlets,
        post,
        mailbox: None,
        programs: Programs::default(),
        words: Words { address: told.address, call: told.call },
    })
}

impl Ways {
    /// The same with the mailbox that the configuration names. An exercise has none: nothing real comes into it.
    ///
    /// # Errors
    /// What the configuration says can't be, in words.
    pub(crate) fn with_mailbox(self, layout: &Layout, told: Option<configuration::Mailbox>) -> Result<Self, String> {
        let Some(told) = told else { return Ok(self) };
        let dir = layout.dir();
        let maildir = Maildir::open(&dir.join(&told.maildir))?;
        let pgp = told.pgp_key.map(|path| private(dir, &path)).transpose()?;
        let smime = match (told.smime_certificate, told.smime_key) {
            (Some(certificate), Some(key)) => {
                let certificate = read_small(&dir.join(certificate)).map_err(|error| error.to_string())?;
                Some((certificate, private(dir, &key)?))
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err("`smime_certificate` and `smime_key` belong together: write both".to_owned());
            }
        };
        Ok(Self { mailbox: Some(Arc::new(maildir)), programs: Programs { pgp, smime }, ..self })
    }
}

fn is_address(address: &str) -> bool {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'"'))
}

fn mail(dir: &Path, told: Mail, real: RealOnly) -> Result<MailOutlet, String> {
    let wrong = || format!("`server` is a host with its port, such as smtp.example:587, not `{}`", told.server);
    let (host, port) = told.server.rsplit_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let security = match told.security {
        Protection::Starttls => Security::StartTls,
        Protection::Tls => Security::Tls,
        Protection::None => Security::None,
    };
    let login = match (told.user, told.password) {
        (Some(user), Some(password)) => Some((user, secret(dir, &password)?)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err("`user` and `password` belong together: write both".to_owned()),
    };
    let authorities = file(dir, told.ca.as_deref())?;
    let config = MailConfig { host: host.to_owned(), port, security, authorities, login, from: told.from };
    MailOutlet::new(real, config, limits::OUTLET)
}

fn file(dir: &Path, path: Option<&Path>) -> Result<Option<Vec<u8>>, String> {
    path.map(|path| read_small(&dir.join(path)).map_err(|error| error.to_string())).transpose()
}

/// A file that nobody else reads.
fn private(dir: &Path, path: &Path) -> Result<Vec<u8>, String> {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join(path);
    let told = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let mode = std::fs::metadata(&path).map_err(|error| told(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(told(&"others can read it: chmod 600"));
    }
    read_small(&path).map_err(|error| told(&error))
}

/// A secret in a file that nobody else reads: its first line.
fn secret(dir: &Path, path: &Path) -> Result<String, String> {
    let told = |error: &dyn std::fmt::Display| format!("`{}`: {error}", dir.join(path).display());
    let text = String::from_utf8(private(dir, path)?).map_err(|_| told(&"it is not text"))?;
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    if line.is_empty() { Err(told(&"it is empty")) } else { Ok(line) }
}

/// The ways out of an exercise: none. What would have gone out is shown on the exercise's own pages.
pub(crate) fn none() -> Ways {
    let inside = |channel| Arc::new(Inside(channel)) as Arc<dyn Outlet>;
    let outlets = Channel::ALL.iter().copied().map(inside).collect();
    Ways {
        outlets,
        post: Some(Arc::new(Inside(Channel::Mail))),
        mailbox: None,
        programs: Programs::default(),
        words: Words::default(),
    }
}

/// Reaches nobody.
struct Inside(Channel);

impl Outlet for Inside {
    fn channel(&self) -> Channel {
        self.0
    }
    fn send(&self, _: Notice) -> Boxed<'_, Result<(), OutletError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Post for Inside {
    fn send(&self, _: node::ports::Mail) -> Boxed<'_, Result<(), OutletError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused_before_the_node_serves() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let write = |name: &str, text: &str, mode| {
            use std::os::unix::fs::PermissionsExt;
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("open", "0123456789abcdef0123456789abcdef\n", 0o644);
        write("secret", "0123456789abcdef0123456789abcdef\n", 0o600);
        write("short", "hunter2\n", 0o600);
        let check = |text: &str, says: Option<&str>| {
            let told: Alerting = toml::from_str(text).unwrap();
            let made = ways(&layout, Some(told), RealOnly::of(&model::Realm::Real).unwrap());
            match (made.err(), says) {
                (None, None) => {}
                (Some(told), Some(says)) => assert!(told.contains(says) && !told.contains("hunter2"), "{told}"),
                (told, says) => panic!("{text}: {told:?}, {says:?}"),
            }
        };
        check("", None);
        check("address = \"https://fr.example\"\ncall = \"+33 1\"", None);
        check("address = \"fr.example\"", Some("with what links begin"));
        check("[webhook]\nurl = \"https://g.example/\"\nsecret = \"secret\"", None);
        check("[webhook]\nurl = \"https://g.example/\"\nsecret = \"open\"", Some("chmod 600"));
        check("[webhook]\nurl = \"https://g.example/\"\nsecret = \"short\"", Some("fewer than"));
        check("[webhook]\nurl = \"http://g.example/\"\nsecret = \"secret\"", Some("use https"));
        check("[mail]\nserver = \"127.0.0.1:25\"\nsecurity = \"none\"\nfrom = \"a@b.example\"", None);
        check(
            "[mail]\nserver = \"smtp.example:25\"\nsecurity = \"none\"\nfrom = \"a@b.example\"",
            Some("on this machine"),
        );
        check("[mail]\nserver = \"smtp.example\"\nfrom = \"a@b.example\"", Some("a host with its port"));
        check("[mail]\nserver = \"smtp.example:25\"\nfrom = \"ab\"", Some("no mail address"));
        check("[mail]\nserver = \"smtp.example:25\"\nfrom = \"a@b.example\"\nuser = \"x\"", Some("belong together"));
        assert!(toml::from_str::<Alerting>("[mail]\nsever = \"x\"").is_err());
    }
}
