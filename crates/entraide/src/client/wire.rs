//! HTTP/1.1 and HTTP/2 over a stream that is already there: one request, one answer.

use std::path::Path;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::{Request, Response, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use super::{Answered, ClientError, gathered};

/// Asks the node that listens on a socket of this machine.
pub(super) async fn over_socket(path: &Path, request: Request<Body>) -> Result<Answered, ClientError> {
    let stream = UnixStream::connect(path).await.map_err(|error| ClientError::Unreachable(error.to_string()))?;
    over_http1(stream, "localhost", request).await
}

/// Asks over HTTP/1.1, naming `host` (RFC 9112 §3.2).
pub(super) async fn over_http1<S>(stream: S, host: &str, mut request: Request<Body>) -> Result<Answered, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let name = header::HeaderValue::from_str(host).map_err(|error| ClientError::Unreachable(error.to_string()))?;
    request.headers_mut().insert(header::HOST, name);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
    let driver = tokio::spawn(connection);
    let answer = answer(sender.send_request(request).await).await;
    driver.abort();
    answer
}

/// Asks over HTTP/2; the request's address is absolute.
pub(super) async fn over_http2<S>(stream: S, request: Request<Body>) -> Result<Answered, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(|error| lost(&error))?;
    let driver = tokio::spawn(connection);
    let answer = answer(sender.send_request(request).await).await;
    driver.abort();
    answer
}

async fn answer(sent: hyper::Result<Response<Incoming>>) -> Result<Answered, ClientError> {
    let answer = sent.map_err(|error| lost(&error))?;
    gathered(answer).await
}

fn lost(error: &hyper::Error) -> ClientError {
    ClientError::Lost(error.to_string())
}
