//! A signed call to a gateway that sends short messages or telephones: `POST` of a small JSON object.
//!
//! ```text
//! X-Entraide-Timestamp: <seconds since 1970>
//! X-Entraide-Signature: v1=<hexadecimal HMAC-SHA256 of timestamp ‖ "." ‖ body, with the shared secret>
//! Idempotency-Key: <alert, rung, person, channel>
//! ```
//!
//! A gateway refuses a signature that is wrong or a timestamp that is old, and does the same key once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use model::alert::Channel;
use node::ports::{Boxed, Notice, Outlet, OutletError, RealOnly};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Serialize;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::limits;
use crate::tls;

/// Where a gateway listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    host: String,
    port: u16,
    path: String,
    secure: bool,
}

impl WebhookUrl {
    /// Reads `https://host[:port]/path`, or `http://` to this machine alone.
    ///
    /// # Errors
    /// It is no such address, in words.
    pub fn read(url: &str) -> Result<Self, String> {
        let shown: String = url.chars().filter(|letter| !letter.is_control()).take(80).collect();
        let wrong = || format!("`{shown}` is not the address of a gateway: write https://host/path");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err(format!("`{shown}` holds a password: the secret is in a file of its own"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1") => false,
            Some("http") => return Err(format!("`{shown}` leaves this machine: use https")),
            Some(_) | None => return Err(wrong()),
        };
        if host.is_empty() {
            return Err(wrong());
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port, path, secure })
    }

    /// Is it called by https?
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host that is called.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// The way out by a gateway.
pub struct WebhookOutlet {
    url: WebhookUrl,
    tls: Option<Arc<ClientConfig>>,
    secret: Zeroizing<Vec<u8>>,
    patience: Duration,
}

/// What the gateway is told. No content: it is not trusted with more than whom to wake.
#[derive(Serialize)]
struct Told<'a> {
    key: &'a str,
    alert: i64,
    country: &'a str,
    realm: &'a str,
    label: String,
    drill: bool,
    person: &'a str,
    telephone: &'a str,
    languages: &'a [String],
    text: &'a str,
    code: &'a str,
    link: Option<&'a str>,
}

impl WebhookOutlet {
    /// In reality alone: an exercise calls nobody. `authorities` are certificates in PEM that vouch for the gateway, else
    /// those that the machine trusts; `patience` is how long one call may take.
    ///
    /// # Errors
    /// The secret is too short, or the certificates can't be read.
    pub fn new(
        _: RealOnly,
        url: WebhookUrl,
        secret: Vec<u8>,
        authorities: Option<&[u8]>,
        patience: Duration,
    ) -> Result<Self, String> {
        let secret = Zeroizing::new(secret);
        if secret.len() < limits::WEBHOOK_SECRET_BYTES {
            let least = limits::WEBHOOK_SECRET_BYTES;
            return Err(format!(
                "the secret of the gateway has fewer than {least} bytes: make it with `openssl rand -hex 32`"
            ));
        }
        let tls = if url.secure { Some(tls::trusting(authorities)?) } else { None };
        Ok(Self { url, tls, secret, patience })
    }

    async fn call(&self, notice: &Notice) -> Result<(), String> {
        let told = Told {
            key: &notice.key,
            alert: notice.number,
            country: &notice.country,
            realm: &notice.realm,
            label: format!("TLP:{}", notice.label.word()),
            drill: notice.drill,
            person: notice.contact.person.as_str(),
            telephone: &notice.contact.telephone,
            languages: &notice.contact.languages,
            text: &notice.text,
            code: &notice.code,
            link: notice.link.as_deref(),
        };
        let body = serde_json::to_vec(&told).map_err(|error| error.to_string())?;
        let mut last = String::new();
        for pause in limits::WEBHOOK_PAUSES {
            tokio::time::sleep(pause).await;
            match tokio::time::timeout(self.patience, self.once(notice, &body)).await {
                Ok(Ok(status)) if status.is_success() => return Ok(()),
                Ok(Ok(status)) => {
                    last = format!("the gateway answers with status {}", status.as_u16());
                    // What it refuses once it refuses again; that it is busy passes.
                    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
                        return Err(last);
                    }
                }
                Ok(Err(why)) => last = why,
                Err(_) => last = "the gateway is too slow".to_owned(),
            }
        }
        Err(last)
    }

    async fn once(&self, notice: &Notice, body: &[u8]) -> Result<StatusCode, String> {
        let unreached = |_| "the gateway is not reached".to_owned();
        let stream = TcpStream::connect((self.url.host.as_str(), self.url.port)).await.map_err(unreached)?;
        match &self.tls {
            None => self.post(stream, notice, body).await,
            Some(config) => {
                let name = ServerName::try_from(self.url.host.clone()).map_err(|_| "the gateway's name is none")?;
                let connector = TlsConnector::from(Arc::clone(config));
                let failed = |_| "TLS with the gateway failed: look at its certificate".to_owned();
                self.post(connector.connect(name, stream).await.map_err(failed)?, notice, body).await
            }
        }
    }

    async fn post<S>(&self, stream: S, notice: &Notice, body: &[u8]) -> Result<StatusCode, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let told = |error: &dyn std::fmt::Display| format!("the gateway does not answer: {error}");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| told(&error))?;
        let running = tokio::spawn(connection);
        let seconds = notice.at.micros() / 1_000_000;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url.path)
            .header(HOST, format!("{}:{}", self.url.host, self.url.port))
            .header(CONTENT_TYPE, "application/json")
            .header("x-entraide-timestamp", seconds)
            .header("x-entraide-signature", signature(&self.secret, seconds, body))
            .header("idempotency-key", &notice.key)
            .body(Full::new(Bytes::copy_from_slice(body)))
            .map_err(|error| told(&error))?;
        let answered = sender.send_request(request).await.map_err(|error| told(&error));
        let status = match answered {
            Ok(answer) => {
                let status = answer.status();
                // What else it says is of no interest, and bounded.
                let rest = Limited::new(answer.into_body(), limits::SMALL_ANSWER_BYTES);
                let _ = rest.collect().await;
                Ok(status)
            }
            Err(why) => Err(why),
        };
        running.abort();
        status
    }
}

/// `v1=` and the HMAC-SHA256 (RFC 2104) of what is said and when.
fn signature(secret: &[u8], seconds: i64, body: &[u8]) -> String {
    // HMAC takes keys of every length (RFC 2104 §2), so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={}", model::bytes::hex(&mac.finalize().into_bytes()))
}

impl Outlet for WebhookOutlet {
    fn channel(&self) -> Channel {
        Channel::Webhook
    }
    fn send(&self, notice: Notice) -> Boxed<'_, Result<(), OutletError>> {
        Box::pin(async move { self.call(&notice).await.map_err(|reason| OutletError { reason }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_elsewhere_is_called_by_https_alone() {
        let check = |url: &str, expect: Option<(&str, u16, &str, bool)>| {
            let read = WebhookUrl::read(url).ok();
            let read = read.as_ref().map(|url| (url.host.as_str(), url.port, url.path.as_str(), url.secure));
            assert_eq!(read, expect, "{url}");
        };
        check("https://gw.example/alert?x=1", Some(("gw.example", 443, "/alert?x=1", true)));
        check("https://gw.example:8443", Some(("gw.example", 8443, "/", true)));
        check("http://127.0.0.1:9000/a", Some(("127.0.0.1", 9000, "/a", false)));
        check("http://[::1]:9000/a", Some(("::1", 9000, "/a", false)));
        check("http://gw.example/alert", None);
        check("https://user:secret@gw.example/alert", None);
        check("ftp://gw.example/", None);
        check("/alert", None);
        check("", None);
    }

    #[test]
    fn the_signature_is_what_another_program_makes_of_it() {
        // Made with OpenSSL: printf '1.x' | openssl dgst -sha256 -hmac Jefe.
        let expect = "v1=2f7ccbd0f043456ad29514b2d24a8aa345ec6673a5db1b44e91c8ac99d1841e3";
        assert_eq!(signature(b"Jefe", 1, b"x"), expect);
    }
}
