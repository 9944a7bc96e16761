//! Replacing keys without a gap: the next keys are made, the root key signs an identity that names them, partners are told,
//! and the keys of before are let go of once everybody knows, or when the overlap ends.
//!
//! Meanwhile old and new log keys both sign, the old TLS key is shown until everybody would accept the new one, and the
//! files of both are there: which of them is which, the identity says. So a process may end between any two steps.

use std::sync::{Arc, PoisonError, RwLock};

use http_room::server::api::keys::{
    Key, Keyring, KeyringError, Keys as Shown, Request as Asked, Rotation, Signed as Given, Span, Wanted,
};
use http_room::tls::NodeKey;
use journal::identity::{self, Identity, Pin, SignedIdentity};
use journal::log_keys::{FormerLogKey, FormerWitnessKey, MAX_FORMER_KEYS, Repudiated};
use journal::rotation::{Request, Signed};
use journal::signer_wire::KeyKind;
use model::Timestamp;
use node::Node;
use node::ports::{Boxed, SignerError, random_bytes};
use store::StoreError;
use tokio::sync::{Mutex, watch};
use zeroize::Zeroizing;

use crate::checked::{checked, with_check};
use crate::keys::{
    self, KeysError, Kind, Layout, key_text, note_key, read_key, read_small, remove, rename, replace_private,
    write_private, write_tls,
};
use crate::limits;
use crate::machine::MachineRandom;
use crate::vault::KeyStore;

/// First line of the file that says what is left to do.
const HEADER: &str = "entraide/rotation/v1";

/// The one place where keys are replaced.
pub struct Desk {
    layout: Layout,
    node: Node,
    store: Arc<dyn KeyStore>,
    tls: NodeKey,
    next_tls: RwLock<Option<NodeKey>>,
    under_way: RwLock<Option<UnderWay>>,
    /// One change at a time.
    turn: Mutex<()>,
}

/// What is left to do of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnderWay {
    /// The version with which it began.
    version: u64,
    deadline: Timestamp,
    /// The identity that follows when everybody knows the one of now.
    last: Option<SignedIdentity>,
}

impl UnderWay {
    fn write(&self) -> String {
        let last = self.last.as_ref().map(|last| format!("{}\n", last.to_base64())).unwrap_or_default();
        with_check(&format!("{HEADER}\n{}\n{}\n{last}", self.version, self.deadline)).to_string()
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = checked(text).ok()?.strip_prefix(HEADER)?.strip_prefix('\n')?.lines();
        let version = lines.next()?.parse().ok()?;
        let deadline = lines.next()?.parse().ok()?;
        let last = match lines.next() {
            Some(line) => Some(SignedIdentity::from_base64(line).ok()?),
            None => None,
        };
        lines.next().is_none().then_some(Self { version, deadline, last })
    }
}

fn read(layout: &Layout) -> Result<UnderWay, KeysError> {
    let path = layout.rotation();
    let text = String::from_utf8_lossy(&read_small(&path)?).into_owned();
    UnderWay::read(&text).ok_or_else(|| KeysError::Format(path.display().to_string()))
}

/// Is what is left to do of a rotation what was written?
///
/// # Errors
/// It is not, or can't be read.
pub(crate) fn is_whole(layout: &Layout) -> Result<(), KeysError> {
    read(layout).map(|_| ())
}

fn failed(error: &dyn std::fmt::Display) -> KeyringError {
    KeyringError::Failed(error.to_string())
}
fn refused(why: impl Into<String>) -> KeyringError {
    KeyringError::Refused(why.into())
}

impl From<KeysError> for RotateError {
    fn from(error: KeysError) -> Self {
        Self(failed(&error))
    }
}
impl From<SignerError> for RotateError {
    fn from(error: SignerError) -> Self {
        Self(failed(&error))
    }
}
impl From<KeyringError> for RotateError {
    fn from(error: KeyringError) -> Self {
        Self(error)
    }
}

/// Why keys were not replaced.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RotateError(KeyringError);

type Done<T> = Result<T, RotateError>;

impl Desk {
    /// The desk of an open node; goes on with a rotation that was under way.
    ///
    /// # Errors
    /// What is left to do can't be read.
    pub fn open(
        layout: &Layout,
        node: Node,
        store: Arc<dyn KeyStore>,
        tls: NodeKey,
        next_tls: Option<NodeKey>,
    ) -> Result<Self, KeysError> {
        // A process that ended before the identity was in force has begun nothing.
        let under_way = if layout.rotation().exists() { Some(read(layout)?) } else { None };
        let under_way = under_way.filter(|read| read.version <= node.me().identity.version);
        Ok(Self {
            layout: layout.clone(),
            node,
            store,
            tls,
            next_tls: RwLock::new(next_tls),
            under_way: RwLock::new(under_way),
            turn: Mutex::new(()),
        })
    }

    /// Ends what is under way when it may end, until `stop` says so.
    pub async fn drive(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.go_on().await {
                tracing::warn!(%error, "a rotation of keys does not go on: it is tried again");
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(limits::ROTATION_LOOK) => {}
            }
        }
    }

    async fn go_on(&self) -> Done<()> {
        let _turn = self.turn.lock().await;
        if let Some(under_way) = self.under_way() {
            let heard = self.node.read(node::announce::heard).await.map_err(|error| failed(&error))?;
            // A clock that jumped does not end it: whoever has not heard would be cut off.
            if heard.waiting.is_empty() || self.node.ratchet().moment().sure >= under_way.deadline {
                self.finish(under_way).await?;
            }
        }
        if self.node.signer().wrapping_key().has_before() {
            let count = node::rewrap::all(&self.node).await.map_err(|error| failed(&error))?;
            self.store.forget()?;
            tracing::info!(count, "all keys of bodies are wrapped with the new key; the one of before is deleted");
        }
        Ok(())
    }

    fn under_way(&self) -> Option<UnderWay> {
        self.under_way.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn set_under_way(&self, now: Option<UnderWay>) {
        *self.under_way.write().unwrap_or_else(PoisonError::into_inner) = now;
    }
    fn next_tls(&self) -> Option<NodeKey> {
        self.next_tls.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn set_next_tls(&self, next: Option<NodeKey>) {
        *self.next_tls.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// Signs the newest checkpoint again, with the keys of now.
    async fn sign_again(&self) -> Done<u64> {
        let done = self.node.write(|work| {
            work.note_keys_changed();
            Ok::<_, StoreError>(())
        });
        done.await.map_err(|error| failed(&error))?;
        Ok(self.node.signed().size)
    }

    async fn make_request(&self, wanted: Wanted) -> Done<Asked> {
        let _turn = self.turn.lock().await;
        let kinds = kinds(&wanted.kinds)?;
        if self.under_way().is_some() {
            return Err(refused(
                "keys are being replaced already: wait until `entraide keys list` says that it is done",
            )
            .into());
        }
        let repudiates = wanted.from.is_some() || wanted.since.is_some();
        if kinds.is_empty() && !repudiates {
            return Err(refused("say which keys: log, witness, mandate, tls").into());
        }
        let me = self.node.me();
        let now = self.node.now();
        let span = if repudiates { Some(self.span(&wanted).await?) } else { None };
        let mut next = Identity { version: me.identity.version + 1, issued: now, ..me.identity.clone() };
        next.past.repudiated.extend(span);
        for kind in &kinds {
            match kind {
                Kind::Log => self.next_log(&mut next, wanted.stolen).await?,
                Kind::Witness => self.next_witness(&mut next, wanted.stolen)?,
                Kind::Mandate => next.mandate_key = self.next_mandate()?,
                Kind::Tls => next.tls_pins.push(Pin::new(self.make_tls(&me.identity)?)),
                Kind::Wrapping | Kind::Cursor | Kind::Root => {}
            }
        }
        let mut steps = vec![next];
        if kinds.contains(&Kind::Tls) {
            let last = self.after_the_overlap(&steps[0]);
            // With a stolen key there is no overlap: what the thief holds is dropped at once.
            if wanted.stolen {
                steps = vec![Identity { version: steps[0].version, ..last }];
            } else {
                steps.push(last);
            }
        }
        let version = steps[0].version;
        Ok(Asked { request: Request(steps).write(), version })
    }

    fn after_the_overlap(&self, first: &Identity) -> Identity {
        let shown = Pin::new(self.tls.pin());
        let tls_pins = first.tls_pins.iter().filter(|pin| **pin != shown).copied().collect();
        Identity { version: first.version + 1, tls_pins, ..first.clone() }
    }

    async fn next_log(&self, next: &mut Identity, stolen: bool) -> Done<()> {
        let key = next.log_key;
        // One that was made for a request that nobody signed goes.
        self.store.keep_only(KeyKind::Log, &key)?;
        next.log_key = self.store.prepare(KeyKind::Log)?;
        // From here on both sign, so the old one need be believed no further.
        let until = self.sign_again().await?;
        push(&mut next.past.log_keys, FormerLogKey { key, until, stolen });
        Ok(())
    }

    fn next_witness(&self, next: &mut Identity, stolen: bool) -> Done<()> {
        let key = next.witness_key;
        self.store.keep_only(KeyKind::Witness, &key)?;
        next.witness_key = self.store.prepare(KeyKind::Witness)?;
        if !stolen {
            // It cosigns until the overlap ends, and that begins when the safe was opened.
            let until = next.issued.plus_seconds(limits::REQUEST_SECONDS + i64::from(limits::OVERLAP_SECONDS));
            push(&mut next.past.witness_keys, FormerWitnessKey { key, until });
        }
        Ok(())
    }

    fn next_mandate(&self) -> Done<[u8; 32]> {
        let mut random = MachineRandom::new().map_err(|error| failed(&error))?;
        let secret = Zeroizing::new(random_bytes::<32>(&mut random));
        let path = self.layout.next_key(Kind::Mandate);
        remove(&path)?;
        write_private(&path, key_text(Kind::Mandate, &secret).as_bytes())?;
        Ok(keys::public(&secret))
    }

    fn make_tls(&self, identity: &Identity) -> Done<[u8; 32]> {
        let next = NodeKey::generate(&identity.origin).map_err(|error| failed(&error))?;
        let (certificate, key) = (self.layout.next_tls_certificate(), self.layout.next_key(Kind::Tls));
        remove(&certificate)?;
        remove(&key)?;
        write_tls(&certificate, &key, &next)?;
        let pin = next.pin();
        self.set_next_tls(Some(next));
        Ok(pin)
    }

    /// What is no longer stood by: from an entry or a time on, up to now.
    async fn span(&self, wanted: &Wanted) -> Done<Repudiated> {
        let to = self.node.signed().size;
        let from = match (&wanted.from, &wanted.since) {
            (Some(from), _) => Some(*from),
            (None, Some(since)) => {
                let since: Timestamp = since
                    .parse()
                    .map_err(|_| refused(format!("`{since}` is not a time: write 2026-11-25T08:00:00Z")))?;
                let found = self.node.read(move |view| view.db.first_since(view.me.log, since)).await;
                found.map_err(|error| failed(&error))?.map(|index| index.0)
            }
            (None, None) => None,
        };
        match from {
            Some(from) if from < to => Ok(Repudiated { from, to }),
            Some(_) | None => Err(refused(format!("nothing was said from there on: the log has {to} entries")).into()),
        }
    }

    async fn put_in_force(&self, given: Given) -> Done<()> {
        let _turn = self.turn.lock().await;
        let overlap = given.overlap.unwrap_or(DAY);
        if overlap > limits::OVERLAP_SECONDS {
            return Err(refused(format!("the overlap is at most {} seconds", limits::OVERLAP_SECONDS)).into());
        }
        if self.under_way().is_some() {
            return Err(refused("keys are being replaced already: wait until that is done").into());
        }
        let signed = Signed::read(&given.signed).map_err(|error| refused(error.to_string()))?.0;
        let first = self.checked(&signed)?;
        let shown = Pin::new(self.tls.pin());
        let now = self.node.now();
        let deadline = now.plus_seconds(i64::from(overlap));
        let under_way = UnderWay { version: first.version, deadline, last: signed.get(1).cloned() };
        let stolen = is_stolen(&self.node.me().identity, &first);
        replace_private(&self.layout.rotation(), under_way.write().as_bytes())?;
        replace_private(&self.layout.identity(), &signed[0].to_bytes())?;
        if !first.tls_pins.contains(&shown)
            && let Some(next) = self.next_tls()
        {
            self.tls.turn_into(&next);
        }
        if stolen {
            // The thief has the old ones: nothing is signed with them from here on.
            self.store.keep_only(KeyKind::Log, &first.log_key)?;
            self.store.keep_only(KeyKind::Witness, &first.witness_key)?;
        }
        self.node.adopt(signed[0].clone()).await.map_err(|error| failed(&error))?;
        tracing::info!(version = first.version, "our identity has changed; partners are told");
        self.set_under_way(Some(under_way));
        Ok(())
    }

    /// Is what was signed what was asked for here, and now?
    fn checked(&self, signed: &[SignedIdentity]) -> Done<Identity> {
        let mut before = self.node.me().identity.clone();
        let mut first = None;
        let publics = self.store.publics()?;
        let mut pins = vec![Pin::new(self.tls.pin())];
        pins.extend(self.next_tls().map(|next| Pin::new(next.pin())));
        for one in signed {
            let known = identity::verify(one).map_err(|error| refused(error.to_string()))?.into_inner();
            identity::supersedes(&before, &known).map_err(|error| refused(error.to_string()))?;
            if known.origin != before.origin {
                return Err(refused("it is the identity of another log").into());
            }
            let elsewhere = |what: &str| refused(format!("the {what} key that it names is not here: request it anew"));
            if !publics.log.contains(&known.log_key) {
                return Err(elsewhere("log").into());
            }
            if !publics.witness.contains(&known.witness_key) {
                return Err(elsewhere("witness").into());
            }
            if self.mandate_path(&known).is_none() {
                return Err(elsewhere("mandate").into());
            }
            if known.tls_pins.iter().any(|pin| !pins.contains(pin)) {
                return Err(elsewhere("TLS").into());
            }
            if known.issued.plus_seconds(limits::REQUEST_SECONDS) < self.node.now() {
                return Err(refused("it was requested more than a week ago: request it anew").into());
            }
            before = known.clone();
            first = first.or(Some(known));
        }
        first.ok_or_else(|| refused("there is no identity in it").into())
    }

    fn mandate_path(&self, known: &Identity) -> Option<std::path::PathBuf> {
        let paths = [self.layout.key(Kind::Mandate), self.layout.next_key(Kind::Mandate)];
        paths
            .into_iter()
            .find(|path| read_key(path, Kind::Mandate).is_ok_and(|secret| keys::public(&secret) == known.mandate_key))
    }

    /// Everybody knows, or the overlap is over: the keys of before go. Every step may have been taken already.
    async fn finish(&self, under_way: UnderWay) -> Done<()> {
        if let Some(last) = under_way.last {
            let known = identity::verify(&last).map_err(|error| refused(error.to_string()))?;
            if known.version > self.node.me().identity.version {
                replace_private(&self.layout.identity(), &last.to_bytes())?;
                if let Some(next) = self.next_tls() {
                    self.tls.turn_into(&next);
                }
                self.node.adopt(last).await.map_err(|error| failed(&error))?;
            }
        }
        let me = self.node.me();
        self.store.keep_only(KeyKind::Log, &me.identity.log_key)?;
        self.store.keep_only(KeyKind::Witness, &me.identity.witness_key)?;
        self.keep_named(&me.identity)?;
        self.sign_again().await?;
        remove(&self.layout.rotation())?;
        self.set_under_way(None);
        self.set_next_tls(None);
        tracing::info!(version = me.identity.version, "the keys of before are gone");
        Ok(())
    }

    /// The files of the keys that the identity names get the names of those of now.
    fn keep_named(&self, known: &Identity) -> Done<()> {
        let next = self.layout.next_key(Kind::Mandate);
        if self.mandate_path(known).is_some_and(|path| path == next) {
            rename(&next, &self.layout.key(Kind::Mandate))?;
        }
        let certificate = self.layout.next_tls_certificate();
        if self.next_tls().is_some_and(|next| next.pin() == self.tls.pin()) && certificate.exists() {
            // The certificate first: with the next key it is found by trying, should the process end in between.
            rename(&certificate, &self.layout.tls_certificate())?;
            rename(&self.layout.next_key(Kind::Tls), &self.layout.tls_key())?;
        }
        if let Some(key) = note_key(known) {
            replace_private(&self.layout.log_public_key(), format!("{key}\n").as_bytes())?;
        }
        Ok(())
    }

    async fn show(&self) -> Done<Shown> {
        let me = self.node.me();
        let known = &me.identity;
        let heard = self.node.read(node::announce::heard).await.map_err(|error| failed(&error))?;
        let mut items = Vec::new();
        let mut put = |kind: Kind, state: &str, public: Option<&[u8; 32]>, until: Option<String>| {
            let public = public.map(|key| model::bytes::hex(key));
            items.push(Key { kind: kind.word().to_owned(), state: state.to_owned(), public, until });
        };
        let publics = self.store.publics()?;
        for (kind, now, all) in
            [(Kind::Log, known.log_key, &publics.log), (Kind::Witness, known.witness_key, &publics.witness)]
        {
            put(kind, "in force", Some(&now), None);
            for other in all.iter().filter(|key| **key != now) {
                put(kind, if self.under_way().is_some() { "of before" } else { "next" }, Some(other), None);
            }
        }
        for former in &known.past.log_keys {
            let state = if former.stolen { "stolen" } else { "former" };
            put(Kind::Log, state, Some(&former.key), Some(format!("{} entries", former.until)));
        }
        for former in &known.past.witness_keys {
            put(Kind::Witness, "former", Some(&former.key), Some(former.until.to_string()));
        }
        put(Kind::Mandate, "in force", Some(&known.mandate_key), None);
        for (at, pin) in known.tls_pins.iter().enumerate() {
            put(Kind::Tls, if at == 0 { "in force" } else { "next" }, Some(pin.as_bytes()), None);
        }
        put(Kind::Wrapping, if publics.before { "in force, and one of before" } else { "in force" }, None, None);
        put(Kind::Cursor, "in force", None, None);
        Ok(Shown {
            version: known.version,
            issued: known.issued.to_string(),
            items,
            rotation: self.under_way().map(|now| Rotation { deadline: now.deadline.to_string() }),
            waiting: heard.waiting.iter().map(ToString::to_string).collect(),
            repudiated: known.past.repudiated.iter().map(|span| Span { from: span.from, to: span.to }).collect(),
        })
    }

    async fn renew_one(&self, kind: &str) -> Done<()> {
        let _turn = self.turn.lock().await;
        let kind = match kind {
            "wrapping" => KeyKind::Wrapping,
            "cursor" => KeyKind::Cursor,
            _ => return Err(refused("renew `wrapping` or `cursor`; the others need the root key's signature").into()),
        };
        Ok(self.store.renew(kind)?)
    }
}

/// A day.
const DAY: u32 = 86_400;

fn push<T>(list: &mut Vec<T>, former: T) {
    // Receivers keep what the oldest identity said of the oldest keys.
    if list.len() >= MAX_FORMER_KEYS {
        list.remove(0);
    }
    list.push(former);
}

fn is_stolen(before: &Identity, now: &Identity) -> bool {
    now.past.log_keys.iter().any(|former| former.key == before.log_key && former.stolen)
        || before.tls_pins.iter().all(|pin| !now.tls_pins.contains(pin))
}

fn kinds(words: &[String]) -> Result<Vec<Kind>, KeyringError> {
    let known = [Kind::Log, Kind::Witness, Kind::Mandate, Kind::Tls];
    let kind = |word: &String| {
        known
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| refused(format!("`{word}` is not log, witness, mandate or tls")))
    };
    let mut found = Vec::new();
    for word in words {
        let kind = kind(word)?;
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    Ok(found)
}

impl Keyring for Desk {
    fn keys(&self) -> Boxed<'_, Result<Shown, KeyringError>> {
        Box::pin(async move { self.show().await.map_err(|error| error.0) })
    }
    fn request(&self, wanted: Wanted) -> Boxed<'_, Result<Asked, KeyringError>> {
        Box::pin(async move { self.make_request(wanted).await.map_err(|error| error.0) })
    }
    fn install(&self, signed: Given) -> Boxed<'_, Result<Shown, KeyringError>> {
        Box::pin(async move {
            self.put_in_force(signed).await.map_err(|error| error.0)?;
            self.show().await.map_err(|error| error.0)
        })
    }
    fn renew(&self, kind: String) -> Boxed<'_, Result<Shown, KeyringError>> {
        Box::pin(async move {
            self.renew_one(&kind).await.map_err(|error| error.0)?;
            self.show().await.map_err(|error| error.0)
        })
    }
}
