//! `entraide.toml` in a node's directory: what `serve` takes when the command line does not say. It need not be there.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use intake::Classification;
use node::passkey::ceremony::HostName;
use serde::{Deserialize, Deserializer, de};
use sha2::{Digest, Sha256};

use crate::alerting::Alerting;
use crate::keys::{KeysError, Layout, read_small};

/// Where people reach a node that was not told otherwise: on its own machine.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7442);

/// The setting under which a node notes the digest of the configuration with which it last started.
pub const NOTED: &str = "configuration";

/// What the file may say; every line may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Where people reach the node: `127.0.0.1:7442`.
    pub listen: Option<SocketAddr>,
    /// Where partners reach it: `0.0.0.0:7443`.
    pub federation: Option<SocketAddr>,
    /// Serve people without TLS, on the machine itself only.
    #[serde(default)]
    pub plain_http: bool,
    /// Where the purge list is, better on another disk: `/srv/entraide/purged`. Without it in the node's directory.
    pub purge_list: Option<PathBuf>,
    /// The socket of a signer that is a process of its own: `/run/entraide/signer.sock`. Without it the node signs itself.
    pub signer: Option<PathBuf>,
    /// The host name by which people reach the node, which passkeys are bound to: `fr.example`.
    #[serde(default, deserialize_with = "host_name")]
    pub host: Option<HostName>,
    /// The highest marking that the node may hold, by its accreditation: `unclassified`, `eu-restricted`,
    /// `eu-confidential` or `eu-secret`.
    #[serde(default, deserialize_with = "ceiling")]
    pub ceiling: Classification,
    /// An authority that stamps our log with the time (RFC 3161).
    pub timestamp: Option<Stamping>,
    /// How people are woken.
    pub alerts: Option<Alerting>,
    /// Where mail of partners without a node comes in.
    pub mailbox: Option<Mailbox>,
}

fn ceiling<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Classification, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// `[mailbox]`: where mail of partners without a node comes in, and with which keys it is opened. Paths are relative to the
/// node's directory; keys are in files that nobody else reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// A maildir.
    pub maildir: PathBuf,
    /// The mailbox's own PGP key, armoured, without a passphrase.
    pub pgp_key: Option<PathBuf>,
    /// The mailbox's own S/MIME certificate, in PEM.
    pub smime_certificate: Option<PathBuf>,
    /// Its key, in PEM.
    pub smime_key: Option<PathBuf>,
}

/// `[timestamp]`: who stamps our log with the time, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamping {
    /// Where the authority is asked: `http://host/path`.
    pub url: String,
    /// A file of certificates in PEM that vouch for the authority; relative to the node's directory.
    pub certificate: PathBuf,
    /// How often; left out, each witnessed checkpoint.
    #[serde(default)]
    pub every: Often,
}

/// How often the log is stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "Told")]
pub enum Often {
    /// Each witnessed checkpoint.
    #[default]
    Witnessed,
    /// Once in so many hours, at least 1.
    Hours(NonZeroU32),
}

/// `every` as it is written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Told {
    Hours(i64),
    Word(String),
}

impl TryFrom<Told> for Often {
    type Error = &'static str;
    fn try_from(told: Told) -> Result<Self, Self::Error> {
        let wrong = "`every` is \"witnessed\", or a number of hours from 1";
        match told {
            Told::Word(word) if word == "witnessed" => Ok(Self::Witnessed),
            Told::Word(_) => Err(wrong),
            Told::Hours(hours) => u32::try_from(hours).ok().and_then(NonZeroU32::new).map(Self::Hours).ok_or(wrong),
        }
    }
}

fn host_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<HostName>, D::Error> {
    let text = String::deserialize(from)?;
    let told = || de::Error::custom("`host` is a name in small letters such as `fr.example`, without port, no address");
    HostName::new(&text).map(Some).ok_or_else(told)
}

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file.
    #[error(transparent)]
    File(#[from] KeysError),
    /// What it says.
    #[error("`{path}` can't be read: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why, on one line.
        reason: String,
    },
}

/// Reads the configuration of a node; without a file everything is left to its default.
///
/// # Errors
/// The file can't be read, or says what is not known.
pub fn read(layout: &Layout) -> Result<Configuration, ConfigurationError> {
    let path = layout.configuration();
    if !path.exists() {
        return Ok(Configuration::default());
    }
    let text = String::from_utf8_lossy(&read_small(&path)?).into_owned();
    parse(&text).map_err(|reason| ConfigurationError::Syntax { path: path.display().to_string(), reason })
}

/// The SHA-256 of the configuration in hexadecimal digits, or `none`: people write that file, so all that can be told of it is
/// that it has changed.
///
/// # Errors
/// The file can't be read.
pub fn digest(layout: &Layout) -> Result<String, KeysError> {
    let path = layout.configuration();
    if !path.exists() {
        return Ok("none".to_owned());
    }
    let sum: [u8; 32] = Sha256::digest(read_small(&path)?).into();
    Ok(model::bytes::hex(&sum))
}

/// Where the purge list of a node is.
///
/// # Errors
/// As [`read`].
pub fn purge_list(layout: &Layout) -> Result<PathBuf, ConfigurationError> {
    let told = read(layout)?.purge_list;
    Ok(told.map_or_else(|| layout.purge_list(), |path| layout.dir().join(path)))
}

fn parse(text: &str) -> Result<Configuration, String> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
        let at = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{at}{}", error.message().replace('\n', " "))
    })
}

/// Where to listen for partners, given the address that the identity tells them: that address if it is the machine's
/// own, else its port on every address of the machine.
#[must_use]
pub fn federation_default(told: &str) -> SocketAddr {
    if let Ok(address) = told.parse::<SocketAddr>()
        && address.ip().is_loopback()
    {
        return address;
    }
    let port = told.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(7443);
    SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_short_and_strict() {
        let check = |text: &str, good: bool| assert_eq!(parse(text).is_ok(), good, "{text}");
        check("", true);
        check("listen = \"127.0.0.1:80\"\nfederation = \"0.0.0.0:7443\"\nplain_http = true\n", true);
        check("signer = \"/run/entraide/signer.sock\"\n", true);
        check("ceiling = \"eu-restricted\"", true);
        check("ceiling = \"EU RESTRICTED\"", false);
        check("ceiling = \"eu-top-secret\"", false);
        check("ceiling = 1", false);
        let refused = parse("plain_http = true\nceiling = \"secret\"\n").unwrap_err();
        assert!(refused.starts_with("line 2: `secret` is not a ceiling: write unclassified"), "{refused}");
        assert_eq!(parse("").unwrap().ceiling, Classification::Unclassified);
        check("purge_list = \"/srv/purged\"\n", true);
        check("host = \"fr.example\"\n", true);
        check("host = \"192.0.2.7\"\n", false);
        check("host = \"https://fr.example\"\n", false);
        check("listen = \"somewhere\"", false);
        check("[timestamp]\nurl = \"http://a/b\"\ncertificate = \"ca.pem\"\n", true);
        check("[timestamp]\nurl = \"http://a/b\"\ncertificate = \"ca.pem\"\nevery = \"witnessed\"\n", true);
        check("[timestamp]\nurl = \"http://a/b\"\ncertificate = \"ca.pem\"\nevery = 6\n", true);
        check("[timestamp]\nurl = \"http://a/b\"\ncertificate = \"ca.pem\"\nevery = 0\n", false);
        check("[timestamp]\nurl = \"http://a/b\"\ncertificate = \"ca.pem\"\nevery = \"often\"\n", false);
        check("[timestamp]\nurl = \"http://a/b\"\n", false);
        check("lisen = \"127.0.0.1:80\"", false);
        let refused = parse("plain_http = true\nlisten = 7\n").unwrap_err();
        assert!(refused.starts_with("line 2: ") && !refused.contains('\n'), "{refused}");
    }

    #[test]
    fn partners_are_listened_for_where_they_are_told_to_call() {
        let check = |told: &str, expect: &str| assert_eq!(federation_default(told).to_string(), expect, "{told}");
        check("127.0.0.1:7443", "127.0.0.1:7443");
        check("192.0.2.7:9000", "[::]:9000");
        check("fr.example:7443", "[::]:7443");
    }
}
