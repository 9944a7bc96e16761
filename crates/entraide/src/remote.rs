//! A signer that is a process of its own, as the node sees it. The connection is the lease: while it is gone nothing is
//! signed, and after it was lost the mark of the signer says what became of the last signature.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use journal::checkpoint::{Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::seal::WrappingKey;
use journal::signer_wire::{Answer, Ask, KeyKind, Marked};
use model::Origin;
use node::ports::{Signer, SignerError};

use crate::limits;
use crate::signer::OpenError;
use crate::signing::{read_frame, write_frame};
use crate::vault::{self, KeyStore, Publics};

/// What a signer shows.
pub struct Seen {
    /// What was signed last.
    pub mark: Option<Checkpoint>,
    /// Is it unknown, after a restore?
    pub unknown: bool,
    /// Wraps the keys of bodies.
    pub wrapping: Arc<WrappingKey>,
    /// Signs cursors.
    pub cursor: Arc<CursorKey>,
}

/// The signer behind a socket, which signs for this node alone.
pub struct Remote {
    socket: PathBuf,
    origin: Origin,
    stream: Mutex<Option<UnixStream>>,
    seen: RwLock<Seen>,
}

/// Looks at a signer without taking the lease: a node that runs is not disturbed.
///
/// # Errors
/// It does not answer, or is another log's.
pub fn look(socket: &Path, origin: &Origin) -> Result<Seen, OpenError> {
    let mut stream = reach(socket)?;
    match exchange(&mut stream, &Ask::Look) {
        Some(answer) => seen(socket, origin, &answer),
        None => Err(silent(socket)),
    }
}

impl Remote {
    /// Takes the lease of a signer.
    ///
    /// # Errors
    /// It does not answer, is another log's, or signs for another node that lives.
    pub fn open(socket: &Path, origin: &Origin) -> Result<Self, OpenError> {
        let (stream, seen) = lease(socket, origin)?;
        Ok(Self {
            socket: socket.to_owned(),
            origin: origin.clone(),
            stream: Mutex::new(Some(stream)),
            seen: RwLock::new(seen),
        })
    }

    /// Asks, and goes on asking while the signer is away: everything that is asked may be asked twice, since a mark that
    /// has moved already is signed again as it is.
    fn ask(&self, ask: &Ask) -> Result<Answer, SignerError> {
        let mut held = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..limits::SIGNER_TRIES {
            let mut stream = match held.take() {
                Some(stream) => stream,
                None => match lease(&self.socket, &self.origin) {
                    Ok((stream, seen)) => {
                        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
                        stream
                    }
                    Err(error @ OpenError::Leased) => return Err(SignerError::Io(error.to_string())),
                    Err(error) => {
                        tracing::warn!(%error, "nothing is said until the signer is back");
                        std::thread::sleep(limits::SIGNER_PAUSE);
                        continue;
                    }
                },
            };
            if let Some(answer) = exchange(&mut stream, ask) {
                *held = Some(stream);
                return self.heard(answer);
            }
        }
        Err(SignerError::Io(silent(&self.socket).to_string()))
    }

    fn heard(&self, answer: Answer) -> Result<Answer, SignerError> {
        match answer {
            Answer::Leased => Err(SignerError::Io(OpenError::Leased.to_string())),
            Answer::Failed(why) => Err(SignerError::Io(why)),
            Answer::State { .. } => {
                let now = seen(&self.socket, &self.origin, &answer).map_err(|e| SignerError::Io(e.to_string()))?;
                *self.seen.write().unwrap_or_else(PoisonError::into_inner) = now;
                Ok(answer)
            }
            Answer::Lines(_)
            | Answer::Publics { .. }
            | Answer::Key(_)
            | Answer::Done
            | Answer::Behind { .. }
            | Answer::Forked => Ok(answer),
        }
    }

    fn seen(&self) -> std::sync::RwLockReadGuard<'_, Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signer for Remote {
    fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        if next.origin != self.origin {
            return Err(SignerError::Io(format!("the signer is of `{}`, not of `{}`", self.origin, next.origin)));
        }
        let answer = self.ask(&Ask::Sign { size: next.size, root: next.root })?;
        if let Answer::Lines(note) = answer {
            self.seen.write().unwrap_or_else(PoisonError::into_inner).mark = Some(next.clone());
            return Ok(SignedCheckpoint::from_text(note));
        }
        if let Answer::Behind { signed } = answer {
            return Err(SignerError::Behind { signed, shown: next.size });
        }
        if answer == Answer::Forked { Err(SignerError::Forked { size: next.size }) } else { Err(strange(&answer)) }
    }
    fn cosign(&self, text: &str, seconds: u64) -> Result<String, SignerError> {
        let answer = self.ask(&Ask::Cosign { seconds, text: text.to_owned() })?;
        let Answer::Lines(lines) = answer else { return Err(strange(&answer)) };
        Ok(lines)
    }
    fn mark(&self) -> Option<Checkpoint> {
        self.seen().mark.clone()
    }
    fn is_unknown(&self) -> bool {
        self.seen().unknown
    }
    fn settle(&self, found: &Checkpoint) -> Result<(), SignerError> {
        // The answer is the state as it is then.
        self.ask(&Ask::Found { size: found.size, root: found.root }).map(|_| ())
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        Arc::clone(&self.seen().wrapping)
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        Arc::clone(&self.seen().cursor)
    }
}

impl KeyStore for Remote {
    fn publics(&self) -> Result<Publics, SignerError> {
        let answer = self.ask(&Ask::Publics)?;
        let Answer::Publics { log, witness, before } = answer else { return Err(strange(&answer)) };
        Ok(Publics { log, witness, before })
    }
    fn prepare(&self, kind: KeyKind) -> Result<[u8; 32], SignerError> {
        let answer = self.ask(&Ask::Prepare(kind))?;
        let Answer::Key(public) = answer else { return Err(strange(&answer)) };
        Ok(public)
    }
    fn keep_only(&self, kind: KeyKind, key: &[u8; 32]) -> Result<(), SignerError> {
        self.ask(&Ask::Settle(kind, *key)).map(|_| ())
    }
    fn renew(&self, kind: KeyKind) -> Result<(), SignerError> {
        self.ask(&Ask::Renew(kind)).map(|_| ())
    }
    fn forget(&self) -> Result<(), SignerError> {
        self.ask(&Ask::Forget).map(|_| ())
    }
}

fn reach(socket: &Path) -> Result<UnixStream, OpenError> {
    let stream = UnixStream::connect(socket).map_err(|_| silent(socket))?;
    stream.set_read_timeout(Some(limits::SIGNER_ANSWER)).map_err(|_| silent(socket))?;
    Ok(stream)
}

fn lease(socket: &Path, origin: &Origin) -> Result<(UnixStream, Seen), OpenError> {
    let mut stream = reach(socket)?;
    let answer = exchange(&mut stream, &Ask::Lease { origin: origin.to_string() }).ok_or_else(|| silent(socket))?;
    let seen = seen(socket, origin, &answer)?;
    Ok((stream, seen))
}

fn seen(socket: &Path, origin: &Origin, answer: &Answer) -> Result<Seen, OpenError> {
    let Answer::State { origin: of, mark, wrapping, cursor } = answer else {
        if *answer == Answer::Leased {
            return Err(OpenError::Leased);
        }
        let why = if let Answer::Failed(why) = answer { why.clone() } else { strange(answer).to_string() };
        return Err(OpenError::Remote(why));
    };
    if *of != origin.to_string() {
        return Err(OpenError::Foreign { path: socket.display().to_string(), origin: of.clone() });
    }
    Ok(Seen {
        mark: match *mark {
            Marked::At(size, root) => Some(Checkpoint { origin: origin.clone(), size, root }),
            Marked::Nothing | Marked::Unknown => None,
        },
        unknown: *mark == Marked::Unknown,
        wrapping: Arc::new(vault::wrapping(wrapping)),
        cursor: Arc::new(vault::cursor(cursor)),
    })
}

/// Asks once; `None` if the connection is good for nothing any more.
fn exchange(stream: &mut UnixStream, ask: &Ask) -> Option<Answer> {
    write_frame(stream, &ask.encode()).ok()?;
    Answer::decode(&read_frame(stream).ok()?).ok()
}

fn silent(socket: &Path) -> OpenError {
    OpenError::Remote(format!("the signer at `{}` does not answer: start it with `entraide signer`", socket.display()))
}

fn strange(answer: &Answer) -> SignerError {
    tracing::error!(?answer, "an answer that was not asked for");
    SignerError::Io(journal::signer_wire::WireError.to_string())
}
