//! One connection from its first request to its last.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body as AxumBody, HttpBody};
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt;

use super::Bounds;
use super::body::{Inbound, Ledger, Outbound};
use crate::limits;
use crate::problem::Problem;
use crate::server::Closing;

/// What is spoken on a connection, known before its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Drives connections of one listener.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    router: Router,
    pub(super) bounds: Arc<Bounds>,
    closing: Closing,
}

impl Driver {
    pub(super) fn new(router: Router, bounds: Bounds, closing: Closing) -> Self {
        Self { router, bounds: Arc::new(bounds), closing }
    }

    /// Serves one connection until it ends, is too slow, has lived for `life`, or the node goes down.
    ///
    /// `mark` says who is at the other end; it becomes an extension of every request.
    pub(super) async fn drive<S, M>(&self, stream: S, protocol: Protocol, mark: M, life: Option<Duration>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        M: Clone + Send + Sync + 'static,
    {
        let ledger = Ledger::new();
        // HTTP/2 answers each request in a task of its own, so each takes what it needs along.
        let (driver, watching) = (self.clone(), ledger.clone());
        let service = service_fn(move |request| driver.clone().answer(request, mark.clone(), watching.clone()));
        let builder = builder(&self.bounds, protocol);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let end = async {
            match life {
                Some(life) => tokio::time::sleep(life).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let stalled = ledger.stalled(self.bounds.stall);
        tokio::pin!(stalled);
        let closing = self.closing.wait();
        tokio::pin!(closing);
        let mut leaving = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error, "connection ended");
                    }
                    return;
                }
                () = &mut closing, if !leaving => {
                    leaving = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut stalled => return tracing::debug!("connection closed: its reader doesn't read"),
                () = &mut end => return tracing::debug!("connection closed: its time is over"),
            }
        }
    }

    async fn answer<M>(
        self,
        request: Request<Incoming>,
        mark: M,
        ledger: Ledger,
    ) -> Result<Response<Outbound>, Infallible>
    where
        M: Clone + Send + Sync + 'static,
    {
        let limit = self.bounds.request_body;
        let response = if request.body().size_hint().lower() > limit as u64 {
            Problem::too_large(limit).into_response()
        } else {
            let (idle, total) = (self.bounds.body_idle, self.bounds.body_total);
            let mut request = request.map(|body| AxumBody::new(Limited::new(Inbound::new(body, idle, total), limit)));
            request.extensions_mut().insert(mark);
            request.extensions_mut().insert(self.closing);
            self.router.oneshot(request).await?
        };
        Ok(response.map(|body| ledger.watch(body)))
    }
}

fn builder(bounds: &Bounds, protocol: Protocol) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_headers(limits::HEADERS)
        .max_buf_size(limits::HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_LIST)
        .max_concurrent_streams(limits::STREAMS)
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_send_buf_size(limits::SEND_BUFFER_BYTES)
        .keep_alive_interval(limits::PING_EVERY)
        .keep_alive_timeout(limits::PING_ANSWER);
    match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    }
}

/// [`limits::HEAD_BYTES`], as HTTP/2 counts it (RFC 9113 §6.5.2).
const HEAD_LIST: u32 = 16 * 1024;
const _: () = assert!(HEAD_LIST as usize == limits::HEAD_BYTES);
