//! A nation with real keys that speaks the federation's wire and says whatever a test wants it to.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use http_room::server::accept::{Bounds, Caller};
use http_room::server::federation::{Answer, Cosigned, Cosigning, FederationService, ServiceError, serve};
use http_room::server::shutdown;
use http_room::tls::{NodeKey, PinBytes};
use journal::checkpoint::{self, Checkpoint};
use journal::commitment;
use journal::identity::{self, Identity, Pin, SignedIdentity};
use journal::roster::{self, Roster};
use journal::tree::{Frontier, TreeHash};
use journal::wire::{self, FeedItem, FeedPage, FeedRequest, ReleaseKind};
use model::{
    AudienceAt, AudienceId, Commitment, Envelope, Index, Label, Lane, MediaType, MemberSet, OpenBody, Opening, Origin,
    Realm, RootId, Slot, ThreadId, ThreadVersion, Timestamp, Tlp,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::nations::Nation;

type Answering = dyn Fn(PinBytes, usize, FeedRequest) -> Option<Vec<u8>> + Send + Sync;

/// What is answered to whom, at the n-th request, from 0; `None` never answers.
#[derive(Clone)]
pub struct Script(Arc<Answering>);

impl Script {
    pub fn new(answer: impl Fn(usize, FeedRequest) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::to_each(move |_, nth, request| answer(nth, request))
    }
    /// Another answer to each partner, by the key of its certificate.
    pub fn to_each(answer: impl Fn(PinBytes, usize, FeedRequest) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }
    /// All that stands in the log now, once; then nothing.
    pub fn honest(liar: &Liar) -> Self {
        let page = pack(&liar.page(0));
        Self::new(move |_, request| (request.have == 0).then(|| page.clone()))
    }
}

pub fn pack(page: &FeedPage) -> Vec<u8> {
    wire::compress(wire::encode(page)).unwrap()
}

/// A nation, its keys and its log.
pub struct Liar {
    pub origin: Origin,
    pub tls: NodeKey,
    log: SigningKey,
    root: SigningKey,
    known: Identity,
    identity: SignedIdentity,
    /// What it answers when it is asked who it is.
    pub shown: Option<SignedIdentity>,
    listener: std::net::TcpListener,
    commitments: Vec<Commitment>,
    openings: Vec<Opening>,
}

/// An envelope at one place of the one audience that a liar speaks to.
pub fn envelope(sequence: usize, previous: Option<Commitment>) -> Envelope {
    let members = MemberSet::empty().digest();
    Envelope {
        realm: Realm::Real,
        lane: Lane::Intelligence,
        thread: ThreadId::new([u8::try_from(sequence).unwrap(); 16]),
        version: ThreadVersion(0),
        previous: None,
        audience: AudienceAt { id: AudienceId::new([4; 16]), version: 1, members },
        slot: Some(Slot { sequence: sequence as u64, previous }),
        label: Label::from(Tlp::Amber),
        walled: None,
        media: MediaType::Stix,
    }
}

/// The same as it is committed to.
pub fn at_slot(sequence: usize, previous: Option<Commitment>) -> Vec<u8> {
    journal::envelope::encode(&envelope(sequence, previous))
}

impl Liar {
    pub fn new(country: &str) -> Self {
        let seed = country.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        let root = SigningKey::from_bytes(&[seed ^ 0xaa; 32]);
        let log = SigningKey::from_bytes(&[seed; 32]);
        let public = *log.verifying_key().as_bytes();
        let root_key = *root.verifying_key().as_bytes();
        let origin = Origin::new(country.parse().unwrap(), Realm::Real, RootId::of_key(&root_key));
        let tls = NodeKey::generate(&origin).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let identity = Identity {
            origin: origin.clone(),
            name: format!("CERT-{country}"),
            version: 1,
            root_key,
            log_key: public,
            tls_pins: vec![Pin::new(tls.pin())],
            witness_key: public,
            mandate_key: public,
            address: listener.local_addr().unwrap().to_string(),
            class: entraide::init::default_class(country.parse().unwrap()),
            wire: vec![1],
            issued: Timestamp::from_seconds(1_790_000_000),
            past: journal::log_keys::Past::default(),
            succeeds: None,
        };
        let known = identity;
        let identity = identity::sign(&known, &root);
        let (commitments, openings, shown) = (Vec::new(), Vec::new(), None);
        Self { origin, tls, log, root, known, identity, shown, listener, commitments, openings }
    }

    /// Somebody with the stolen keys of a nation, at its address.
    pub fn impostor(of: &Identity, tls: NodeKey, log: SigningKey, listener: std::net::TcpListener) -> Self {
        let mut thief = Self { tls, log, listener, ..Self::new("MT") };
        thief.origin = of.origin.clone();
        thief
    }

    /// Signs with another log key from now on, which its root key names, or another key as if it were its root key.
    pub fn with_another_log_key(&mut self, rightly: bool) {
        self.log = SigningKey::from_bytes(&[0x5c; 32]);
        let next = Identity { version: 2, log_key: *self.log.verifying_key().as_bytes(), ..self.known.clone() };
        let other = SigningKey::from_bytes(&[0x5d; 32]);
        self.shown = Some(identity::sign(&next, if rightly { &self.root } else { &other }));
    }

    /// Puts a statement into the log.
    pub fn say(&mut self, envelope: &[u8], body: &[u8]) {
        let origin = self.origin.clone();
        self.say_as(&origin, envelope, body);
    }

    /// The same under a commitment of another log, as if copied from there.
    pub fn say_as(&mut self, origin: &Origin, envelope: &[u8], body: &[u8]) {
        let at = self.openings.len();
        let salt = [u8::try_from(at).unwrap(); 32];
        let opening = Opening {
            index: Index(at as u64),
            entry_salt: salt,
            envelope: envelope.to_vec(),
            body_commitment: commitment::body_commitment(&salt, body),
            body: Some(OpenBody { salt, bytes: body.to_vec() }),
        };
        self.commitments.push(commitment::of_opening(origin, &opening).unwrap());
        self.openings.push(opening);
    }

    pub fn last(&self) -> Option<Commitment> {
        self.commitments.last().copied()
    }

    pub fn size(&self) -> u64 {
        self.commitments.len() as u64
    }

    pub fn root(&self) -> TreeHash {
        let mut frontier = Frontier::default();
        frontier.extend(&self.commitments);
        frontier.root()
    }

    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        checkpoint::sign(checkpoint, &self.log).text().to_owned()
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: self.origin.clone(), size: self.size(), root: self.root() }
    }

    pub fn signed_by_another(&self) -> String {
        checkpoint::sign(&self.checkpoint(), &SigningKey::from_bytes(&[1; 32])).text().to_owned()
    }

    /// An honest page of everything from `have`.
    pub fn page(&self, have: u64) -> FeedPage {
        let from = usize::try_from(have).unwrap();
        let item = |opening: &Opening| FeedItem {
            // A statement that says another lane than its feed is another lie.
            lane: journal::envelope::decode(&opening.envelope).map_or(Lane::Intelligence, |envelope| envelope.lane),
            kind: ReleaseKind::Open,
            index: opening.index,
            opening: Some(opening.clone()),
        };
        FeedPage {
            checkpoint: self.sign(&self.checkpoint()),
            start: have,
            commitments: self.commitments[from..].to_vec(),
            items: self.openings[from..].iter().map(item).collect(),
            workflow_cursor: "w".to_owned(),
            intelligence_cursor: "i".to_owned(),
            more: false,
            notes: Vec::new(),
        }
    }

    /// A roster names it and a person believes the roster.
    pub async fn known_to(&self, nation: &Nation) {
        let issued = Timestamp::from_seconds(1_790_000_000);
        let roster = Roster { title: "test".to_owned(), entries: vec![self.identity.clone()], issued };
        let key = SigningKey::from_bytes(&[2; 32]);
        let text = roster::sign(&roster, &key).unwrap();
        let name = self.origin.to_string();
        let known = nation.node().write(move |work| {
            node::partner::propose_roster(work, &text, key.verifying_key().as_bytes())?;
            node::partner::confirm(work, &name)
        });
        known.await.unwrap();
        nation.node().tell_partners_changed();
    }

    /// Answers partners over real mutual TLS until the task is aborted.
    pub async fn serve(&self, script: Script) -> JoinHandle<()> {
        let listener = self.listener.try_clone().unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let shown = self.shown.as_ref().map(SignedIdentity::to_bytes);
        let (key, desk) = (self.tls.clone(), Arc::new(Desk { script, asked: AtomicUsize::new(0), shown }));
        tokio::spawn(async move {
            let (_close, closing) = shutdown();
            serve(listener, &key, desk, Bounds::federation(), closing).await.unwrap();
        })
    }
}

struct Desk {
    script: Script,
    asked: AtomicUsize,
    shown: Option<Vec<u8>>,
}

impl FederationService for Desk {
    fn identity(&self, _: Caller) -> Answer<'_> {
        let shown = self.shown.clone();
        Box::pin(async move { shown.map(Bytes::from).ok_or(ServiceError::NotFound) })
    }
    fn checkpoint(&self, _: Caller) -> Answer<'_> {
        Box::pin(async { Err(ServiceError::NotFound) })
    }
    fn tile(&self, _: Caller, _: String) -> Answer<'_> {
        Box::pin(async { Err(ServiceError::NotFound) })
    }
    fn releases(&self, caller: Caller, query: String) -> Answer<'_> {
        let nth = self.asked.fetch_add(1, Ordering::SeqCst);
        let request = FeedRequest::from_query(&query).unwrap();
        let answer = (self.script.0)(caller.pin, nth, request);
        Box::pin(async move {
            match answer {
                Some(bytes) => Ok(Bytes::from(bytes)),
                None => std::future::pending().await,
            }
        })
    }
    fn add_checkpoint(&self, _: Caller, _: Bytes) -> Cosigning<'_> {
        Box::pin(async { Ok(Cosigned::Size(0)) })
    }
    fn peer(&self, _: Caller, _: Bytes) -> Answer<'_> {
        Box::pin(async { Err(ServiceError::Forbidden) })
    }
    fn known(&self, _: &PinBytes) -> bool {
        true
    }
}
