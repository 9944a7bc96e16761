//! What the node needs from the machine, as four small traits. The binary implements them; tests and the simulator too.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use journal::checkpoint::{Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::purge::Purged;
use journal::seal::WrappingKey;
use model::alert::Channel;
use model::duty::Contact;
use model::{Index, Realm, Timestamp};

/// The time. Read once a transaction, and passed on as an argument.
pub trait Clock: Send + Sync {
    /// Now, in the realm of the node: what statements, arrivals and timers go by.
    fn now(&self) -> Timestamp;
    /// Now, on people's watches: what passwords, one-time codes, sessions and tokens go by. An exercise may be set to
    /// another day; its people's authenticators are not.
    fn wall(&self) -> Timestamp {
        self.now()
    }
    /// Microseconds since some moment, by a clock that nobody sets: it tells a jump of the others from time that has
    /// passed. `None` where there is no such clock.
    fn steady(&self) -> Option<i64> {
        None
    }
}

/// Says that a node speaks in reality: an exercise can't make one. Whatever reaches the world by another way than the
/// federation (mail, a feed, a time stamp, a certificate), and whatever rules over exercises, is made from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealOnly(());

impl RealOnly {
    /// `None` in an exercise.
    #[must_use]
    pub fn of(realm: &Realm) -> Option<Self> {
        realm.is_real().then_some(Self(()))
    }
}

/// Randomness from the operating system or a seed.
pub trait Random: Send {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Nothing by chance: for folds, which draw none.
pub(crate) struct NoChance;

impl Random for NoChance {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// Draws `N` random bytes.
pub fn random_bytes<const N: usize>(random: &mut dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// Why a checkpoint was not signed. Every variant stops writing: a doubt about one's own log is never guessed away.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The signer's file knows a log that the database does not extend.
    #[error(
        "the signer has signed {signed} entries and the database shows {shown}: this database is older than what was said"
    )]
    Behind {
        /// Size in the signer's file.
        signed: u64,
        /// Size in the database.
        shown: u64,
    },
    /// Same size, other root.
    #[error("the signer has signed another log of {size} entries: the database was changed or replaced")]
    Forked {
        /// The size.
        size: u64,
    },
    /// The node was restored, and nobody knows what was signed last.
    #[error("what was signed last is not known: partners, or two persons, decide from where this node speaks")]
    Unknown,
    /// The signer's file could not be written.
    #[error("the signer's file could not be written: {0}")]
    Io(String),
}

/// The keys that speak for the nation, and the compare-and-swap file that keeps a copy from speaking twice.
pub trait Signer: Send + Sync {
    /// Moves the mark from where it is to `next` (the caller has checked that `next` extends it) and signs.
    ///
    /// # Errors
    /// The mark is ahead of `next`, or is another log, or could not be made durable.
    fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError>;
    /// Cosigns the text of a partner's checkpoint as a witness, at `seconds` since 1970: one signature line
    /// (C2SP tlog-cosignature), and a second while the key is being replaced. Whoever calls it has made durable what is cosigned.
    ///
    /// # Errors
    /// The key cannot be used.
    fn cosign(&self, text: &str, seconds: u64) -> Result<String, SignerError>;
    /// Size and root that were signed last, if any.
    fn mark(&self) -> Option<Checkpoint>;
    /// Is it unknown what was signed last? Then nothing is signed, until [`Signer::settle`].
    fn is_unknown(&self) -> bool {
        false
    }
    /// Sets an unknown mark to what was found out; the caller has made sure of it.
    ///
    /// # Errors
    /// The mark is known, or could not be made durable.
    fn settle(&self, found: &Checkpoint) -> Result<(), SignerError> {
        Err(SignerError::Io(format!("what was signed last is known, and is not changed to {} entries", found.size)))
    }
    /// The key that wraps the keys of bodies.
    fn wrapping_key(&self) -> Arc<WrappingKey>;
    /// The key that signs cursors for partners.
    fn cursor_key(&self) -> Arc<CursorKey>;
}

/// The purge list could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the purge list can't be used: {0}")]
pub struct PurgeListError(pub String);

/// Which bodies were erased here: a list outside the database and its backups.
pub trait PurgeList: Send + Sync {
    /// Adds what was erased. When this returns, it is durable.
    ///
    /// # Errors
    /// The disk.
    fn add(&self, purged: &[Purged]) -> Result<(), PurgeListError>;
    /// All of it, in the order in which it was erased.
    ///
    /// # Errors
    /// The disk, or a list that was changed.
    fn all(&self) -> Result<Vec<Purged>, PurgeListError>;
}

/// In memory, for nodes without a disk of their own: tests and the simulator.
impl PurgeList for std::sync::Mutex<Vec<Purged>> {
    fn add(&self, purged: &[Purged]) -> Result<(), PurgeListError> {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend_from_slice(purged);
        Ok(())
    }
    fn all(&self) -> Result<Vec<Purged>, PurgeListError> {
        Ok(self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone())
    }
}

/// A future in a box, so that the traits can be objects.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a partner did not answer, in words for its lag line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    /// For people: `certificate is not the pinned one`, `no connection`.
    pub reason: String,
}

/// One way to ask a partner's node. Pinning, TLS and HTTP are behind it.
pub trait Transport: Send + Sync {
    /// Asks for a page of releases: the query of `journal::wire::FeedRequest`, answered with a compressed page.
    fn releases(&self, to: &PartnerAddress, query: String) -> Boxed<'_, Result<Vec<u8>, TransportError>>;
    /// Asks a partner for our own log as it holds it: the query of `journal::wire::FeedRequest`, answered with a
    /// compressed page (`yours`).
    fn yours(&self, to: &PartnerAddress, query: String) -> Boxed<'_, Result<Vec<u8>, TransportError>>;
    /// Asks a witness to cosign: the text of `journal::witness::AddCheckpoint`.
    fn add_checkpoint(&self, to: &PartnerAddress, request: String) -> Boxed<'_, Result<WitnessAnswer, TransportError>>;
    /// Asks a partner for a sealed file of its evidence: the digests of all pieces, or one piece. Not checked.
    fn evidence(
        &self,
        _to: &PartnerAddress,
        _index: Index,
        _piece: Option<u64>,
    ) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async { Err(TransportError { reason: "this transport carries no sealed files".to_owned() }) })
    }
    /// Asks a partner who it is: its signed identity, not verified.
    fn identity(&self, _to: &PartnerAddress) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async { Err(TransportError { reason: "this transport asks for no identity".to_owned() }) })
    }
    /// Tells a partner who we are now; answers with the version of our identity that it then holds.
    fn announce(&self, _to: &PartnerAddress, _identity: Vec<u8>) -> Boxed<'_, Result<u64, TransportError>> {
        Box::pin(async { Err(TransportError { reason: "this transport announces nothing".to_owned() }) })
    }
}

/// One notice to one person: number, label, log in or call. Nothing of what happened is in it.
#[derive(Clone)]
pub struct Notice {
    /// Names it among all: whoever is given the same twice does it once.
    pub key: String,
    /// The alert's number.
    pub number: i64,
    /// Whose node.
    pub country: String,
    /// Which realm.
    pub realm: String,
    /// The strictest label of what happened.
    pub label: model::Tlp,
    /// Is it a drill?
    pub drill: bool,
    /// To whom.
    pub contact: Contact,
    /// The words.
    pub text: String,
    /// What acknowledges.
    pub code: String,
    /// A page that acknowledges.
    pub link: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl std::fmt::Debug for Notice {
    // Codes and numbers of people never reach a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notice").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why a notice did not go out, in words without names and numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct OutletError {
    /// For people: `the mail server is not reached`.
    pub reason: String,
}

/// One way out of the node to people. What reaches anybody real is made from [`RealOnly`].
pub trait Outlet: Send + Sync {
    /// Which way.
    fn channel(&self) -> Channel;
    /// Hands a notice over. `Ok` means that a server or gateway took it.
    fn send(&self, notice: Notice) -> Boxed<'_, Result<(), OutletError>>;
}

/// What a mail to a partner without a node holds.
#[derive(Clone, PartialEq, Eq)]
pub enum MailBody {
    /// A notice without content.
    Plain(String),
    /// Encrypted under PGP, armoured.
    Pgp(Vec<u8>),
    /// Encrypted under S/MIME, DER.
    Smime(Vec<u8>),
}

/// One mail to a partner without a node.
#[derive(Clone)]
pub struct Mail {
    /// Names it among all: whoever is given the same twice keeps one.
    pub key: String,
    /// The mail address.
    pub to: String,
    /// The subject; nothing of what is said.
    pub subject: String,
    /// What it holds.
    pub body: MailBody,
}

/// The way out by mail to partners without a node. What reaches anybody real is made from [`RealOnly`].
pub trait Post: Send + Sync {
    /// Hands a mail over. `Ok` means that a server took it.
    fn send(&self, mail: Mail) -> Boxed<'_, Result<(), OutletError>>;
}

/// By which standard a mail is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailStandard {
    /// OpenPGP (RFC 9580), as PGP/MIME (RFC 3156).
    Pgp,
    /// S/MIME (RFC 8551).
    Smime,
}

/// Why a key or a mail was not used, in words for people and without content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CipherError {
    /// For people: `the key has expired`.
    pub reason: String,
}

/// What the signature of a mail is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// There is none.
    Nothing,
    /// It is of the key of this fingerprint, which was among those that were given.
    By(String),
    /// It does not fit, or its key is not good any more.
    Bad,
    /// It is of a key that was not given.
    Unknown,
}

/// A mail that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedMail {
    /// What was inside: a mail of its own, or text.
    pub plain: Vec<u8>,
    /// Was it encrypted to us?
    pub encrypted: bool,
    /// Who signed it.
    pub signed: Signed,
}

/// A mail as it lies in a mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct RawMail {
    /// Names it in the mailbox.
    pub name: String,
    /// Its bytes, as far as they were read: one more than [`intake::limits::MAIL_BYTES`] says that it is too large.
    pub bytes: Vec<u8>,
}

/// Why a mailbox was not read, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct MailboxError {
    /// For people.
    pub reason: String,
}

/// A mailbox into which partners without a node write.
pub trait Mailbox: Send + Sync {
    /// New mail, at most so many, each bounded.
    fn fetch(&self, most: usize) -> Boxed<'_, Result<Vec<RawMail>, MailboxError>>;
    /// The mail is kept here: it is no longer new there.
    fn kept(&self, name: &str) -> Boxed<'_, Result<(), MailboxError>>;
}

/// The programs that encrypt mail for partners without a node: `gpg` and `openssl`. What is given to them is bounded, and
/// so is their time.
pub trait MailCipher: Send + Sync {
    /// Reads one public key or certificate of a partner, and answers with its fingerprint. A key to which nothing can be
    /// encrypted is refused.
    fn key(&self, standard: MailStandard, key: Vec<u8>) -> Boxed<'_, Result<String, CipherError>>;
    /// Encrypts to that key and to nobody else: armoured (PGP) or DER (S/MIME).
    fn encrypt(&self, standard: MailStandard, key: Vec<u8>, plain: Vec<u8>) -> Boxed<'_, Result<Vec<u8>, CipherError>>;
    /// Opens a mail with the mailbox's own key, and says which of these keys of partners has signed it.
    fn open(
        &self,
        standard: MailStandard,
        sealed: Vec<u8>,
        keys: Vec<Vec<u8>>,
    ) -> Boxed<'_, Result<OpenedMail, CipherError>>;
}

/// What a witness answers (C2SP tlog-witness, "add-checkpoint").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// Signature lines, not verified.
    Lines(String),
    /// It cosigned this size last: the request must start there.
    Size(u64),
}

/// Where a partner's node is, and the keys one of which its certificate must have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartnerAddress {
    /// `host:port` of its federation listener.
    pub address: String,
    /// SHA-256 of the public keys (SPKI) that are accepted.
    pub pins: Vec<[u8; 32]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reality_alone_has_is_not_to_be_had_in_an_exercise() {
        assert!(RealOnly::of(&Realm::Real).is_some());
        assert!(RealOnly::of(&"EX-BLUE".parse().unwrap()).is_none());
    }
}
