//! A node elsewhere: its address, the pin of its key, and a token.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use http_room::tls::{NodeKey, PinBytes, client_config};
use hyper::{Request, Uri, header};
use model::Origin;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Answered, ClientError, wire};
use crate::limits;

/// Where a node is, and what it is asked with.
pub struct Remote {
    host: String,
    port: u16,
    /// `None`: plain HTTP on this machine.
    tls: Option<Arc<rustls::ClientConfig>>,
    token: SecretString,
}

impl Remote {
    /// Reads an address: `https://host:port` with the pin of the node's key, or `http://` on this machine.
    ///
    /// The certificate of a node is its own work, so no authority vouches for it: its key is compared with the pin that
    /// `init` showed.
    ///
    /// # Errors
    /// Not such an address, no pin, or plain HTTP to another machine, which would show the token to the network.
    pub fn new(url: &str, pin: Option<PinBytes>, token: SecretString) -> Result<Self, ClientError> {
        let wrong = |reason| ClientError::Url { url: url.chars().take(200).collect(), reason };
        let uri: Uri = url.parse().map_err(|_| wrong("write https://host:port"))?;
        let host = uri.host().ok_or_else(|| wrong("write https://host:port"))?.to_owned();
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("write https://host:port, without a path"));
        }
        let (tls, port) = match (uri.scheme_str(), pin) {
            (Some("https"), Some(pin)) => {
                let config = config(pin).ok_or_else(|| wrong("this machine can't set up TLS"))?;
                (Some(config), uri.port_u16().unwrap_or(443))
            }
            (Some("https"), None) => return Err(wrong("give the pin of its key with --pin; `init` showed it")),
            (Some("http"), _) if is_this_machine(&host) => (None, uri.port_u16().unwrap_or(80)),
            (Some("http"), _) => return Err(wrong("plain HTTP would show the token to the network: use https")),
            (Some(_) | None, _) => return Err(wrong("write https://host:port")),
        };
        Ok(Self { host, port, tls, token })
    }

    pub(super) async fn send(&self, mut request: Request<Body>) -> Result<Answered, ClientError> {
        let unreachable = |error: &dyn std::fmt::Display| ClientError::Unreachable(error.to_string());
        let bearer = format!("Bearer {}", self.token.expose_secret());
        let mut bearer = header::HeaderValue::from_str(&bearer)
            .map_err(|_| ClientError::Refused("the token has letters that no token has: make a new one".to_owned()))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let authority = format!("{}:{}", self.host, self.port);
        let connect = TcpStream::connect(authority.clone());
        let stream = timeout(limits::CONNECT, connect).await.map_err(|error| unreachable(&error))?;
        let stream = stream.map_err(|error| unreachable(&error))?;
        let Some(config) = &self.tls else { return wire::over_http1(stream, &authority, request).await };
        // The name means nothing: the key is pinned, and the name is not even sent.
        let name = ServerName::try_from("node.invalid").map_err(|error| unreachable(&error))?;
        let shaking = TlsConnector::from(Arc::clone(config)).connect(name, stream);
        let stream = timeout(limits::CONNECT, shaking).await.map_err(|error| unreachable(&error))?;
        let stream = stream.map_err(|error| match http_room::tls::is_wrong_key(&error) {
            true => ClientError::Unreachable("its key is not the pinned one".to_owned()),
            false => unreachable(&error),
        })?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let absolute = format!("https://{authority}{path}").parse::<Uri>().map_err(|error| unreachable(&error))?;
        *request.uri_mut() = absolute;
        wire::over_http2(stream, request).await
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// TLS with the pinned key alone. The listener for people asks for no certificate, so the key made here is never shown.
fn config(pin: PinBytes) -> Option<Arc<rustls::ClientConfig>> {
    let nobody: Origin = "entraide/XX/REAL/0000000000000000".parse().ok()?;
    client_config(&NodeKey::generate(&nobody).ok()?, pin).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_crosses_a_network_in_clear() {
        let check = |url: &str, pin: Option<PinBytes>, good: bool| {
            assert_eq!(Remote::new(url, pin, SecretString::from("t")).is_ok(), good, "{url}");
        };
        check("https://fr.example:7442", Some([1; 32]), true);
        check("https://fr.example", Some([1; 32]), true);
        check("https://fr.example:7442", None, false);
        check("http://127.0.0.1:7442", None, true);
        check("http://[::1]:7442/", None, true);
        check("http://localhost:7442", None, true);
        check("http://fr.example:7442", Some([1; 32]), false);
        check("http://127.0.0.1.example:7442", None, false);
        check("https://fr.example:7442/api", Some([1; 32]), false);
        check("ftp://fr.example", Some([1; 32]), false);
        check("fr.example", None, false);
        check("", None, false);
    }
}
