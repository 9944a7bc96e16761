//! The fleet: one real node a nation, each with its own keys, log, database and listeners; peered by a signed roster.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use http_room::server::accept::Bounds;
use http_room::server::federation::{self, FederationService};
use http_room::server::realms::Beside;
use http_room::server::{self, Close};
use journal::roster::{self, Roster};
use model::{Country, Realm};
use node::Node;
use node::ports::{Clock, Random};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::DemoError;
use super::forger::Forger;
use crate::init::{self, Initialised};
use crate::keys::Layout;
use crate::machine::{MachineClock, MachineRandom};
use crate::open::{self, Opened};
use crate::serve::{self, Faces};

/// One nation of the demonstration.
pub(super) struct Member {
    pub(super) country: Country,
    pub(super) facts: Initialised,
    pub(super) opened: Opened,
    pub(super) federation: SocketAddr,
    pub(super) web: SocketAddr,
    pub(super) forger: Arc<Forger>,
    pub(super) dir: PathBuf,
    /// The exercises that its listener for people serves too.
    pub(super) beside: Beside,
    /// What federates; `None` while the node is away.
    up: Option<Up>,
    faces: Faces,
}

/// What stops when a node goes away: its federation listener and its pulling.
struct Up {
    close: Close,
    stop: tokio::sync::watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Member {
    pub(super) fn node(&self) -> &Node {
        &self.opened.node
    }

    /// The machine's clock.
    pub(super) fn machine(&self) -> Arc<dyn Clock> {
        Arc::new(MachineClock)
    }

    /// Unplugs the node from the federation; its people can still work on it.
    pub(super) async fn go_away(&mut self) {
        if let Some(up) = self.up.take() {
            up.close.now();
            up.stop.send_replace(true);
            for task in up.tasks {
                // A task that was stopped has nothing more to say.
                let _ = task.await;
            }
        }
    }

    /// Plugs it in again at the same address.
    pub(super) async fn come_back(&mut self) -> Result<(), DemoError> {
        let at = DemoError::at("a node comes back");
        let mut tries = 0;
        let listener = loop {
            match TcpListener::bind(self.federation).await {
                Ok(listener) => break listener,
                Err(_) if tries < 50 => tries += 1,
                Err(error) => return Err(at(&error)),
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        self.up = Some(plug_in(&self.opened, listener, Arc::clone(&self.forger)));
        Ok(())
    }
}

fn plug_in(opened: &Opened, listener: TcpListener, forger: Arc<Forger>) -> Up {
    let (close, closing) = server::shutdown();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let key = opened.tls.clone();
    let listening = tokio::spawn(async move {
        let service: Arc<dyn FederationService> = forger;
        if let Err(error) = federation::serve(listener, &key, service, Bounds::federation(), closing).await {
            tracing::error!(%error, "a federation listener did not start");
        }
    });
    let transport = Arc::new(http_room::client::transport::PinnedTransport::new(opened.tls.clone()));
    let pulling = tokio::spawn(node::pull::run(opened.node.clone(), transport.clone(), stopping.clone()));
    let witnessed = tokio::spawn(node::witness::run(opened.node.clone(), transport, stopping));
    Up { close, stop, tasks: vec![listening, pulling, witnessed] }
}

/// All nations.
pub(super) struct Fleet {
    pub(super) members: Vec<Member>,
}

impl Fleet {
    /// Makes and starts a node a nation, and peers all of them.
    pub(super) async fn start(dir: &Path, countries: &[Country], seats: &str) -> Result<Self, DemoError> {
        let at = DemoError::at("the nodes start");
        // 27 partners a node, a connection each way, and a few files.
        let wanted = 64 * 1024;
        let (_, hard) = rlimit::getrlimit(rlimit::Resource::NOFILE).map_err(|error| at(&error))?;
        rlimit::increase_nofile_limit(wanted.min(hard)).map_err(|error| at(&error))?;
        let mut starting = JoinSet::new();
        for country in countries {
            let (dir, country, seats) = (dir.join(country.as_str()), *country, seats.to_owned());
            starting.spawn(async move { start_one(&dir, country, seats).await });
        }
        let mut members = Vec::with_capacity(countries.len());
        while let Some(started) = starting.join_next().await {
            members.push(started.map_err(|error| at(&error))??);
        }
        members.sort_by_key(|member| (member.country.as_str() == "EU", member.country));
        let fleet = Self { members };
        fleet.peer().await?;
        Ok(fleet)
    }

    /// Gives every node the same signed roster; a person at each confirms all of it.
    async fn peer(&self) -> Result<(), DemoError> {
        let at = DemoError::at("peering by roster");
        let mut seed = [0; 32];
        MachineRandom::new().map_err(|error| at(&error))?.fill(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let roster = Roster {
            title: "CSIRTs network, demonstration".to_owned(),
            entries: self.members.iter().map(|member| member.facts.signed.clone()).collect(),
            issued: MachineClock.now(),
        };
        let text: Arc<str> = roster::sign(&roster, &key).map_err(|error| at(&error))?.into();
        let public = key.verifying_key().to_bytes();
        let mut peering = JoinSet::new();
        for member in &self.members {
            let (node, text) = (member.node().clone(), Arc::clone(&text));
            peering.spawn(async move {
                let done = node.write(move |work| {
                    for origin in node::partner::propose_roster(work, &text, &public)? {
                        node::partner::confirm(work, &origin.to_string())?;
                    }
                    Ok::<_, node::partner::PartnerError>(())
                });
                done.await.map(|()| node.tell_partners_changed())
            });
        }
        while let Some(peered) = peering.join_next().await {
            peered.map_err(|error| at(&error))?.map_err(|error| at(&error))?;
        }
        Ok(())
    }

    /// A member by its letters; the cast is checked before the fleet starts.
    pub(super) fn of(&self, country: &str) -> Result<&Member, DemoError> {
        let found = self.members.iter().find(|member| member.country.as_str() == country);
        found.ok_or_else(|| DemoError::Nations(country.to_owned()))
    }

    pub(super) fn of_mut(&mut self, country: &str) -> Result<&mut Member, DemoError> {
        let found = self.members.iter_mut().find(|member| member.country.as_str() == country);
        found.ok_or_else(|| DemoError::Nations(country.to_owned()))
    }

    /// Ends all nodes: everybody is told before anybody is waited for.
    pub(super) async fn stop(self) {
        let mut ending = JoinSet::new();
        for mut member in self.members {
            ending.spawn(async move {
                member.go_away().await;
                let Member { opened, faces, forger, .. } = member;
                faces.stop().await;
                drop(forger);
                opened.close().await
            });
        }
        while ending.join_next().await.is_some() {}
    }
}

async fn start_one(dir: &Path, country: Country, seats: String) -> Result<Member, DemoError> {
    let at = DemoError::at("a node starts");
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let federation = TcpListener::bind(loopback).await.map_err(|error| at(&error))?;
    let web = TcpListener::bind(loopback).await.map_err(|error| at(&error))?;
    let federation_at = federation.local_addr().map_err(|error| at(&error))?;
    let web_at = web.local_addr().map_err(|error| at(&error))?;
    let request = init::Request {
        country,
        realm: Realm::Real,
        name: format!("CERT-{country}"),
        class: init::default_class(country),
        address: federation_at.to_string(),
    };
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let facts = init::init(dir, &request, Arc::clone(&clock)).await.map_err(|error| at(&error))?;
    let mut opened = open::open(&Layout::new(dir), clock).map_err(|error| at(&error))?;
    opened.seats = Some(seats);
    let beside = Beside::default();
    let faces = serve::web(&opened, web, true, None, beside.clone()).map_err(|error| at(&error))?;
    let (tls, files) = (opened.tls.clone(), Arc::clone(&opened.files));
    let service = http_room::server::federating::Federating::new(opened.node.clone(), tls, files).await;
    let forger = Forger::new(service.map_err(|error| at(&error))?);
    let up = plug_in(&opened, federation, Arc::clone(&forger));
    Ok(Member {
        country,
        facts,
        opened,
        federation: federation_at,
        web: web_at,
        forger,
        dir: dir.to_owned(),
        beside,
        up: Some(up),
        faces,
    })
}
