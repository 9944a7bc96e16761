//! A small world for tests: real nodes with real databases, a clock that stands still, keys from seeds, and a transport
//! that asks the other node's feed directly. What travels is the real wire codec.
#![allow(dead_code, reason = "each test uses a part of the world")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use journal::checkpoint::{self, Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::identity::{self, Identity, Pin, SignedIdentity};
use journal::seal::WrappingKey;
use journal::wire::{self, FeedRequest};
use journal::witness::AddCheckpoint;
use model::{Origin, PartnerClass, Realm, RootId, Timestamp};
use node::Node;
use node::cosign::Cosigned;
use node::engine::Deps;
use node::ports::{
    Boxed, Clock, PartnerAddress, PurgeList, Random, Signer, SignerError, Transport, TransportError, WitnessAnswer,
};
use store::{PartnerState, StoreError};

pub struct StandingClock(pub AtomicI64);

impl StandingClock {
    pub fn new() -> Self {
        Self(AtomicI64::new(1_790_000_000_000_000))
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// SplitMix64: enough for tests, and the same every time.
pub struct Seeded(pub u64);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = u8::try_from((z ^ (z >> 31)) & 0xff).unwrap();
        }
    }
}

pub struct MemorySigner {
    log_key: SigningKey,
    wrapping: Arc<WrappingKey>,
    cursor: Arc<CursorKey>,
    mark: Mutex<Option<Checkpoint>>,
    unknown: std::sync::atomic::AtomicBool,
    name: String,
}

impl MemorySigner {
    pub fn new(seed: u8, mark: Option<Checkpoint>) -> Self {
        Self {
            log_key: SigningKey::from_bytes(&[seed; 32]),
            wrapping: Arc::new(WrappingKey::new([seed ^ 0x55; 32])),
            cursor: Arc::new(CursorKey::new([seed ^ 0x33; 32])),
            mark: Mutex::new(mark),
            unknown: false.into(),
            name: String::new(),
        }
    }
    /// One that does not know what was signed last.
    pub fn unknown(seed: u8) -> Self {
        Self { unknown: true.into(), ..Self::new(seed, None) }
    }
}

impl Signer for MemorySigner {
    fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        if self.is_unknown() {
            return Err(SignerError::Unknown);
        }
        let mut mark = self.mark.lock().unwrap();
        if let Some(mark) = mark.as_ref() {
            if mark.size > next.size {
                return Err(SignerError::Behind { signed: mark.size, shown: next.size });
            }
            if mark.size == next.size && mark.root != next.root {
                return Err(SignerError::Forked { size: next.size });
            }
        }
        *mark = Some(next.clone());
        Ok(checkpoint::sign(next, &self.log_key))
    }
    fn cosign(&self, text: &str, seconds: u64) -> Result<String, SignerError> {
        Ok(journal::note::cosign(text, &self.name, seconds, &self.log_key))
    }
    fn mark(&self) -> Option<Checkpoint> {
        self.mark.lock().unwrap().clone()
    }
    fn is_unknown(&self) -> bool {
        self.unknown.load(Ordering::Relaxed)
    }
    fn settle(&self, found: &Checkpoint) -> Result<(), SignerError> {
        *self.mark.lock().unwrap() = Some(found.clone());
        self.unknown.store(false, Ordering::Relaxed);
        Ok(())
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        Arc::clone(&self.wrapping)
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        Arc::clone(&self.cursor)
    }
}

/// One nation of the world.
pub struct Nation {
    pub node: Node,
    pub dir: tempfile::TempDir,
    pub seed: u8,
}

pub fn origin(country: &str, seed: u8) -> Origin {
    let root = SigningKey::from_bytes(&[seed ^ 0xaa; 32]);
    Origin::new(country.parse().unwrap(), Realm::Real, RootId::of_key(root.verifying_key().as_bytes()))
}

pub fn signed_identity(country: &str, seed: u8) -> SignedIdentity {
    let root = SigningKey::from_bytes(&[seed ^ 0xaa; 32]);
    let log = SigningKey::from_bytes(&[seed; 32]);
    let identity = Identity {
        origin: origin(country, seed),
        name: format!("CERT-{country}"),
        version: 1,
        root_key: *root.verifying_key().as_bytes(),
        log_key: *log.verifying_key().as_bytes(),
        tls_pins: vec![Pin::new([seed; 32])],
        witness_key: *log.verifying_key().as_bytes(),
        mandate_key: *log.verifying_key().as_bytes(),
        address: format!("127.0.0.1:{}", 20_000 + u16::from(seed)),
        class: PartnerClass::EuState,
        wire: wire::WIRE_VERSIONS.to_vec(),
        issued: Timestamp::from_seconds(1_790_000_000),
        past: journal::log_keys::Past::default(),
        succeeds: None,
    };
    identity::sign(&identity, &root)
}

impl Nation {
    pub fn new(country: &str, seed: u8) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let node = open(dir.path(), country, seed, MemorySigner::new(seed, None)).unwrap();
        Self { node, dir, seed }
    }
    pub fn country(&self) -> String {
        self.node.me().origin.country().to_string()
    }
}

pub fn open(
    dir: &std::path::Path,
    country: &str,
    seed: u8,
    signer: MemorySigner,
) -> Result<Node, node::engine::OpenError> {
    open_as(dir, country, seed, signer, Arc::new(StandingClock::new()), Arc::new(Mutex::new(Vec::new())))
}

/// The same, with a clock that the test moves.
pub fn open_at(
    dir: &std::path::Path,
    country: &str,
    seed: u8,
    signer: MemorySigner,
    clock: Arc<StandingClock>,
) -> Result<Node, node::engine::OpenError> {
    open_as(dir, country, seed, signer, clock, Arc::new(Mutex::new(Vec::new())))
}

/// The same, with a purge list that the test looks at.
pub fn open_with(
    dir: &std::path::Path,
    country: &str,
    seed: u8,
    signer: MemorySigner,
    purges: Arc<dyn PurgeList>,
) -> Result<Node, node::engine::OpenError> {
    open_as(dir, country, seed, signer, Arc::new(StandingClock::new()), purges)
}

fn open_as(
    dir: &std::path::Path,
    country: &str,
    seed: u8,
    signer: MemorySigner,
    clock: Arc<StandingClock>,
    purges: Arc<dyn PurgeList>,
) -> Result<Node, node::engine::OpenError> {
    open_by(dir, country, seed, signer, clock, purges)
}

/// The same, by any clock.
pub fn open_by(
    dir: &std::path::Path,
    country: &str,
    seed: u8,
    mut signer: MemorySigner,
    clock: Arc<dyn Clock>,
    purges: Arc<dyn PurgeList>,
) -> Result<Node, node::engine::OpenError> {
    signer.name = origin(country, seed).to_string();
    let deps = Deps {
        clock,
        random: Box::new(Seeded(u64::from(seed))),
        signer: Arc::new(signer),
        identity: signed_identity(country, seed),
        purges,
    };
    Node::open(dir, deps)
}

/// Peers two nations as a roster would, and confirms on both sides.
pub async fn peer(one: &Nation, other: &Nation) {
    for (at, to) in [(one, other), (other, one)] {
        let roster = journal::roster::Roster {
            title: "test".into(),
            entries: vec![signed_identity(&to.country(), to.seed)],
            issued: Timestamp::from_seconds(1_790_000_000),
        };
        let key = SigningKey::from_bytes(&[1; 32]);
        let text = journal::roster::sign(&roster, &key).unwrap();
        let country = to.country();
        at.node
            .write(move |work| {
                node::partner::propose_roster(work, &text, key.verifying_key().as_bytes())?;
                node::partner::confirm(work, &country)
            })
            .await
            .unwrap();
        at.node.tell_partners_changed();
    }
}

/// What a witness that lies makes of its line.
pub type SpoilLine = fn(&str) -> String;

/// Asks other nodes' feeds in this process, over the real codec. A page can be spoilt on its way.
#[derive(Default)]
pub struct Local {
    nodes: Mutex<HashMap<String, Node>>,
    pub spoil: Mutex<Option<fn(&mut wire::FeedPage)>>,
    pub spoil_lines: Mutex<Option<SpoilLine>>,
    /// How often a witness was asked.
    pub asked: AtomicUsize,
    me: Mutex<[u8; 32]>,
}

impl Local {
    pub fn of(me: &Nation, others: &[&Nation]) -> Arc<Self> {
        let local = Self::default();
        *local.me.lock().unwrap() = [me.seed; 32];
        for other in others {
            let address = other.node.me().identity.address.clone();
            local.nodes.lock().unwrap().insert(address, other.node.clone());
        }
        Arc::new(local)
    }
}

impl Transport for Local {
    fn yours(&self, to: &PartnerAddress, query: String) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        let node = self.nodes.lock().unwrap().get(&to.address).cloned();
        let pin = *self.me.lock().unwrap();
        Box::pin(async move {
            let node = node.ok_or(TransportError { reason: "no connection".into() })?;
            let request = FeedRequest::from_query(&query).unwrap();
            let page = node.read(move |view| {
                let partner = node::feed::caller(view, &pin)?;
                node::yours::page(view, &partner, &request)
            });
            let page =
                page.await.map_err(|error: node::feed::FeedError| TransportError { reason: error.to_string() })?;
            Ok(wire::compress(wire::encode(&page)).unwrap())
        })
    }

    fn add_checkpoint(&self, to: &PartnerAddress, request: String) -> Boxed<'_, Result<WitnessAnswer, TransportError>> {
        let node = self.nodes.lock().unwrap().get(&to.address).cloned();
        let pin = *self.me.lock().unwrap();
        let spoil = *self.spoil_lines.lock().unwrap();
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let node = node.ok_or(TransportError { reason: "no connection".into() })?;
            let request = AddCheckpoint::read(&request).unwrap();
            let caller = node.read(move |view| node::feed::caller(view, &pin)).await.unwrap().log;
            let answer = node.write(move |work| node::cosign::cosign(work, caller, &request)).await;
            match answer {
                Ok(Cosigned::Line(line)) => Ok(WitnessAnswer::Lines(spoil.map_or(line.clone(), |spoil| spoil(&line)))),
                Ok(Cosigned::Size(size) | Cosigned::Forked(size)) => Ok(WitnessAnswer::Size(size)),
                Err(error) => Err(TransportError { reason: error.to_string() }),
            }
        })
    }

    fn releases(&self, to: &PartnerAddress, query: String) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        let node = self.nodes.lock().unwrap().get(&to.address).cloned();
        let pin = *self.me.lock().unwrap();
        let spoil = *self.spoil.lock().unwrap();
        Box::pin(async move {
            let node = node.ok_or(TransportError { reason: "no connection".into() })?;
            let mut changes = node.changes();
            loop {
                changes.mark_unchanged();
                let request = FeedRequest::from_query(&query).unwrap();
                let answer = node
                    .read(move |view| {
                        let partner = node::feed::caller(view, &pin)?;
                        let mut answer = node::feed::page(view, &partner, &request)?;
                        if request.wire > 1 && !answer.is_empty() {
                            answer.page.notes = node::gossip::notes(view, &partner)?;
                        }
                        Ok::<_, node::feed::FeedError>(answer)
                    })
                    .await
                    .map_err(|error| TransportError { reason: error.to_string() })?;
                if !answer.is_empty() {
                    let mut page = answer.page;
                    if let Some(spoil) = spoil {
                        spoil(&mut page);
                    }
                    return Ok(wire::compress(wire::encode(&page)).unwrap());
                }
                let _ = changes.changed().await;
            }
        })
    }
}

/// Waits until `holds` is true of a nation's database, or fails after ten seconds.
pub async fn until(nation: &Nation, what: &str, holds: impl Fn(&node::View<'_, '_>) -> bool + Send + Sync + 'static) {
    let holds = Arc::new(holds);
    for _ in 0..500 {
        let holds = Arc::clone(&holds);
        let held = nation.node.read(move |view| Ok::<_, StoreError>(holds(view))).await.unwrap();
        if held {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{}: {what} did not come about; lags: {:?}", nation.country(), nation.node.lags());
}

pub fn state_of(view: &node::View<'_, '_>, partner: &str) -> Option<PartnerState> {
    node::partner::find(view.db, partner).ok().map(|row| row.state)
}
