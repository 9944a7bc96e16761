//! What becomes of a command that refuses, of a commit that fails, and of a batch in which word comes that another copy
//! speaks: nothing half of it stays, and nothing is answered that is not kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ed25519_dalek::SigningKey;
use journal::checkpoint::{self, Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::seal::WrappingKey;
use journal::tree::TreeHash;
use model::extension::AudienceKind;
use node::audience::{self, AudienceError};
use node::engine::{Deps, Engine};
use node::ports::{Signer, SignerError};
use node::{Work, WriteError, gossip};
use store::StoreError;
use world::{MemorySigner, Nation, Seeded, StandingClock, peer, signed_identity};

fn make(work: &mut Work<'_, '_>, name: &str) -> Result<(), AudienceError> {
    audience::create(work, name, AudienceKind::Named, &[]).map(|_| ())
}

#[tokio::test]
async fn a_command_that_refuses_leaves_nothing_for_the_next() {
    let fr = Nation::new("FR", 1);
    let refused = fr.node.write(|work| {
        make(work, "half")?;
        Err::<(), _>(AudienceError::Taken("half".to_owned()))
    });
    assert!(matches!(refused.await, Err(WriteError::Refused(AudienceError::Taken(_)))));
    assert_eq!(fr.node.signed().size, 0);
    fr.node.write(|work| make(work, "whole")).await.unwrap();
    assert_eq!(fr.node.signed().size, 1);
    let names = fr.node.read(|view| view.db.audiences()).await.unwrap();
    assert_eq!(names.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["whole"]);
    let report = fr.node.read(|view| node::verify::verify(view.db, view.signer, |_| None)).await.unwrap();
    assert_eq!((report.entries, report.faults), (1, Vec::new()));
}

/// A signer whose hardware is away as long as the test says.
struct Away {
    inner: MemorySigner,
    away: Arc<AtomicBool>,
}

impl Signer for Away {
    fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        if self.away.load(Ordering::SeqCst) { Err(SignerError::Io("away".to_owned())) } else { self.inner.sign(next) }
    }
    fn cosign(&self, text: &str, seconds: u64) -> Result<String, SignerError> {
        self.inner.cosign(text, seconds)
    }
    fn mark(&self) -> Option<Checkpoint> {
        self.inner.mark()
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        self.inner.wrapping_key()
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        self.inner.cursor_key()
    }
}

fn deps(away: &Arc<AtomicBool>, mark: Option<Checkpoint>) -> Deps {
    Deps {
        clock: Arc::new(StandingClock::new()),
        random: Box::new(Seeded(1)),
        signer: Arc::new(Away { inner: MemorySigner::new(1, mark), away: Arc::clone(away) }),
        identity: signed_identity("FR", 1),
        purges: Arc::new(std::sync::Mutex::new(Vec::new())),
    }
}

#[test]
fn what_could_not_be_signed_is_not_answered_and_nothing_is_written_until_a_restart() {
    let (dir, away) = (tempfile::tempdir().unwrap(), Arc::new(AtomicBool::new(false)));
    let mut engine = Engine::open(dir.path(), deps(&away, None)).unwrap();
    engine.write(|work| make(work, "one")).unwrap();
    away.store(true, Ordering::SeqCst);
    let unknown = engine.write(|work| make(work, "two"));
    assert!(matches!(unknown, Err(WriteError::Stopped(_))), "{unknown:?}");
    // The signer is back, and yet: what became of the second is not known to whoever asked for it.
    away.store(false, Ordering::SeqCst);
    let stopped = engine.write(|work| make(work, "three"));
    assert!(matches!(stopped, Err(WriteError::Stopped(_))), "{stopped:?}");
    assert_eq!(engine.signed().size, 1);
    let mark = engine.signer().mark();
    drop(engine);
    let mut engine = Engine::open(dir.path(), deps(&away, mark)).unwrap();
    assert_eq!(
        (engine.signed().size, engine.signed().standing.word()),
        (2, "speaking"),
        "it was kept, and is signed now"
    );
    engine.write(|work| make(work, "three")).unwrap();
    assert_eq!(engine.signed().size, 3);
}

#[tokio::test]
async fn nobody_is_told_that_something_is_said_before_it_is_signed() {
    let (dir, away) = (tempfile::tempdir().unwrap(), Arc::new(AtomicBool::new(false)));
    let node = node::Node::open(dir.path(), deps(&away, None)).unwrap();
    node.write(|work| make(work, "one")).await.unwrap();
    away.store(true, Ordering::SeqCst);
    for name in ["two", "three"] {
        let told = node.write(move |work| make(work, name)).await;
        assert!(matches!(told, Err(WriteError::Stopped(_))), "{told:?}");
    }
    assert_eq!(node.signed().size, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_which_word_comes_of_another_copy_is_undone_with_all_that_was_said_in_it() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    fr.node.write(|work| make(work, "one")).await.unwrap();
    let other = Checkpoint { origin: fr.node.me().origin.clone(), size: 1, root: TreeHash::new([9; 32]) };
    let note = checkpoint::sign(&other, &SigningKey::from_bytes(&[1; 32])).text().to_owned();
    // The writer waits in a first command until the others have queued behind it.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = fr.node.write(move |_| {
        wait.recv().unwrap();
        Ok::<_, StoreError>(())
    });
    let said = fr.node.write(|work| make(work, "two"));
    let heard = fr.node.write(move |work| {
        let from = node::partner::find(work.tx, "EE").unwrap().log;
        gossip::hear(work, from, &[note])
    });
    let (_, said, heard, ()) = tokio::join!(first, said, heard, async { go.send(()).unwrap() });
    assert!(matches!(said, Err(WriteError::Busy)) && matches!(heard, Err(WriteError::Busy)), "{said:?} {heard:?}");
    assert_eq!((fr.node.standing().word(), fr.node.signed().size), ("stopped", 1));
    let (size, evidence) = fr
        .node
        .read(|view| Ok::<_, StoreError>((view.db.tree(view.me.log)?.size, view.db.evidence(Some(view.me.log), 9)?)))
        .await
        .unwrap();
    assert_eq!((size, evidence.len()), (1, 1), "nothing was said, and what shows the other copy is kept");
}
