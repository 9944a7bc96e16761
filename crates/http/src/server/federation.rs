//! The federation's routes (`/federation/v1`): what partners may ask of this node, and the one route for strangers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;

use super::Closing;
use super::accept::{Bounds, Caller, Known, read_body, serve_tls};
use crate::limits;
use crate::problem::Problem;
use crate::tls::{NodeKey, PinBytes, TlsError, server_config};

/// The signed identity.
pub const IDENTITY: &str = "/federation/v1/identity";
/// The newest checkpoint of this node's log.
pub const CHECKPOINT: &str = "/federation/v1/log/checkpoint";
/// Below it, the tiles of this node's log (C2SP tlog-tiles).
pub const TILE: &str = "/federation/v1/log/tile/";
/// The caller's own log, as this node holds it.
pub const YOURS: &str = "/federation/v1/log/yours";
/// The long-poll for releases.
pub const RELEASES: &str = "/federation/v1/releases";
/// The one route for unknown keys.
pub const PEER: &str = "/federation/v1/peer";

/// Where a log asks this node to cosign its checkpoint (C2SP tlog-witness).
pub const ADD_CHECKPOINT: &str = "/federation/v1/witness/add-checkpoint";

/// Sealed files of this node's evidence: below it the index of the statement, and below that a piece.
pub const EVIDENCE: &str = "/federation/v1/evidence/";

/// Media type of the size that a witness cosigned last (C2SP tlog-witness, "add-checkpoint").
pub const SIZE_TYPE: &str = "text/x.tlog.size";
/// Media type of a page of releases: the journal's wire codec, compressed with zstd (RFC 8878).
pub const PAGE_TYPE: &str = "application/vnd.entraide.releases+zstd";

/// Why the node doesn't answer with what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// It isn't there, or it isn't for this caller.
    #[error("not found")]
    NotFound,
    /// The caller may not.
    #[error("forbidden")]
    Forbidden,
    /// The request can't be read; the text says why.
    #[error("{0}")]
    BadRequest(String),
    /// It was read, and does not hold; the text says why.
    #[error("{0}")]
    Unprocessable(String),
    /// Too many requests of this caller.
    #[error("too many requests: try again in {retry_after} s")]
    TooMany {
        /// Seconds until trying again makes sense.
        retry_after: u32,
    },
    /// Not now; the text says why. The caller reads it.
    #[error("{0}")]
    Unavailable(String),
}

/// An answer on its way.
pub type Answer<'a> = BoxFuture<'a, Result<Bytes, ServiceError>>;

/// A witness's answer on its way.
pub type Cosigning<'a> = BoxFuture<'a, Result<Cosigned, ServiceError>>;

/// What a witness answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cosigned {
    /// Signature lines.
    Lines(String),
    /// The size that it cosigned last is another than the request says.
    Size(u64),
}

/// What the node does for callers. The bytes are the journal's business; this room carries them.
///
/// A future may be dropped at any time: the caller has gone, or the node goes down.
pub trait FederationService: Send + Sync + 'static {
    /// This node's signed identity.
    fn identity(&self, caller: Caller) -> Answer<'_>;
    /// The newest checkpoint of this node's log, a signed note.
    fn checkpoint(&self, caller: Caller) -> Answer<'_>;
    /// A tile by its path below `tile/`: `0/x001/234` or `entries/000.p/17`.
    fn tile(&self, caller: Caller, path: String) -> Answer<'_>;
    /// A page of the caller's own log as this node holds it, compressed with zstd. A service that holds none says so.
    fn yours(&self, _caller: Caller, _query: String) -> Answer<'_> {
        Box::pin(async { Err(ServiceError::NotFound) })
    }
    /// The digests of all pieces of a sealed file, or one piece. A service that keeps none says so.
    fn evidence(&self, _caller: Caller, _index: u64, _piece: Option<u64>) -> Answer<'_> {
        Box::pin(async { Err(ServiceError::NotFound) })
    }
    /// A page of releases, compressed with zstd; waits for news as long as `query` says.
    fn releases(&self, caller: Caller, query: String) -> Answer<'_>;
    /// Cosigns the caller's checkpoint, if it extends the one that was cosigned last.
    fn add_checkpoint(&self, caller: Caller, body: Bytes) -> Cosigning<'_>;
    /// Takes another identity of a partner; answers with the version of it that is then held. The caller's key may be
    /// unknown, since a node whose TLS key was stolen speaks with another: what counts is who signed.
    fn announced(&self, _caller: Caller, _body: Bytes) -> Answer<'_> {
        Box::pin(async { Err(ServiceError::NotFound) })
    }
    /// Peering: reads a peer request, answers with ours. The caller's key may be unknown.
    fn peer(&self, caller: Caller, body: Bytes) -> Answer<'_>;
    /// Does this pin belong to a partner? Asked for every request, so it must not wait.
    fn known(&self, pin: &PinBytes) -> bool;
}

/// The routes. Mount them on [`serve_tls`]: without its [`Caller`] every request is refused.
pub fn router(service: Arc<dyn FederationService>) -> Router {
    Router::new()
        .route(IDENTITY, get(identity).post(announced))
        .route(CHECKPOINT, get(checkpoint))
        .route("/federation/v1/log/tile/{*path}", get(tile))
        .route(YOURS, get(yours))
        .route(RELEASES, get(releases))
        .route("/federation/v1/evidence/{index}", get(digests))
        .route("/federation/v1/evidence/{index}/{piece}", get(piece))
        .route(ADD_CHECKPOINT, post(add_checkpoint))
        .route(PEER, post(peer))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(from_fn_with_state(Arc::clone(&service), partners_only))
        .with_state(service)
}

/// Serves the federation on `listener` until `closing`.
///
/// # Errors
/// [`TlsError::Setup`] if TLS can't be set up with this key.
pub async fn serve(
    listener: TcpListener,
    key: &NodeKey,
    service: Arc<dyn FederationService>,
    bounds: Bounds,
    closing: Closing,
) -> Result<(), TlsError> {
    let config = server_config(key)?;
    let asked = Arc::clone(&service);
    let known: Known = Arc::new(move |pin| asked.known(pin));
    serve_tls(listener, config, known, router(service), bounds, closing).await;
    Ok(())
}

type Service = State<Arc<dyn FederationService>>;

/// Lets partners through, and strangers to peer or to announce an identity only. Everything else is the same refusal, so that a
/// stranger learns nothing about what exists.
async fn partners_only(State(service): Service, request: Request, next: Next) -> Response {
    let Some(caller) = request.extensions().get::<Caller>() else {
        return Problem::forbidden().into_response();
    };
    let open = request.method() == Method::POST && matches!(request.uri().path(), PEER | IDENTITY);
    if open || service.known(&caller.pin) { next.run(request).await } else { Problem::forbidden().into_response() }
}

async fn identity(State(service): Service, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    let body = service.identity(caller).await?;
    Ok(answer(body, "application/octet-stream", "no-store"))
}

async fn announced(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let body = read_body(request.into_body(), journal::identity::MAX_IDENTITY_BYTES).await?;
    let body = service.announced(caller, body).await?;
    Ok(answer(body, "text/plain; charset=utf-8", "no-store"))
}

async fn checkpoint(State(service): Service, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    let body = service.checkpoint(caller).await?;
    Ok(answer(body, "text/plain; charset=utf-8", "no-store"))
}

async fn tile(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    if !is_tile_path(&path) {
        return Err(Problem::not_found());
    }
    // A full tile never changes (C2SP tlog-tiles, "Merkle Tree"). A partial one is soon replaced by a larger one.
    let caching = if path.contains(".p/") { "no-store" } else { "private, max-age=31536000, immutable" };
    let body = service.tile(caller, path).await?;
    Ok(answer(body, "application/octet-stream", caching))
}

async fn yours(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let page = service.yours(caller, bounded(query)?).await?;
    Ok(answer(page, PAGE_TYPE, "no-store"))
}

async fn digests(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    Path(index): Path<String>,
) -> Result<Response, Problem> {
    let index = index.parse().map_err(|_| Problem::not_found())?;
    let body = service.evidence(caller, index, None).await?;
    Ok(answer(body, "application/octet-stream", "no-store"))
}

async fn piece(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    Path((index, piece)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let index = index.parse().map_err(|_| Problem::not_found())?;
    let piece = piece.parse().map_err(|_| Problem::not_found())?;
    let body = service.evidence(caller, index, Some(piece)).await?;
    Ok(answer(body, "application/octet-stream", "no-store"))
}

/// A query within its limit.
fn bounded(query: Option<String>) -> Result<String, Problem> {
    let query = query.unwrap_or_default();
    if query.len() > limits::QUERY_BYTES {
        return Err(Problem::bad_request(format!("write a query of at most {} bytes", limits::QUERY_BYTES)));
    }
    Ok(query)
}

async fn releases(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    Extension(closing): Extension<Closing>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = bounded(query)?;
    tokio::select! {
        page = service.releases(caller, query) => Ok(answer(page?, PAGE_TYPE, "no-store")),
        () = closing.wait() => Err(Problem::unavailable("the node is going down: connect again in a moment")),
    }
}

async fn peer(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let body = read_body(request.into_body(), limits::FEDERATION_BODY_BYTES).await?;
    let body = service.peer(caller, body).await?;
    Ok(answer(body, "application/json", "no-store"))
}

async fn add_checkpoint(
    State(service): Service,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let body = read_body(request.into_body(), journal::witness::MAX_REQUEST_BYTES).await?;
    Ok(match service.add_checkpoint(caller, body).await? {
        Cosigned::Lines(lines) => answer(Bytes::from(lines), "text/plain; charset=utf-8", "no-store"),
        Cosigned::Size(size) => {
            let mut response = answer(Bytes::from(format!("{size}\n")), SIZE_TYPE, "no-store");
            *response.status_mut() = StatusCode::CONFLICT;
            response
        }
    })
}

/// `<level>/<index>[.p/<width>]` or `entries/…`, by its letters and length; what is in it is the log's business.
fn is_tile_path(path: &str) -> bool {
    let path = path.strip_prefix("entries/").unwrap_or(path);
    let good = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'x' | b'/' | b'.' | b'p');
    path.len() <= limits::TILE_PATH_BYTES
        && path.bytes().all(good)
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

fn answer(body: Bytes, media_type: &'static str, caching: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound => Self::not_found(),
            ServiceError::Forbidden => Self::forbidden(),
            ServiceError::BadRequest(detail) => Self::bad_request(detail),
            ServiceError::Unprocessable(detail) => Self::unprocessable(detail),
            ServiceError::TooMany { retry_after } => Self::too_many(retry_after),
            ServiceError::Unavailable(detail) => Self::unavailable(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, good: bool) {
        assert_eq!(is_tile_path(path), good, "{path}");
    }

    #[test]
    fn tile_paths_are_bounded() {
        check("0/000", true);
        check("0/x001/234.p/17", true);
        check("entries/x001/234", true);
        check("entries/", false);
        check("0/../1", false);
        check("0//1", false);
        check("0/0%2e", false);
        check("entries/entries/0", false);
        check(&"1".repeat(limits::TILE_PATH_BYTES + 1), false);
    }
}
