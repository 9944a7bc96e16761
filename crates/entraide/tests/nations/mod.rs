//! Nations in this process, each a real node that serves over real sockets.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use entraide::init::{self, Initialised};
use entraide::machine::MachineClock;
use entraide::serve::{self, Running, ServeConfig};
use http_room::server::api::keys::{Keyring, Keys, Signed, Wanted};
use model::Realm;
use node::ports::Clock;
use node::{Node, partner};
use store::{PartnerState, StoreError};

pub struct Nation {
    pub running: Running,
    pub facts: Initialised,
    pub home: std::path::PathBuf,
    _dir: tempfile::TempDir,
}

impl Nation {
    pub async fn start(country: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let federation = std::net::TcpListener::bind(loopback).unwrap().local_addr().unwrap();
        let country = country.parse().unwrap();
        let request = init::Request {
            country,
            realm: Realm::Real,
            name: format!("CERT-{country}"),
            class: init::default_class(country),
            address: federation.to_string(),
        };
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let home = dir.path().join("node");
        let facts = init::init(&home, &request, Arc::clone(&clock)).await.unwrap();
        let config =
            ServeConfig { dir: home.clone(), listen: loopback, federation, plain_http: true, host: None, clock };
        let running = serve::start(config).await.unwrap();
        Self { running, facts, home, _dir: dir }
    }

    /// Stops the node, and starts it again from its directory.
    pub async fn restart(self) -> Self {
        self.restart_after(|_| {}).await
    }

    /// Stops the node, does something in its directory, and starts it again.
    pub async fn restart_after(self, meanwhile: impl FnOnce(&std::path::Path)) -> Self {
        let Self { running, facts, home, _dir } = self;
        assert!(running.stop().await, "the node ends in time");
        meanwhile(&home);
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let federation = facts.address.parse().unwrap();
        let config =
            ServeConfig { dir: home.clone(), listen: loopback, federation, plain_http: true, host: None, clock };
        let running = start_again(config).await;
        Self { running, facts, home, _dir }
    }

    /// The root key signs what the node asks for, and the node puts it in force.
    pub async fn rotate(&self, wanted: Wanted) -> Keys {
        let root = entraide::keys::read_key(&self.facts.root_key, entraide::keys::Kind::Root).unwrap();
        let desk = self.running.desk();
        let asked = desk.request(wanted).await.unwrap();
        let request = journal::rotation::Request::read(&asked.request).unwrap();
        let signed = request.sign(&ed25519_dalek::SigningKey::from_bytes(&root)).unwrap().write();
        desk.install(Signed { signed, overlap: Some(60) }).await.unwrap()
    }

    /// Waits until nothing of a rotation is left to do.
    pub async fn settled(&self) -> Keys {
        for _ in 0..3_000 {
            let keys = self.running.desk().keys().await.unwrap();
            if keys.rotation.is_none() {
                return keys;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{}: the rotation does not end", self.facts.origin);
    }

    /// The file of its database.
    pub fn database(&self) -> std::path::PathBuf {
        self._dir.path().join("node/entraide.db")
    }

    pub fn node(&self) -> &Node {
        self.running.node()
    }
}

/// Starts a node whose lock may be held for a moment more: a process that another test is just starting has its files
/// until it is another program.
pub async fn start_again(config: ServeConfig) -> Running {
    for _ in 0..500 {
        match serve::start(config.clone()).await {
            Err(serve::ServeError::Open(error)) if error.is_locked() => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            started => return started.unwrap(),
        }
    }
    panic!("the node's lock is not let go of");
}

/// Two people, an invitation, and a telephone: the words are compared before either confirms.
pub async fn peer(host: &Nation, joiner: &Nation) {
    let invited = host.node().write(partner::invite).await.unwrap();
    let joined = http_room::client::join::join(joiner.node(), joiner.running.tls(), &invited.code).await.unwrap();
    let country = joiner.facts.origin.country().to_string();
    let there = host.node().read(|view| view.db.partners()).await.unwrap();
    let row = there.iter().find(|row| row.origin == joiner.facts.origin).expect("the host knows the joiner");
    assert_eq!(row.state, PartnerState::AwaitingConfirmation);
    assert_eq!(row.words.as_deref().unwrap(), joined.words.join(" "), "both screens show the same six words");
    assert_eq!(joined.words.len(), 6);
    host.node().write(move |work| partner::confirm(work, &country)).await.unwrap();
    let country = host.facts.origin.country().to_string();
    joiner.node().write(move |work| partner::confirm(work, &country)).await.unwrap();
    for nation in [host, joiner] {
        nation.node().tell_partners_changed();
    }
    let again = http_room::client::join::join(joiner.node(), joiner.running.tls(), &invited.code).await;
    assert!(again.is_err(), "an invitation is used once");
}

pub async fn until(nation: &Nation, what: &str, holds: impl Fn(&node::View<'_, '_>) -> bool + Send + Sync + 'static) {
    let holds = Arc::new(holds);
    for _ in 0..3_000 {
        let holds = Arc::clone(&holds);
        if nation.node().read(move |view| Ok::<_, StoreError>(holds(view))).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{}: {what} did not come about; lags: {:?}", nation.facts.origin, nation.node().lags());
}
