//! The REST API (`/api/v1`): one file a resource, with its shapes, handlers, documentation and refusals side by side.
//!
//! A handler asks the caller for a permission, calls one use case of `node`, and takes content out of
//! `policy::Released` on its last line. The contract is generated from the same code (`openapi`).

pub mod acts;
pub mod alerts;
pub mod assistance;
pub mod audiences;
pub mod capacities;
pub mod disclosures;
pub mod events;
pub mod evidence;
pub mod exercises;
pub mod exports;
pub mod handovers;
pub mod headers;
pub mod holds;
pub mod idempotency;
pub mod intake;
pub mod keys;
pub mod ledger;
pub mod limits;
pub mod log;
pub mod mailbox;
pub mod mandates;
pub mod objects;
pub mod operate;
pub mod partners;
pub mod passkeys;
pub mod pointers;
pub mod reach;
pub mod recovery;
pub mod red;
pub mod refusal;
pub mod request;
pub mod reserve;
pub mod retention;
pub mod roster;
pub mod session;
pub mod sheets;
pub mod spills;
pub mod statements;
pub mod status;
pub mod tokens;
pub mod users;
pub mod who_sees;
pub mod witnesses;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use model::MemberSet;
use node::passkey::ceremony::HostName;
use node::ports::{Boxed, MailCipher};
use node::{Node, Work};
use tokio::sync::Semaphore;
use tracing::Instrument;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::refusal::Refusal;
use super::realms::{self, Prefix};
use super::sealed_files::SealedFiles;
use crate::client::join::{JoinError, Joined};
use crate::problem::Problem;

/// Makes the outgoing call of peering: it needs the node's TLS key, which this API never holds.
pub trait Joiner: Send + Sync {
    /// Takes up an invitation by its code.
    fn accept(&self, code: String) -> Boxed<'_, Result<Joined, JoinError>>;
}

/// What the API serves from.
pub struct Ctx {
    /// The node.
    pub node: Node,
    /// The outgoing call of peering.
    pub joiner: Arc<dyn Joiner>,
    /// The keys of this node, which this API never holds.
    pub keyring: Arc<dyn keys::Keyring>,
    /// What encrypts mail for partners without a node.
    pub cipher: Arc<dyn MailCipher>,
    /// The sealed files of evidence.
    pub files: Arc<SealedFiles>,
    /// Is it served without TLS, on the machine itself? Then cookies can't be `Secure`.
    pub plain_http: bool,
    /// The highest marking that the node may hold.
    pub ceiling: ::intake::Classification,
    /// The host name by which people reach the node, which passkeys are bound to; without it, `localhost` alone.
    pub host: Option<HostName>,
    /// Where the seats of a demonstration are chosen; `None` on every other node.
    pub seats: Option<String>,
}

/// The state of every handler: what it serves from, and what bounds it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// See [`App`].
pub struct Inner {
    /// What the API serves from.
    pub ctx: Ctx,
    /// The exercises beside this node, if it is a real one that may have some.
    exercises: Option<exercises::Ruled>,
    /// Passwords that are hashed at once: each takes 19 MiB.
    pub(crate) hashing: Semaphore,
    /// How often the gates have asked of late.
    pub(crate) leases: mandates::Pace,
    forgot: AtomicI64,
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    fn new(ctx: Ctx, exercises: Option<exercises::Ruled>) -> Self {
        let hashing = Semaphore::new(limits::HASHING);
        Self(Arc::new(Inner {
            ctx,
            exercises,
            hashing,
            leases: mandates::Pace::default(),
            forgot: AtomicI64::new(i64::MIN),
        }))
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.ctx.node
    }

    /// Does the node still take commands?
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.node().is_writing()
    }

    /// Is it time to forget old answers again? `true` for one caller an hour: looking for them reads them all.
    pub(crate) fn forgets_now(&self) -> bool {
        let now = self.node().now();
        let last = self.forgot.load(Ordering::Relaxed);
        last < now.plus_seconds(-3_600).micros()
            && self.forgot.compare_exchange(last, now.micros(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Runs a use case that writes.
    ///
    /// # Errors
    /// The use case refused, or the node is busy or has stopped.
    pub async fn write<R, F>(&self, use_case: F) -> Result<R, Refusal>
    where
        R: Send + 'static,
        F: FnOnce(&mut Work<'_, '_>) -> Result<R, Refusal> + Send + 'static,
    {
        Ok(self.node().write(use_case).await?)
    }
}

/// Everything below `/api/v1`, and beside it the plain pages, `/healthz` and `/metrics`.
pub fn router(ctx: Ctx) -> Router {
    ruling(ctx, None)
}

/// The same for a real node that may have exercises beside it.
pub fn ruling(ctx: Ctx, exercises: Option<exercises::Ruled>) -> Router {
    let realm = ctx.node.me().realm().clone();
    let app = App::new(ctx, exercises);
    let (api, _) = resources().split_for_parts();
    let api = api
        .route("/openapi.json", get(contract))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() });
    let all = Router::new()
        .nest("/api/v1", api)
        .merge(super::metrics::router())
        .merge(super::pages::router(&app))
        .merge(super::console::router())
        .layer(from_fn(in_time))
        .with_state(app);
    let all = headers::harden(headers::never_stored(all));
    all.layer(from_fn(move |request: Request, next: Next| {
        let realm = realm.clone();
        // What a request logs names its realm.
        let span = tracing::info_span!("realm", %realm);
        async move { realms::told(next.run(request).await, &realm) }.instrument(span)
    }))
}

/// The contract as OpenAPI 3.1, pretty-printed: what `openapi.json` beside this crate holds.
#[must_use]
pub fn openapi() -> String {
    let (_, mut api) = resources().split_for_parts();
    name_operations(&mut api);
    // A document of strings, lists and maps with string keys: serialising it cannot fail.
    let mut text = api.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Names each operation by its method and path: handlers of several resources have one name (`list`), and an
/// `operationId` stands once in a document (OpenAPI 3.1 §4.8.10.1).
fn name_operations(api: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut api.paths.paths {
        let words: Vec<&str> =
            path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let methods =
            [("get", &mut item.get), ("put", &mut item.put), ("post", &mut item.post), ("delete", &mut item.delete)];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                operation.operation_id = Some(format!("{method}_{}", words.join("_")));
            }
        }
    }
}

/// The contract, with the path below which this realm's API is.
async fn contract(prefix: Option<Extension<Prefix>>) -> Response {
    let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
    let text = match prefix {
        Some(Extension(Prefix(prefix))) => openapi().replace("\"/api/v1\"", &format!("\"{prefix}/api/v1\"")),
        None => openapi(),
    };
    (json, text).into_response()
}

fn resources() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document())
        .routes(routes!(status::status))
        .routes(routes!(objects::list))
        .routes(routes!(objects::one))
        .routes(routes!(objects::content))
        .routes(routes!(who_sees::of_object))
        .routes(routes!(who_sees::of_choice))
        .routes(routes!(intake::list, intake::take))
        .routes(routes!(statements::assert))
        .routes(routes!(statements::assert_from_intake))
        .routes(routes!(statements::withdraw))
        .routes(routes!(disclosures::disclose))
        .routes(routes!(pointers::say))
        .routes(routes!(exports::export))
        .routes(routes!(exports::lists))
        .routes(routes!(exports::put, exports::pull))
        .routes(routes!(ledger::list))
        .routes(routes!(red::for_you))
        .routes(routes!(red::standing))
        .routes(routes!(red::add_reader))
        .routes(routes!(red::remove_reader))
        .routes(routes!(red::invite))
        .routes(routes!(red::code))
        .routes(routes!(red::revoke))
        .routes(routes!(spills::list, spills::spill))
        .routes(routes!(spills::preview))
        .routes(routes!(spills::one))
        .routes(routes!(holds::list, holds::add))
        .routes(routes!(holds::release))
        .routes(routes!(retention::show))
        .routes(routes!(retention::set))
        .routes(routes!(retention::plan))
        .routes(routes!(retention::apply))
        .routes(routes!(audiences::list, audiences::create))
        .routes(routes!(audiences::one))
        .routes(routes!(audiences::preview))
        .routes(routes!(audiences::change))
        .routes(routes!(audiences::tick))
        .routes(routes!(partners::list))
        .routes(routes!(partners::invite))
        .routes(routes!(partners::accept))
        .routes(routes!(partners::roster))
        .routes(routes!(partners::confirm))
        .routes(routes!(partners::confirm_successor))
        .routes(routes!(partners::hold))
        .routes(routes!(partners::resume))
        .routes(routes!(partners::cut))
        .routes(routes!(reach::add))
        .routes(routes!(reach::of, reach::change))
        .routes(routes!(mailbox::list))
        .routes(routes!(mailbox::relay))
        .routes(routes!(mailbox::dismiss))
        .routes(routes!(reach::letters))
        .routes(routes!(reach::code))
        .routes(routes!(log::page))
        .routes(routes!(log::proof))
        .routes(routes!(log::proof_words))
        .routes(routes!(evidence::file))
        .routes(routes!(witnesses::list, witnesses::choose))
        .routes(routes!(assistance::list, assistance::ask))
        .routes(routes!(assistance::one))
        .routes(routes!(assistance::amend))
        .routes(routes!(assistance::reply))
        .routes(routes!(assistance::accept))
        .routes(routes!(assistance::follow_up))
        .routes(routes!(assistance::mission))
        .routes(routes!(acts::list))
        .routes(routes!(acts::waiting))
        .routes(routes!(acts::one))
        .routes(routes!(acts::decide))
        .routes(routes!(acts::paper))
        .routes(routes!(acts::rules, acts::change_rules))
        .routes(routes!(acts::authorities, acts::grant))
        .routes(routes!(acts::revoke))
        .routes(routes!(handovers::list, handovers::give))
        .routes(routes!(handovers::draft))
        .routes(routes!(handovers::take))
        .routes(routes!(sheets::catch_up, sheets::caught_up))
        .routes(routes!(sheets::brief))
        .routes(routes!(sheets::card))
        .routes(routes!(roster::show))
        .routes(routes!(roster::duty))
        .routes(routes!(roster::put_person, roster::remove_person))
        .routes(routes!(roster::add_shift))
        .routes(routes!(roster::remove_shift))
        .routes(routes!(roster::preview))
        .routes(routes!(roster::import))
        .routes(routes!(assistance::relay::take_down))
        .routes(routes!(assistance::relay::confirm))
        .routes(routes!(assistance::relay::drop_draft))
        .routes(routes!(assistance::notes::list, assistance::notes::say))
        .routes(routes!(assistance::evidence::list, assistance::evidence::hand_over))
        .routes(routes!(assistance::evidence::custody))
        .routes(routes!(assistance::sealed::begin))
        .routes(routes!(assistance::sealed::put))
        .routes(routes!(assistance::sealed::state))
        .routes(routes!(assistance::sealed::fetch))
        .routes(routes!(assistance::sealed::piece))
        .routes(routes!(alerts::ladders))
        .routes(routes!(alerts::set_ladder, alerts::remove_ladder))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::one))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(alerts::drill))
        .routes(routes!(assistance::matches::matches))
        .routes(routes!(reserve::list, reserve::open))
        .routes(routes!(reserve::one))
        .routes(routes!(reserve::fill))
        .routes(routes!(reserve::step))
        .routes(routes!(reserve::proof))
        .routes(routes!(capacities::list, capacities::add))
        .routes(routes!(capacities::cards))
        .routes(routes!(capacities::one))
        .routes(routes!(capacities::amend))
        .routes(routes!(capacities::publish))
        .routes(routes!(mandates::draft))
        .routes(routes!(mandates::one))
        .routes(routes!(mandates::step))
        .routes(routes!(mandates::helpers))
        .routes(routes!(mandates::lease))
        .routes(routes!(events::events))
        .routes(routes!(session::log_in, session::whoami, session::log_out))
        .routes(routes!(passkeys::log_in_options))
        .routes(routes!(passkeys::log_in))
        .routes(routes!(passkeys::list, passkeys::register))
        .routes(routes!(passkeys::register_options))
        .routes(routes!(passkeys::remove))
        .routes(routes!(passkeys::of_user))
        .routes(routes!(passkeys::revoke))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::change))
        .routes(routes!(users::reset))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(recovery::recovery))
        .routes(routes!(recovery::decide))
        .routes(routes!(operate::rebuild))
        .routes(routes!(operate::clock))
        .routes(routes!(keys::list))
        .routes(routes!(keys::request))
        .routes(routes!(keys::install))
        .routes(routes!(keys::renew))
        .routes(routes!(exercises::list, exercises::open))
        .routes(routes!(exercises::set_clock))
        .routes(routes!(exercises::end))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Entraide",
        description = "The REST API of one nation's node. Lists are pages: pass `next` as `after`. \
                       \"Not found\" and \"not for you\" are one answer. Unsafe commands take an `Idempotency-Key`.",
        license(name = "EUPL-1.2", identifier = "EUPL-1.2"),
    ),
    servers((url = "/api/v1")),
    components(schemas(refusal::ProblemDetails)),
    security(("session" = []), ("token" = [])),
)]
struct Document;

fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let cookie = ApiKeyValue::with_description(
        "entraide_<first 8 hexadecimal digits of the root id>",
        "Set by `POST /session`. Unsafe methods repeat the session's `csrf` in the header `X-CSRF`.",
    );
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    document
}

/// Ends a request that takes too long. Streams of events answer at once, and end by themselves.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(limits::REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Problem::unavailable("the request took too long: send a smaller one, or the same with its idempotency key")
                .into_response()
        }
    }
}

/// The members of a set as text.
pub(crate) fn origins(members: &MemberSet) -> Vec<String> {
    members.as_slice().iter().map(ToString::to_string).collect()
}
