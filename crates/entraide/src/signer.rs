//! The signer: the log's key behind a mark that only ever moves forward.
//!
//! The mark (origin, size, root) is in a file of its own, outside the database and its backups. It is compared, moved
//! and synced before a checkpoint is signed, once per group commit. So a database that was restored from a backup, or
//! copied, can't make the nation speak twice about one place. While a node is open the file is locked.
//!
//! The file has two slots, a page apart, written in turn. Each has a generation and a checksum (SHA-256): a write that
//! is torn by a power cut leaves the other slot, whose mark is the last one under which something was signed.
//!
//! ```text
//! slot: magic 8 ‖ generation u64 ‖ flag u8 [size u64 ‖ root 32] ‖ origin: len8 ‖ bytes ‖ 0… ‖ SHA-256 of the 224 before
//! ```
//!
//! The flag is 0 (nothing signed yet), 1 (signed last: size and root), or 2: the node was restored on another machine,
//! and what was signed last is not known. With 2 nothing is signed until partners, or two persons, have said from where.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use journal::checkpoint::{Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::seal::WrappingKey;
use journal::signer_wire::KeyKind;
use journal::tree::TreeHash;
use model::Origin;
use node::ports::{Signer, SignerError};
use sha2::{Digest, Sha256};

use crate::configuration;
use crate::keys::{Keys, KeysError, Layout, io_error, sync_dir};
use crate::remote;
use crate::vault::{KeyStore, Publics, Vault};

const MAGIC: &[u8; 8] = b"entrmrk1";
/// Bytes of a slot: half a sector of the smallest disks.
const SLOT: usize = 256;
/// Where the checksum begins.
const SUM: usize = SLOT - 32;
/// The second slot is on a page of its own, so that no single write of the disk touches both.
const PLACES: [u64; 2] = [0, 4096];
/// The file's length, allocated once: moving the mark then changes no metadata, and `fdatasync` is one write.
const LENGTH: u64 = 8192;

/// Why the signer did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Another process has it.
    #[error("another process has the node in `{0}` open: stop it, or wait until it ends")]
    Locked(String),
    /// The signer that is a process of its own.
    #[error("{0}")]
    Remote(String),
    /// Another node speaks for this nation.
    #[error("the signer speaks for another node that runs: stop that one first; two would speak twice")]
    Leased,
    /// The file is lost.
    #[error(
        "the signer's file `{0}` is missing: bring back the one of this machine; never one from a backup, since the \
         node could then say something twice"
    )]
    Missing(String),
    /// Neither slot is whole.
    #[error("the signer's file `{0}` is damaged: what was signed last must come from partners before it signs again")]
    Damaged(String),
    /// Another node's.
    #[error("the signer's file `{path}` is of `{origin}`: bring back the one of this node")]
    Foreign {
        /// The file.
        path: String,
        /// Whose it is.
        origin: String,
    },
}

/// The socket of the signer that is a process of its own, if the configuration of a node names one.
///
/// # Errors
/// The configuration can't be read.
pub fn signer_socket(layout: &Layout) -> Result<Option<PathBuf>, OpenError> {
    Ok(configuration::read(layout).map_err(|error| OpenError::Remote(error.to_string()))?.signer)
}

/// What a slot says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    generation: u64,
    origin: Origin,
    at: At,
}

/// What was signed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Nothing,
    Signed(u64, TreeHash),
    Unknown,
}

impl Mark {
    fn encode(&self) -> [u8; SLOT] {
        let mut slot = [0; SLOT];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            slot[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(MAGIC);
        put(&self.generation.to_be_bytes());
        let none = TreeHash::new([0; 32]);
        let (flag, size, root) = match self.at {
            At::Nothing => (0, 0, none),
            At::Signed(size, root) => (1, size, root),
            At::Unknown => (2, 0, none),
        };
        put(&[flag]);
        put(&size.to_be_bytes());
        put(root.as_bytes());
        // An origin has at most 77 bytes (`model::origin`), so everything fits before the checksum.
        let origin = self.origin.to_string();
        let origin = &origin.as_bytes()[..origin.len().min(SUM - 58)];
        put(&[u8::try_from(origin.len()).unwrap_or(u8::MAX)]);
        put(origin);
        let sum: [u8; 32] = Sha256::digest(&slot[..SUM]).into();
        slot[SUM..].copy_from_slice(&sum);
        slot
    }

    fn decode(slot: &[u8; SLOT]) -> Option<Self> {
        let sum: [u8; 32] = Sha256::digest(&slot[..SUM]).into();
        if slot[SUM..] != sum || &slot[..8] != MAGIC {
            return None;
        }
        let number = |at: usize| Some(u64::from_be_bytes(slot.get(at..at + 8)?.try_into().ok()?));
        let root = TreeHash::from_slice(slot.get(25..57)?)?;
        let length = usize::from(*slot.get(57)?);
        let origin = std::str::from_utf8(slot.get(58..58 + length)?).ok()?.parse().ok()?;
        let at = match slot[16] {
            0 => At::Nothing,
            1 => At::Signed(number(17)?, root),
            2 => At::Unknown,
            _ => return None,
        };
        Some(Self { generation: number(8)?, origin, at })
    }
}

/// Makes the signer's file of a new node: nothing is signed yet.
///
/// # Errors
/// There is one already, or the disk.
pub fn create(layout: &Layout, origin: &Origin) -> Result<(), KeysError> {
    make(layout, origin, At::Nothing)
}

/// Makes the signer's file of a node that is restored where the file of the machine that signed is not at hand. A node
/// with it reads and serves, and speaks once partners, or two persons, have said from where.
///
/// # Errors
/// There is one already, or the disk.
pub fn create_unknown(layout: &Layout, origin: &Origin) -> Result<(), KeysError> {
    make(layout, origin, At::Unknown)
}

fn make(layout: &Layout, origin: &Origin, at: At) -> Result<(), KeysError> {
    let path = layout.signer();
    let told = |error: std::io::Error| io_error(&path, &error);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(told)?;
    let mut bytes = vec![0; usize::try_from(LENGTH).unwrap_or(0)];
    bytes[..SLOT].copy_from_slice(&Mark { generation: 0, origin: origin.clone(), at }.encode());
    file.write_all_at(&bytes, 0).and_then(|()| file.sync_all()).map_err(told)?;
    sync_dir(layout.dir())
}

/// The signer of one node, with its file locked.
pub struct FileSigner {
    file: File,
    vault: Vault,
    state: Mutex<State>,
}

struct State {
    mark: Mark,
    /// Writing failed once: where the mark is on disk is not known, so nothing is signed until it is read again.
    failed: bool,
}

impl State {
    /// Can the mark be moved to a checkpoint at all?
    fn may_move(&self, next: &Checkpoint) -> Result<(), SignerError> {
        if self.failed {
            return Err(SignerError::Io("an earlier write failed: restart the node".to_owned()));
        }
        if next.origin != self.mark.origin {
            return Err(SignerError::Io(format!("the mark is of `{}`, not of `{}`", self.mark.origin, next.origin)));
        }
        Ok(())
    }
}

/// What a node is opened with beside its signer.
pub struct Identified {
    /// The TLS key.
    pub tls: http_room::tls::NodeKey,
    /// The one that takes its place, if one was made.
    pub next_tls: Option<http_room::tls::NodeKey>,
    /// Who the node is, as its root key signed it.
    pub signed: journal::identity::SignedIdentity,
    /// The same, checked.
    pub identity: journal::identity::Identity,
}

impl FileSigner {
    /// Reads the keys of the node in a directory, locks its signer's file and reads the mark.
    ///
    /// # Errors
    /// No node, damaged keys, another process, or a mark that can't be trusted.
    pub fn open(layout: &Layout) -> Result<(Self, Identified), OpenError> {
        let keys = Keys::read(layout)?;
        let vault = Vault::open(layout, None)?;
        vault.check(&keys.identity)?;
        let signer = Self::lock(layout, vault, Some(&keys.identity.origin))?;
        Ok((signer, keys.into()))
    }

    /// Locks the signer's file in a directory and reads the mark, for whatever keys are in the vault. Without an origin
    /// it is of whatever log its mark is of.
    ///
    /// # Errors
    /// Another process, or a mark that can't be trusted.
    pub fn lock(layout: &Layout, vault: Vault, origin: Option<&Origin>) -> Result<Self, OpenError> {
        let path = layout.signer();
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|error| not_opened(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(layout.dir().display().to_string())),
            Err(TryLockError::Error(error)) => return Err(io_error(&path, &error).into()),
        }
        let mark = checked_mark(&file, &path, origin)?;
        Ok(Self { file, vault, state: Mutex::new(State { mark, failed: false }) })
    }

    /// Whose log it signs.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).mark.origin.clone()
    }

    /// The keys.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    fn advance(&self, state: &mut State, next: &Checkpoint) -> Result<(), SignerError> {
        let mark = Mark {
            generation: state.mark.generation + 1,
            origin: next.origin.clone(),
            at: At::Signed(next.size, next.root),
        };
        let place = PLACES[usize::from(mark.generation % 2 == 1)];
        let written = self.file.write_all_at(&mark.encode(), place).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            state.failed = true;
            return Err(SignerError::Io(error.to_string()));
        }
        state.mark = mark;
        Ok(())
    }
}

fn not_opened(path: &Path, error: &std::io::Error) -> OpenError {
    if error.kind() == std::io::ErrorKind::NotFound {
        return OpenError::Missing(path.display().to_string());
    }
    io_error(path, error).into()
}

fn checked_mark(file: &File, path: &Path, origin: Option<&Origin>) -> Result<Mark, OpenError> {
    let shown = || path.display().to_string();
    let mark = read_mark(file).map_err(|error| OpenError::from(io_error(path, &error)))?;
    let mark = mark.ok_or_else(|| OpenError::Damaged(shown()))?;
    if origin.is_some_and(|origin| mark.origin != *origin) {
        return Err(OpenError::Foreign { path: shown(), origin: mark.origin.to_string() });
    }
    Ok(mark)
}

/// Is the signer's file in a directory byte for byte what was written, both slots and what lies between them?
///
/// # Errors
/// The file.
pub(crate) fn is_whole(layout: &Layout) -> Result<bool, KeysError> {
    let path = layout.signer();
    let bytes = crate::keys::read_small(&path)?;
    let marks = PLACES.map(|place| {
        let slot = usize::try_from(place).ok().and_then(|place| bytes.get(place..place + SLOT));
        slot.and_then(|slot| Mark::decode(slot.try_into().ok()?))
    });
    let mut expected = vec![0; usize::try_from(LENGTH).unwrap_or(0)];
    for (mark, place) in marks.iter().zip(PLACES) {
        if let (Some(mark), Ok(place)) = (mark, usize::try_from(place)) {
            expected[place..place + SLOT].copy_from_slice(&mark.encode());
        }
    }
    // The two are written in turn; the second is empty until something was signed.
    let in_turn = match &marks {
        [Some(first), Some(second)] => first.generation.abs_diff(second.generation) == 1,
        [Some(first), None] => first.generation == 0,
        [None, _] => false,
    };
    Ok(bytes == expected && in_turn)
}

/// The newest whole slot; `None` if neither is whole.
fn read_mark(file: &File) -> std::io::Result<Option<Mark>> {
    let mut newest: Option<Mark> = None;
    for place in PLACES {
        let mut slot = [0; SLOT];
        match file.read_exact_at(&mut slot, place) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => continue,
            Err(error) => return Err(error),
        }
        if let Some(mark) = Mark::decode(&slot)
            && newest.as_ref().is_none_or(|known| known.generation < mark.generation)
        {
            newest = Some(mark);
        }
    }
    Ok(newest)
}

fn as_checkpoint(mark: &Mark) -> Option<Checkpoint> {
    match mark.at {
        At::Signed(size, root) => Some(Checkpoint { origin: mark.origin.clone(), size, root }),
        At::Nothing | At::Unknown => None,
    }
}

impl Signer for FileSigner {
    fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.may_move(next)?;
        match state.mark.at {
            At::Unknown => return Err(SignerError::Unknown),
            At::Signed(size, _) if size > next.size => {
                return Err(SignerError::Behind { signed: size, shown: next.size });
            }
            At::Signed(size, root) if size == next.size && root != next.root => {
                return Err(SignerError::Forked { size });
            }
            // Said already: signing it again says nothing new.
            At::Signed(size, _) if size == next.size => {}
            At::Signed(..) | At::Nothing => self.advance(&mut state, next)?,
        }
        self.vault.sign(next)
    }
    fn cosign(&self, text: &str, seconds: u64) -> Result<String, SignerError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.vault.cosign(text, &state.mark.origin.to_string(), seconds)
    }
    fn mark(&self) -> Option<Checkpoint> {
        as_checkpoint(&self.state.lock().unwrap_or_else(PoisonError::into_inner).mark)
    }
    fn is_unknown(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).mark.at == At::Unknown
    }
    fn settle(&self, found: &Checkpoint) -> Result<(), SignerError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.may_move(found)?;
        if state.mark.at != At::Unknown {
            return Err(SignerError::Io("what was signed last is known: it only moves by signing".to_owned()));
        }
        self.advance(&mut state, found)
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        self.vault.wrapping()
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        self.vault.cursor()
    }
}

impl KeyStore for FileSigner {
    fn publics(&self) -> Result<Publics, SignerError> {
        Ok(self.vault.publics())
    }
    fn prepare(&self, kind: KeyKind) -> Result<[u8; 32], SignerError> {
        self.vault.prepare(kind)
    }
    fn keep_only(&self, kind: KeyKind, key: &[u8; 32]) -> Result<(), SignerError> {
        self.vault.keep_only(kind, key)
    }
    fn renew(&self, kind: KeyKind) -> Result<(), SignerError> {
        self.vault.renew(kind)
    }
    fn forget(&self) -> Result<(), SignerError> {
        self.vault.forget()
    }
}

impl From<Keys> for Identified {
    fn from(keys: Keys) -> Self {
        let Keys { tls, next_tls, signed, identity } = keys;
        Self { tls, next_tls, signed, identity }
    }
}

/// The keys of a node and its mark, to look at: it never signs and takes no lock, so a running node is not disturbed.
pub struct Onlooker {
    wrapping: Arc<WrappingKey>,
    cursor: Arc<CursorKey>,
    mark: Option<Checkpoint>,
    unknown: bool,
    /// Who the node is, as its root key signed it.
    pub signed: journal::identity::SignedIdentity,
    /// The same, checked.
    pub identity: journal::identity::Identity,
}

impl Onlooker {
    /// Reads keys and mark of the node in a directory.
    ///
    /// # Errors
    /// No node, damaged keys, or a mark that can't be trusted.
    pub fn open(layout: &Layout) -> Result<Self, OpenError> {
        let Keys { signed, identity, .. } = Keys::read(layout)?;
        if let Some(socket) = signer_socket(layout)? {
            let seen = remote::look(&socket, &identity.origin)?;
            let remote::Seen { mark, unknown, wrapping, cursor } = seen;
            return Ok(Self { wrapping, cursor, mark, unknown, signed, identity });
        }
        let vault = Vault::open(layout, None)?;
        vault.check(&identity)?;
        let path = layout.signer();
        let file = File::open(&path).map_err(|error| not_opened(&path, &error))?;
        let found = checked_mark(&file, &path, Some(&identity.origin))?;
        let (mark, unknown) = (as_checkpoint(&found), found.at == At::Unknown);
        Ok(Self { wrapping: vault.wrapping(), cursor: vault.cursor(), mark, unknown, signed, identity })
    }
}

impl Signer for Onlooker {
    fn sign(&self, _: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        Err(SignerError::Io("it was opened to look only".to_owned()))
    }
    fn cosign(&self, _: &str, _: u64) -> Result<String, SignerError> {
        Err(SignerError::Io("it was opened to look only".to_owned()))
    }
    fn mark(&self) -> Option<Checkpoint> {
        self.mark.clone()
    }
    fn is_unknown(&self) -> bool {
        self.unknown
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        Arc::clone(&self.wrapping)
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        Arc::clone(&self.cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::NewKeys;
    use crate::machine::{MachineClock, MachineRandom};
    use journal::checkpoint;

    fn new_node() -> (tempfile::TempDir, Layout, Origin) {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let keys = NewKeys::draw(&mut MachineRandom::new().unwrap());
        let request = crate::init::Request {
            country: "FR".parse().unwrap(),
            realm: "REAL".parse().unwrap(),
            name: "CERT-FR".to_owned(),
            class: model::PartnerClass::EuState,
            address: "127.0.0.1:7443".to_owned(),
        };
        let made = crate::init::identity(&keys, &request, &MachineClock).unwrap();
        keys.write(&layout, &made.tls, &made.signed).unwrap();
        create(&layout, &made.identity.origin).unwrap();
        (dir, layout, made.identity.origin)
    }

    fn at(origin: &Origin, size: u64, root: u8) -> Checkpoint {
        Checkpoint { origin: origin.clone(), size, root: TreeHash::new([root; 32]) }
    }

    #[test]
    fn the_mark_only_moves_forward_and_outlives_the_process() {
        let (_dir, layout, origin) = new_node();
        let (signer, known) = FileSigner::open(&layout).unwrap();
        assert_eq!(signer.mark(), None);
        let note = signer.sign(&at(&origin, 5, 1)).unwrap();
        assert!(checkpoint::verify_with_key(note.text(), &origin, &known.identity.log_key).is_ok());
        assert!(matches!(signer.sign(&at(&origin, 4, 1)), Err(SignerError::Behind { signed: 5, shown: 4 })));
        assert!(matches!(signer.sign(&at(&origin, 5, 2)), Err(SignerError::Forked { size: 5 })));
        assert_eq!(signer.sign(&at(&origin, 5, 1)).unwrap().text(), note.text());
        let other = origin.with_epoch(1);
        assert!(matches!(signer.sign(&at(&other, 7, 1)), Err(SignerError::Io(_))), "it signs for one log alone");
        signer.sign(&at(&origin, 9, 3)).unwrap();
        drop(signer);
        let (again, _) = FileSigner::open(&layout).unwrap();
        assert_eq!(again.mark(), Some(at(&origin, 9, 3)));
        assert!(matches!(again.sign(&at(&origin, 8, 3)), Err(SignerError::Behind { signed: 9, shown: 8 })));
    }

    #[test]
    fn an_unknown_mark_signs_nothing_until_it_is_settled_once() {
        let (_dir, layout, origin) = new_node();
        std::fs::remove_file(layout.signer()).unwrap();
        create_unknown(&layout, &origin).unwrap();
        assert!(Onlooker::open(&layout).unwrap().is_unknown());
        let (signer, _) = FileSigner::open(&layout).unwrap();
        assert!(signer.is_unknown() && signer.mark().is_none());
        assert!(matches!(signer.sign(&at(&origin, 5, 1)), Err(SignerError::Unknown)));
        signer.settle(&at(&origin, 5, 1)).unwrap();
        assert!(signer.settle(&at(&origin, 6, 1)).is_err(), "a known mark moves by signing alone");
        assert!(matches!(signer.sign(&at(&origin, 4, 1)), Err(SignerError::Behind { signed: 5, shown: 4 })));
        signer.sign(&at(&origin, 6, 1)).unwrap();
        drop(signer);
        let (again, _) = FileSigner::open(&layout).unwrap();
        assert_eq!((again.is_unknown(), again.mark().map(|mark| mark.size)), (false, Some(6)));
    }

    #[test]
    fn a_second_holder_is_refused_while_the_first_lives() {
        let (_dir, layout, origin) = new_node();
        let (signer, _) = FileSigner::open(&layout).unwrap();
        let refused = FileSigner::open(&layout).map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("stop it"), "{refused}");
        // Looking needs no lock, and never signs.
        let onlooker = Onlooker::open(&layout).unwrap();
        assert!(onlooker.sign(&at(&origin, 1, 1)).is_err());
        drop(signer);
        assert!(FileSigner::open(&layout).is_ok());
    }

    #[test]
    fn a_torn_slot_leaves_the_mark_before_it() {
        for cut in [0, 8, 16, 100, SUM, SLOT - 1] {
            let (_dir, layout, origin) = new_node();
            let (signer, _) = FileSigner::open(&layout).unwrap();
            for size in 1..=4 {
                signer.sign(&at(&origin, size, 7)).unwrap();
            }
            drop(signer);
            // Generation 4 is in the first slot: only `cut` bytes of generation 6 arrive over it.
            let file = OpenOptions::new().read(true).write(true).open(layout.signer()).unwrap();
            let next =
                Mark { generation: 6, origin: origin.clone(), at: At::Signed(50, TreeHash::new([9; 32])) }.encode();
            file.write_all_at(&next[..cut], PLACES[0]).unwrap();
            let (signer, _) = FileSigner::open(&layout).unwrap();
            let expect = if cut == 0 || cut == 8 { 4 } else { 3 };
            assert_eq!(signer.mark().map(|mark| mark.size), Some(expect), "cut at {cut}");
            signer.sign(&at(&origin, 60, 7)).unwrap();
            drop(signer);
            assert_eq!(FileSigner::open(&layout).unwrap().0.mark().map(|mark| mark.size), Some(60), "cut at {cut}");
        }
    }

    #[test]
    fn a_lost_damaged_or_foreign_file_is_refused() {
        let (_dir, layout, origin) = new_node();
        let path = layout.signer();
        let whole = std::fs::read(&path).unwrap();
        let check = |expect: &str| {
            let error = FileSigner::open(&layout).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        for bad in [Vec::new(), vec![0; 8192], whole[..100].to_vec()] {
            std::fs::write(&path, bad).unwrap();
            check("damaged");
        }
        let mut other = whole.clone();
        other[..SLOT].copy_from_slice(&Mark { generation: 1, origin: origin.with_epoch(1), at: At::Nothing }.encode());
        std::fs::write(&path, other).unwrap();
        check("bring back the one of this node");
        std::fs::remove_file(&path).unwrap();
        check("missing");
    }

    proptest::proptest! {
        #[test]
        fn slots_read_back_and_no_changed_byte_passes(
            generation: u64, size: u64, root: [u8; 32], byte in 0..SLOT, bit in 0..8_u8, flag in 0..3_u8,
        ) {
            let origin: Origin = "entraide/EU/EX-BLUE-26/0123456789abcdef/4294967295".parse().unwrap();
            let mark = Mark { generation, origin, at: match flag {
                0 => At::Nothing,
                1 => At::Signed(size, TreeHash::new(root)),
                _ => At::Unknown,
            } };
            let mut slot = mark.encode();
            proptest::prop_assert_eq!(Mark::decode(&slot), Some(mark));
            slot[byte] ^= 1 << bit;
            proptest::prop_assert_eq!(Mark::decode(&slot), None);
        }
    }
}
