//! What the federation's routes do on a real node: the feed by long-poll, the log for auditors, and peering.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use journal::identity::SignedIdentity;
use journal::peering::{PeerRequest, Session};
use journal::tree::{TilePath, Tiles};
use journal::wire::{self, FeedPage, FeedRequest};
use journal::witness::{AddCheckpoint, WitnessError};
use model::Index;
use node::assist::{AssistError, sealed};
use node::cosign::{self, CosignError};
use node::feed::{self, FeedError};
use node::gossip;
use node::identities::{self, Held};
use node::partner::{self, Hosted, PartnerError};
use node::{Node, WriteError, yours};
use store::{LogId, PartnerState, ReleaseSeq, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::accept::Caller;
use super::federation::{Answer, Cosigned, Cosigning, FederationService, ServiceError};
use super::sealed_files::SealedFiles;
use crate::tls::{NodeKey, PinBytes};

/// A node as its partners see it.
pub struct Federating {
    node: Node,
    /// The key of our own certificate: peering binds its proofs to it.
    key: NodeKey,
    known: RwLock<HashSet<PinBytes>>,
    polls: Mutex<HashMap<LogId, Polls>>,
    files: Arc<SealedFiles>,
}

/// What one partner has asked lately, and how far it is known to have read.
#[derive(Debug, Clone, Copy)]
struct Polls {
    second: Instant,
    count: u32,
    served: [ReleaseSeq; 2],
    /// When it was last told what we know of common logs, and what there was to tell then.
    told: Option<(Instant, Word)>,
}

/// What a partner is told of at once, and not only when it is time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Word {
    /// Up to where our own log is witnessed.
    witnessed: u64,
    /// Places of chains where it said that something else stands.
    disputed: usize,
}

impl Word {
    const fn of(answer: &feed::Answer) -> Self {
        Self { witnessed: answer.witnessed, disputed: answer.disputed }
    }
    /// Is there more to tell than was told?
    const fn is_news(self, told: Self) -> bool {
        self.witnessed > told.witnessed || self.disputed > told.disputed
    }
}

impl Federating {
    /// Serves `node`, whose certificate has this key, with its sealed files.
    ///
    /// # Errors
    /// The partners could not be read.
    pub async fn new(node: Node, key: NodeKey, files: Arc<SealedFiles>) -> Result<Arc<Self>, StoreError> {
        let (known, polls) = (RwLock::new(read_pins(&node).await?), Mutex::new(HashMap::new()));
        let service = Arc::new(Self { node, key, known, polls, files });
        tokio::spawn(keep_pins(Arc::downgrade(&service)));
        Ok(service)
    }

    async fn page(&self, caller: Caller, query: String) -> Result<Bytes, ServiceError> {
        let request = FeedRequest::from_query(&query).map_err(|error| ServiceError::BadRequest(error.to_string()))?;
        let wait = Duration::from_secs(u64::from(request.wait_seconds.min(wire::MAX_WAIT_SECONDS)));
        let asked = Instant::now();
        let mut changes = self.node.changes();
        let mut counted = false;
        loop {
            changes.mark_unchanged();
            let (log, answer) = self.look(caller.pin, request.clone()).await?;
            if !counted {
                self.count(log).await?;
                counted = true;
                self.note_served(log, answer.asked).await;
            }
            let waited = asked.elapsed();
            // Commitments that open nothing for this partner wait a moment for company; so does word of witnesses.
            let quiet = Duration::from_millis(node::limits::QUIET_MILLIS);
            let nothing = answer.page.commitments.is_empty() && !self.has_word(log, &request, Word::of(&answer)).await;
            let patience = if nothing { wait } else { wait.min(quiet) };
            if answer.has_items() || waited >= wait || waited >= patience {
                let notes = self.notes(log, caller.pin, &request, Word::of(&answer)).await?;
                return encode(&FeedPage { notes, ..answer.page });
            }
            let rest = patience.saturating_sub(waited);
            // Either way the page is made again: after a change, or once the patience is over.
            let _ = tokio::time::timeout(rest, changes.changed()).await;
        }
    }

    /// Is there something that this partner is to be told at once?
    async fn has_word(&self, log: LogId, request: &FeedRequest, word: Word) -> bool {
        let polls = self.polls.lock().await;
        let told = polls.get(&log).and_then(|entry| entry.told).map_or(Word::default(), |(_, word)| word);
        request.wire > 1 && word.is_news(told)
    }

    /// What this partner is told of common logs, if it reads that and it is time.
    async fn notes(
        &self,
        log: LogId,
        pin: PinBytes,
        request: &FeedRequest,
        word: Word,
    ) -> Result<Vec<String>, ServiceError> {
        if request.wire < 2 {
            return Ok(Vec::new());
        }
        {
            let mut polls = self.polls.lock().await;
            let Some(entry) = polls.get_mut(&log) else { return Ok(Vec::new()) };
            let often = Duration::from_secs(node::limits::GOSSIP_SECONDS);
            if entry.told.is_some_and(|(at, told)| at.elapsed() < often && !word.is_news(told)) {
                return Ok(Vec::new());
            }
            entry.told = Some((Instant::now(), word));
        }
        let made = self.node.read(move |view| {
            let partner = feed::caller(view, &pin)?;
            Ok::<_, FeedError>(gossip::notes(view, &partner)?)
        });
        made.await.map_err(refuse)
    }

    /// The caller's own log as we hold it: also of one that is held, which may have lost it.
    async fn give_back(&self, caller: Caller, query: String) -> Result<Bytes, ServiceError> {
        let request = FeedRequest::from_query(&query).map_err(|error| ServiceError::BadRequest(error.to_string()))?;
        let partner = self.node.read(move |view| feed::caller(view, &caller.pin)).await.map_err(refuse)?;
        self.count(partner.log).await?;
        let page = self.node.read(move |view| yours::page(view, &partner, &request)).await.map_err(refuse)?;
        encode(&page)
    }

    /// Gives a sealed file, piece by piece, to whom its statement was given. That it gets the bytes is said before it does.
    async fn sealed(&self, caller: Caller, index: u64, piece: Option<u64>) -> Result<Bytes, ServiceError> {
        let index = Index(index);
        let _turn = self.files.turn().await.map_err(|error| ServiceError::Unavailable(error.to_string()))?;
        let read = self.node.read(move |view| {
            let partner = feed::caller(view, &caller.pin).map_err(|_| AssistError::Unknown)?;
            sealed::for_partner(view, &partner, index)
        });
        let file = read.await.map_err(|error| refuse_file(&error))?;
        let given = self.files.give(file.name, piece).await.map_err(|error| refuse_file(&error.into()))?;
        let bytes = given.ok_or(ServiceError::NotFound)?;
        if sealed::is_news(&file) {
            let place = file.known.place;
            match self.node.write(move |work| sealed::hand_out(work, &place)).await {
                Ok(()) => {}
                Err(WriteError::Refused(error)) => return Err(refuse_file(&error)),
                Err(WriteError::Busy) => return Err(ServiceError::TooMany { retry_after: 1 }),
                Err(error @ (WriteError::Silent(_) | WriteError::Stopped(_))) => {
                    return Err(ServiceError::Unavailable(error.to_string()));
                }
            }
        }
        Ok(Bytes::from(bytes))
    }

    async fn look(&self, pin: PinBytes, request: FeedRequest) -> Result<(LogId, feed::Answer), ServiceError> {
        let made = self.node.read(move |view| {
            let partner = feed::caller(view, &pin)?;
            Ok::<_, FeedError>((partner.log, feed::page(view, &partner, &request)?))
        });
        made.await.map_err(refuse)
    }

    /// Counts a poll against the partner's rate.
    async fn count(&self, log: LogId) -> Result<(), ServiceError> {
        let mut polls = self.polls.lock().await;
        let now = Instant::now();
        let entry = polls.entry(log).or_insert(Polls { second: now, count: 0, served: [ReleaseSeq(0); 2], told: None });
        if now.duration_since(entry.second) >= Duration::from_secs(1) {
            entry.second = now;
            entry.count = 0;
        }
        entry.count += 1;
        if entry.count > node::limits::PARTNER_POLLS_PER_SECOND {
            return Err(ServiceError::TooMany { retry_after: 1 });
        }
        Ok(())
    }

    /// What a partner asks to go on after is what it has taken: kept, so that its lag is known after a restart too.
    async fn note_served(&self, log: LogId, asked: [ReleaseSeq; 2]) {
        let news = {
            let mut polls = self.polls.lock().await;
            match polls.get_mut(&log) {
                Some(entry) if entry.served != asked => {
                    entry.served = asked;
                    true
                }
                Some(_) | None => false,
            }
        };
        if news {
            let [workflow, intelligence] = asked;
            let kept = self.node.write(move |work| work.tx.partner_served(log, workflow, intelligence, work.now));
            if let Err(error) = kept.await {
                tracing::debug!(%error, "how far a partner has read was not kept");
            }
        }
    }

    async fn host(&self, caller: Caller, body: Bytes) -> Result<Bytes, ServiceError> {
        let bad = |error: &dyn std::fmt::Display| ServiceError::BadRequest(error.to_string());
        let request = PeerRequest::from_json(&body).map_err(|error| bad(&error))?;
        let session = Session {
            exporter: caller.exporter,
            joiner: journal::identity::Pin::new(caller.pin),
            host: journal::identity::Pin::new(self.key.pin()),
        };
        let hosted = self.node.write(move |work| partner::host(work, &request, &session)).await;
        match hosted {
            Ok(Hosted::Answer(answer)) => Ok(Bytes::from(answer.to_json())),
            Ok(Hosted::Refused(error)) => Err(bad(&error)),
            Err(WriteError::Refused(PartnerError::Store(error))) => Err(failed(&error)),
            Err(WriteError::Refused(error)) => Err(bad(&error)),
            Err(WriteError::Busy) => Err(ServiceError::TooMany { retry_after: 1 }),
            Err(error @ WriteError::Silent(_)) => Err(ServiceError::Unavailable(error.to_string())),
            Err(error @ WriteError::Stopped(_)) => Err(ServiceError::Unavailable(error.to_string())),
        }
    }

    /// Takes another identity of a partner, whoever brings it.
    async fn take_identity(&self, body: Bytes) -> Result<Bytes, ServiceError> {
        let signed = SignedIdentity::from_bytes(&body).map_err(|error| ServiceError::BadRequest(error.to_string()))?;
        // Strangers may bring one: what they bring is looked at on a snapshot before the writer is asked.
        let looked = signed.clone();
        let held = self.node.read(move |view| identities::held(view, &looked)).await;
        let version = match held.map_err(|error| refuse_identity(&error))? {
            Held::Already(version) => version,
            Held::News => match self.node.write(move |work| identities::take(work, &signed)).await {
                Ok(version) => {
                    self.node.tell_partners_changed();
                    version
                }
                Err(WriteError::Refused(error)) => return Err(refuse_identity(&error)),
                Err(WriteError::Busy) => return Err(ServiceError::TooMany { retry_after: 1 }),
                Err(error @ (WriteError::Silent(_) | WriteError::Stopped(_))) => {
                    return Err(ServiceError::Unavailable(error.to_string()));
                }
            },
        };
        Ok(Bytes::from(format!("{version}\n")))
    }

    async fn cosign(&self, caller: Caller, body: Bytes) -> Result<Cosigned, ServiceError> {
        let text = std::str::from_utf8(&body).map_err(|_| ServiceError::BadRequest("it is no text".to_owned()))?;
        let request = AddCheckpoint::read(text).map_err(|error| ServiceError::BadRequest(error.to_string()))?;
        let partner = self.node.read(move |view| feed::caller(view, &caller.pin)).await.map_err(refuse)?;
        self.count(partner.log).await?;
        match self.node.write(move |work| cosign::cosign(work, partner.log, &request)).await {
            Ok(cosign::Cosigned::Line(line)) => Ok(Cosigned::Lines(line)),
            Ok(cosign::Cosigned::Size(size) | cosign::Cosigned::Forked(size)) => Ok(Cosigned::Size(size)),
            Err(WriteError::Refused(error)) => Err(refuse_to_cosign(&error)),
            Err(WriteError::Busy) => Err(ServiceError::TooMany { retry_after: 1 }),
            Err(error @ WriteError::Silent(_)) => Err(ServiceError::Unavailable(error.to_string())),
            Err(error @ WriteError::Stopped(_)) => Err(ServiceError::Unavailable(error.to_string())),
        }
    }

    async fn tile_of(&self, path: String) -> Result<Bytes, ServiceError> {
        let path = TilePath::parse(&path).ok_or(ServiceError::NotFound)?;
        let read = self.node.read(move |view| {
            // A tile is served only as far as the signed checkpoint covers it.
            if !path.is_covered_by(view.signed.size) {
                return Ok(None);
            }
            let tiles = view.db.tiles(view.me.log);
            let bytes = match path {
                TilePath::Entries { tile, width } => journal::tree::entry_bundle(&tiles.leaves(tile, width)?),
                TilePath::Hashes { level: 0, tile, width } => {
                    tiles.leaves(tile, width)?.iter().flat_map(|c| *journal::tree::leaf_hash(c).as_bytes()).collect()
                }
                TilePath::Hashes { level, tile, width } => {
                    tiles.roots(level, tile, width)?.iter().flat_map(|hash| *hash.as_bytes()).collect()
                }
            };
            Ok::<_, StoreError>(Some(bytes))
        });
        match read.await {
            Ok(Some(bytes)) => Ok(Bytes::from(bytes)),
            Ok(None) => Err(ServiceError::NotFound),
            Err(error) => Err(failed(&error)),
        }
    }
}

impl FederationService for Federating {
    fn identity(&self, _: Caller) -> Answer<'_> {
        let bytes = Bytes::from(self.node.me().signed_identity.to_bytes());
        Box::pin(async move { Ok(bytes) })
    }
    fn checkpoint(&self, _: Caller) -> Answer<'_> {
        let text = self.node.signed().text.clone();
        Box::pin(async move { Ok(Bytes::from(text)) })
    }
    fn tile(&self, _: Caller, path: String) -> Answer<'_> {
        Box::pin(self.tile_of(path))
    }
    fn yours(&self, caller: Caller, query: String) -> Answer<'_> {
        Box::pin(self.give_back(caller, query))
    }
    fn evidence(&self, caller: Caller, index: u64, piece: Option<u64>) -> Answer<'_> {
        Box::pin(self.sealed(caller, index, piece))
    }
    fn releases(&self, caller: Caller, query: String) -> Answer<'_> {
        Box::pin(self.page(caller, query))
    }
    fn add_checkpoint(&self, caller: Caller, body: Bytes) -> Cosigning<'_> {
        Box::pin(self.cosign(caller, body))
    }
    fn announced(&self, _: Caller, body: Bytes) -> Answer<'_> {
        Box::pin(self.take_identity(body))
    }
    fn peer(&self, caller: Caller, body: Bytes) -> Answer<'_> {
        Box::pin(self.host(caller, body))
    }
    fn known(&self, pin: &PinBytes) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(pin)
    }
}

fn encode(page: &wire::FeedPage) -> Result<Bytes, ServiceError> {
    let packed = wire::compress(wire::encode(page));
    packed.map(Bytes::from).map_err(|error| ServiceError::Unavailable(error.to_string()))
}

fn refuse(error: FeedError) -> ServiceError {
    match error {
        FeedError::Store(error) => failed(&error),
        FeedError::Stranger => ServiceError::Forbidden,
        FeedError::Silent(silent) => ServiceError::Unavailable(silent.to_string()),
        FeedError::Cursor | FeedError::Ahead { .. } => ServiceError::BadRequest(error.to_string()),
    }
}

/// "Not there" and "not for you" are one answer, whatever the reason.
fn refuse_file(error: &AssistError) -> ServiceError {
    if let AssistError::Store(error) = error {
        return failed(error);
    }
    if matches!(error, AssistError::Depot(_)) {
        tracing::error!(%error, "a sealed file could not be given");
        return ServiceError::Unavailable("the node cannot read its depot".to_owned());
    }
    tracing::debug!(%error, "a sealed file was not given");
    ServiceError::NotFound
}

/// The answers of C2SP tlog-witness, "add-checkpoint".
fn refuse_to_cosign(error: &CosignError) -> ServiceError {
    match error {
        CosignError::Store(error) => failed(error),
        CosignError::Unknown => ServiceError::NotFound,
        CosignError::Silent(silent) => ServiceError::Unavailable(silent.to_string()),
        CosignError::Request(WitnessError::Unsigned) => ServiceError::Forbidden,
        CosignError::Request(WitnessError::Inconsistent { .. }) => ServiceError::Unprocessable(error.to_string()),
        CosignError::Request(WitnessError::Shape(_) | WitnessError::Size { .. } | WitnessError::Forked { .. }) => {
            ServiceError::BadRequest(error.to_string())
        }
        CosignError::Signer(error) => {
            tracing::error!(%error, "nothing could be cosigned");
            ServiceError::Unavailable("the witness's key cannot be used".to_owned())
        }
    }
}

/// "Not a partner" and "not its word" are one answer: a stranger learns nothing of whom we know.
fn refuse_identity(error: &PartnerError) -> ServiceError {
    match error {
        PartnerError::Store(error) => failed(error),
        PartnerError::Peering(_)
        | PartnerError::Invitation
        | PartnerError::Tries
        | PartnerError::Self_
        | PartnerError::Realm(_)
        | PartnerError::Unknown(_)
        | PartnerError::Ambiguous(_)
        | PartnerError::State { .. }
        | PartnerError::Roster(_)
        | PartnerError::Identity(..) => {
            tracing::debug!(%error, "an identity was not taken");
            ServiceError::Forbidden
        }
    }
}

fn failed(error: &StoreError) -> ServiceError {
    tracing::error!(%error, "the federation could not be answered");
    ServiceError::Unavailable("the node cannot read its database".to_owned())
}

async fn read_pins(node: &Node) -> Result<HashSet<PinBytes>, StoreError> {
    let partners = node.read(|view| view.db.partners()).await?;
    let may = |state| matches!(state, PartnerState::Active | PartnerState::Held);
    Ok(partners.into_iter().filter(|row| may(row.state)).flat_map(|row| row.pins).collect())
}

/// Keeps the pins of partners at hand, since every request is checked against them.
async fn keep_pins(service: std::sync::Weak<Federating>) {
    loop {
        let Some(node) = service.upgrade().map(|service| service.node.clone()) else { return };
        let changed = node.partners_changed();
        drop(node);
        changed.await;
        let Some(service) = service.upgrade() else { return };
        match read_pins(&service.node).await {
            Ok(known) => *service.known.write().unwrap_or_else(PoisonError::into_inner) = known,
            Err(error) => tracing::error!(%error, "partners could not be read"),
        }
    }
}
