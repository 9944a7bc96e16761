//! The seats of the demonstration: a page on a listener of its own from which one sits down at a nation's node.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE32_NOPAD_NOCASE;
use http_room::server::accept::{self, Bounds};
use http_room::server::seats::{self, Seat, Seated, Ushers};
use http_room::server::{self, Close};
use node::ports::Boxed;
use node::{Node, account};
use store::StoreError;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::DemoError;
use super::exercise::Played;
use super::fleet::Fleet;

/// Who sits where: the first asks for help, the others help.
const SEATS: [(&str, &str); 3] = [
    ("FR", "France is hit: ask for help, and choose whose help you take"),
    ("EE", "Estonia helps: answer France, and send your people"),
    ("DE", "Germany helps too"),
];

/// The listener of the seats, before anybody can sit.
pub(super) struct Hall {
    listener: TcpListener,
    address: SocketAddr,
}

impl Hall {
    /// Takes a free port of the machine itself.
    pub(super) async fn open() -> Result<Self, DemoError> {
        let at = DemoError::at("the page of the seats");
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
        let listener = listener.map_err(|error| at(&error))?;
        let address = listener.local_addr().map_err(|error| at(&error))?;
        Ok(Self { listener, address })
    }

    /// Where it is.
    pub(super) fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Lets people sit.
    pub(super) fn serve(self, fleet: &Fleet, exercise: &[Played]) -> Seating {
        let mut rows = Vec::new();
        for (country, says) in SEATS {
            let Ok(member) = fleet.of(country) else { continue };
            let facts = &member.facts;
            rows.push(Row {
                seat: Seat {
                    country: country.to_owned(),
                    says: says.to_owned(),
                    address: format!("http://{}", member.web),
                    path: String::new(),
                },
                node: member.node().clone(),
                login: facts.login.clone(),
                password: facts.password.clone(),
                secret: facts.totp_secret.clone(),
                token: Mutex::new(None),
            });
        }
        for Played { access, web, node, country, .. } in exercise {
            rows.push(Row {
                seat: Seat {
                    country: country.to_string(),
                    says: format!("{}, beside reality", access.realm),
                    address: format!("http://{web}"),
                    path: access.path.trim_end_matches('/').to_owned(),
                },
                node: node.clone(),
                login: access.login.clone(),
                password: access.password.clone(),
                secret: access.totp_secret.clone(),
                token: Mutex::new(None),
            });
        }
        let seats = rows.iter().map(|row| row.seat.clone()).collect();
        let router = seats::router(Arc::new(Doorman { seats, rows }));
        let (close, closing) = server::shutdown();
        let task = tokio::spawn(accept::serve_plain(self.listener, router, Bounds::plain(), closing));
        Seating { close, task }
    }
}

/// The page while it is served.
pub(super) struct Seating {
    close: Close,
    task: JoinHandle<()>,
}

impl Seating {
    /// Serves it no more.
    pub(super) async fn stop(self) {
        self.close.now();
        // A task that was stopped has nothing more to say.
        let _ = self.task.await;
    }
}

/// One seat, and what its person logs in with.
struct Row {
    seat: Seat,
    node: Node,
    login: String,
    password: String,
    secret: String,
    /// The session of whoever sat here last: a one-time code works once, and people change seats faster than codes.
    token: Mutex<Option<[u8; 32]>>,
}

struct Doorman {
    seats: Vec<Seat>,
    rows: Vec<Row>,
}

impl Ushers for Doorman {
    fn seats(&self) -> &[Seat] {
        &self.seats
    }

    fn seat(&self, number: usize) -> Boxed<'_, Result<Seated, String>> {
        Box::pin(async move {
            let row = self.rows.get(number).ok_or_else(|| "there is no such seat".to_owned())?;
            let token = row.token().await?;
            let token = token.ok_or_else(|| "somebody has just logged in here: try again in 30 seconds".to_owned())?;
            Ok(Seated { origin: row.node.me().origin.clone(), token })
        })
    }
}

impl Row {
    /// The session that still holds, or a new one.
    async fn token(&self) -> Result<Option<[u8; 32]>, String> {
        let known = *self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = known {
            let found = self.node.read(move |view| account::by_session(view, &token)).await;
            if found.map_err(told)?.is_some() {
                return Ok(Some(token));
            }
        }
        let begun = self.log_in().await?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = begun;
        Ok(begun)
    }

    /// Logs in as the person would; a step of the code that was used already is passed over.
    async fn log_in(&self) -> Result<Option<[u8; 32]>, String> {
        let login = self.login.clone();
        let candidate = self.node.read(move |view| account::candidate(view, &login)).await.map_err(told)?;
        let password = self.password.clone();
        let checked = tokio::task::spawn_blocking(move || candidate.check(password.as_bytes())).await;
        let Ok(checked) = checked else { return Ok(None) };
        // The secret is the one that the account was made with.
        let secret = BASE32_NOPAD_NOCASE.decode(self.secret.as_bytes()).unwrap_or_default();
        for ahead in 0..=1 {
            let (checked, secret) = (checked.clone(), secret.clone());
            let begun = self.node.write(move |work| {
                let step = u64::try_from(work.wall.micros() / 30_000_000).unwrap_or(0) + ahead;
                account::log_in(work, &checked, &account::totp_code(&secret, step))
            });
            if let Some(session) = begun.await.map_err(|error| error.to_string())? {
                return Ok(Some(session.token));
            }
        }
        Ok(None)
    }
}

fn told(error: StoreError) -> String {
    error.to_string()
}
