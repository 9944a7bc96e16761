//! `entraide.toml` in a node's directory: what `serve` takes when the command line does not say. It need not be there.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use node::passkey::ceremony::HostName;
use serde::{Deserialize, Deserializer, de};

use crate::keys::{KeysError, Layout, read_small};

/// Where people reach a node that was not told otherwise: on its own machine.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7442);

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
    /// The socket of a signer that is a process of its own: `/run/entraide/signer.sock`. Without it the node signs itself.
    pub signer: Option<PathBuf>,
    /// The host name by which people reach the node, which passkeys are bound to: `fr.example`.
    #[serde(default, deserialize_with = "host_name")]
    pub host: Option<HostName>,
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
        check("host = \"fr.example\"\n", true);
        check("host = \"192.0.2.7\"\n", false);
        check("host = \"https://fr.example\"\n", false);
        check("listen = \"somewhere\"", false);
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
