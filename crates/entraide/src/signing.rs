//! The signer as a process of its own: it has the keys and the mark, and signs for one node at a time, over a local
//! socket. An intruder in the node's process can have things signed while it is there, and carries no signing key away.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use journal::checkpoint::Checkpoint;
use journal::signer_wire::{Answer, Ask, KeyKind, MAX_FRAME_BYTES, Marked};
use node::ports::{Signer, SignerError};

use crate::keys::{KeysError, Layout, io_error};
use crate::limits;
use crate::signer::{FileSigner, OpenError};
use crate::vault::{KeyStore, Publics, Token, Vault};

/// A signer that listens.
pub struct Signing {
    listener: UnixListener,
    desk: Arc<Desk>,
}

struct Desk {
    signer: FileSigner,
    /// The number of the connection that is the node.
    lease: Mutex<Option<usize>>,
    connections: AtomicUsize,
}

impl Signing {
    /// Takes the keys and the mark of a directory, and listens.
    ///
    /// # Errors
    /// Damaged keys, another signer of the same directory, or the socket.
    pub fn open(layout: &Layout, token: Option<Box<dyn Token>>, socket: &Path) -> Result<Self, OpenError> {
        let signer = FileSigner::lock(layout, Vault::open(layout, token)?, None)?;
        let told = |error: io::Error| OpenError::from(io_error(socket, &error));
        // We hold the mark's lock, so a socket that is there was left by a process that is gone.
        crate::keys::remove(socket)?;
        let listener = UnixListener::bind(socket).map_err(told)?;
        // The node may be another user of the same group; who may enter the directory is for its owner to say.
        std::fs::set_permissions(socket, Permissions::from_mode(0o660)).map_err(told)?;
        let desk = Desk { signer, lease: Mutex::new(None), connections: AtomicUsize::new(0) };
        Ok(Self { listener, desk: Arc::new(desk) })
    }

    /// Whose log it signs.
    #[must_use]
    pub fn origin(&self) -> String {
        self.desk.signer.origin().to_string()
    }

    /// Serves until the process ends. What was signed is durable at every instant, so it may be ended at any.
    ///
    /// # Errors
    /// The socket can't be listened on any more.
    pub fn run(&self) -> Result<(), KeysError> {
        let mut number = 0;
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(io_error(Path::new("the socket"), &error)),
            };
            number += 1;
            if self.desk.connections.fetch_add(1, Ordering::SeqCst) >= limits::SIGNER_CONNECTIONS {
                self.desk.connections.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let at = Connection { desk: Arc::clone(&self.desk), number };
            std::thread::spawn(move || at.serve(stream));
        }
    }
}

/// One connection; the lease ends with it.
struct Connection {
    desk: Arc<Desk>,
    number: usize,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.desk.connections.fetch_sub(1, Ordering::SeqCst);
        let mut lease = self.desk.lease.lock().unwrap_or_else(PoisonError::into_inner);
        if *lease == Some(self.number) {
            *lease = None;
        }
    }
}

impl Connection {
    fn serve(&self, mut stream: UnixStream) {
        if stream.set_write_timeout(Some(limits::SIGNER_WRITE)).is_err() {
            return;
        }
        while let Ok(frame) = read_frame(&mut stream) {
            let answer = match Ask::decode(&frame) {
                Ok(ask) => self.answer(ask),
                Err(error) => Answer::Failed(error.to_string()),
            };
            if write_frame(&mut stream, &answer.encode()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, ask: Ask) -> Answer {
        let signer = &self.desk.signer;
        // Held until the answer is made: nobody else becomes the node in between.
        let mut lease = self.desk.lease.lock().unwrap_or_else(PoisonError::into_inner);
        match ask {
            Ask::Look => return state(signer),
            Ask::Lease { origin } if origin != signer.origin().to_string() => {
                return Answer::Failed(format!("this signer is of `{}`, not of `{origin}`", signer.origin()));
            }
            Ask::Lease { .. } if lease.is_none_or(|held| held == self.number) => {
                *lease = Some(self.number);
                return state(signer);
            }
            _ if *lease != Some(self.number) => return Answer::Leased,
            Ask::Lease { .. }
            | Ask::Sign { .. }
            | Ask::Cosign { .. }
            | Ask::Publics
            | Ask::Prepare(_)
            | Ask::Settle(..)
            | Ask::Renew(_)
            | Ask::Forget
            | Ask::Found { .. } => {}
        }
        for_the_node(signer, ask).unwrap_or_else(|error| refusal(&error))
    }
}

fn for_the_node(signer: &FileSigner, ask: Ask) -> Result<Answer, SignerError> {
    let is_signing = |kind: KeyKind| match kind {
        KeyKind::Log | KeyKind::Witness => Ok(()),
        KeyKind::Wrapping | KeyKind::Cursor => Err(SignerError::Io("this key does not sign".to_owned())),
    };
    Ok(match ask {
        Ask::Lease { .. } | Ask::Look => state(signer),
        Ask::Sign { size, root } => {
            let next = Checkpoint { origin: signer.origin(), size, root };
            Answer::Lines(signer.sign(&next)?.text().to_owned())
        }
        Ask::Cosign { seconds, text } => Answer::Lines(signer.cosign(&text, seconds)?),
        Ask::Publics => {
            let Publics { log, witness, before } = signer.publics()?;
            Answer::Publics { log, witness, before }
        }
        Ask::Prepare(kind) => is_signing(kind).and_then(|()| signer.prepare(kind)).map(Answer::Key)?,
        Ask::Settle(kind, key) => {
            is_signing(kind).and_then(|()| signer.keep_only(kind, &key)).map(|()| Answer::Done)?
        }
        Ask::Renew(kind) if is_signing(kind).is_ok() => Answer::Failed("this key is prepared and settled".to_owned()),
        Ask::Renew(kind) => signer.renew(kind).map(|()| state(signer))?,
        Ask::Forget => signer.forget().map(|()| state(signer))?,
        Ask::Found { size, root } => {
            let found = Checkpoint { origin: signer.origin(), size, root };
            signer.settle(&found).map(|()| state(signer))?
        }
    })
}

fn state(signer: &FileSigner) -> Answer {
    let (wrapping, cursor) = signer.vault().pairs();
    let mark = match signer.mark() {
        Some(mark) => Marked::At(mark.size, mark.root),
        None if signer.is_unknown() => Marked::Unknown,
        None => Marked::Nothing,
    };
    Answer::State { origin: signer.origin().to_string(), mark, wrapping, cursor }
}

fn refusal(error: &SignerError) -> Answer {
    match error {
        SignerError::Behind { signed, .. } => Answer::Behind { signed: *signed },
        SignerError::Forked { .. } => Answer::Forked,
        SignerError::Io(why) => Answer::Failed(why.clone()),
        SignerError::Unknown => Answer::Failed(error.to_string()),
    }
}

/// Reads one frame.
///
/// # Errors
/// The other end is gone, or a frame is larger than [`MAX_FRAME_BYTES`].
pub(crate) fn read_frame(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

/// Writes one frame.
///
/// # Errors
/// The other end is gone, or reads too slowly.
pub(crate) fn write_frame(stream: &mut UnixStream, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    stream.write_all(&[&length.to_be_bytes()[..], body].concat())
}
