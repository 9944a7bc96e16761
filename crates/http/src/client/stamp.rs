//! Asks an authority for time stamps (RFC 3161 §3.4: HTTP POST). Without TLS: a request holds a hash and nothing else,
//! and the answer is signed by the authority and checked.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use node::ports::{Boxed, RealOnly, TransportError};
use node::stamp::TimeAuthority;
use tokio::net::TcpStream;

/// An authority at an address.
#[derive(Debug, Clone)]
pub struct HttpTimeAuthority {
    host: String,
    path: String,
    patience: Duration,
}

impl HttpTimeAuthority {
    /// In reality alone: an exercise leaves no trace with an authority.
    /// `url` is `http://host[:port]/path`; `patience` is how long one answer may take, all of it.
    ///
    /// # Errors
    /// It is no such address, in words.
    pub fn new(_: RealOnly, url: &str, patience: Duration) -> Result<Self, String> {
        let wrong = || format!("`{url}` is not the address of a time authority: write http://host/path");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") {
            return Err(format!(
                "{}. TLS adds nothing: a request holds a hash alone, and the answer is signed",
                wrong()
            ));
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host: format!("{host}:{}", uri.port_u16().unwrap_or(80)), path, patience })
    }

    async fn ask(&self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        let told = |error: &dyn std::fmt::Display| format!("the time authority does not answer: {error}");
        let stream = TcpStream::connect(&self.host).await.map_err(|error| told(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| told(&error))?;
        let running = tokio::spawn(connection);
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/timestamp-query")
            .body(Full::new(Bytes::from(request)))
            .map_err(|error| told(&error))?;
        let answered = sender.send_request(request).await.map_err(|error| told(&error));
        let body = match answered {
            Ok(answer) if answer.status() == StatusCode::OK => {
                let body = Limited::new(answer.into_body(), journal::stamp::REPLY_BYTES);
                body.collect().await.map(|body| body.to_bytes().to_vec()).map_err(|error| told(&error))
            }
            Ok(answer) => Err(format!("the time authority answers with status {}", answer.status().as_u16())),
            Err(why) => Err(why),
        };
        running.abort();
        body
    }
}

impl TimeAuthority for HttpTimeAuthority {
    fn stamp(&self, request: Vec<u8>) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            match tokio::time::timeout(self.patience, self.ask(request)).await {
                Ok(Ok(reply)) => Ok(reply),
                Ok(Err(reason)) => Err(TransportError { reason }),
                Err(_) => Err(TransportError { reason: "the time authority is too slow".to_owned() }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http_with_a_host() {
        let check = |url: &str, expect: Option<(&str, &str)>| {
            let real = RealOnly::of(&model::Realm::Real).unwrap();
            let made = HttpTimeAuthority::new(real, url, Duration::ZERO).ok();
            let made = made.as_ref().map(|made| (made.host.as_str(), made.path.as_str()));
            assert_eq!(made, expect, "{url}");
        };
        check("http://tsa.example", Some(("tsa.example:80", "/")));
        check("http://tsa.example:8080/tsr?a=b", Some(("tsa.example:8080", "/tsr?a=b")));
        check("https://tsa.example/tsr", None);
        check("tsa.example/tsr", None);
        check("", None);
    }
}
