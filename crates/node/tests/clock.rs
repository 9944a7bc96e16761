//! A clock that jumps, on a real node: nothing runs out later for it, and nothing is gone for good because of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use journal::peering::Invitation;
use model::{Desk, Role, Timestamp};
use node::account::{self, NewUser};
use node::ports::Clock;
use node::{Node, View, partner};
use store::StoreError;
use world::MemorySigner;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A machine: what its clock shows, and its steady clock, which is what has really passed.
struct Machine {
    shown: AtomicI64,
    steady: AtomicI64,
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.shown.load(Ordering::SeqCst))
    }
    fn steady(&self) -> Option<i64> {
        Some(self.steady.load(Ordering::SeqCst))
    }
}

/// A node on a machine, which is started again at will.
struct Jumping {
    dir: tempfile::TempDir,
    machine: Arc<Machine>,
    node: Option<Node>,
}

impl Jumping {
    fn new() -> Self {
        let start = 1_790_000_000 * SECOND;
        let machine = Arc::new(Machine { shown: AtomicI64::new(start), steady: AtomicI64::new(7 * HOUR) });
        let mut made = Self { dir: tempfile::tempdir().unwrap(), machine, node: None };
        made.start();
        made
    }
    fn start(&mut self) {
        self.node = None;
        // Nothing is said in this test.
        let signer = MemorySigner::new(1, None);
        let clock: Arc<dyn Clock> = Arc::clone(&self.machine) as Arc<dyn Clock>;
        let purges = Arc::new(Mutex::new(Vec::new()));
        self.node = Some(world::open_by(self.dir.path(), "FR", 1, signer, clock, purges).unwrap());
    }
    fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }
    /// Time passes, and beside it the clock jumps.
    fn pass(&self, passed: i64, jump: i64) {
        self.machine.steady.fetch_add(passed, Ordering::SeqCst);
        self.machine.shown.fetch_add(passed + jump, Ordering::SeqCst);
    }
    /// Something is written, and the time kept with it.
    async fn write(&self) {
        self.node().write(|work| work.tx.set_setting("test", &work.now.to_string())).await.unwrap();
    }
    async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&View<'_, '_>) -> Result<R, StoreError> + Send + 'static,
    ) -> R {
        self.node().read(read).await.unwrap()
    }
}

/// A token of a day, an invitation of three, and an answer that is remembered for a week.
async fn promises(node: &Node) -> (String, [u8; 32]) {
    let token = node.write(|work| {
        let user = NewUser {
            login: "anna".to_owned(),
            name: "Anna".to_owned(),
            desk: Desk::Csirt,
            roles: vec![Role::Viewer],
            password_hash: "none".to_owned(),
        };
        account::create_user(work, &user)?;
        work.tx.remember("anna", "key", &[1; 32], "done", work.now)?;
        account::create_token(work, "machine", "anna", 1)
    });
    (token.await.unwrap(), invite(node).await)
}

async fn invite(node: &Node) -> [u8; 32] {
    let invited = node.write(partner::invite).await.unwrap();
    *Invitation::decode(&invited.code).unwrap().id().as_bytes()
}

/// Is the token still good, and the invitation?
async fn good(node: &Jumping, token: &str, invitation: [u8; 32]) -> (bool, bool) {
    let token = token.to_owned();
    node.read(move |view| {
        let invited = view.db.invitation(&invitation)?.is_some_and(|row| row.expires > view.now);
        Ok((account::by_token(view, &token)?.is_some(), invited))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_never_moves_a_deadline_later() {
    // From seeds: jumps of up to a year either way, time that passes, restarts.
    for seed in 0..12_u64 {
        let mut node = Jumping::new();
        let (token, invitation) = promises(node.node()).await;
        let mut chance = world::Seeded(seed);
        let mut draw = |most: i64| {
            let bytes: [u8; 8] = node::ports::random_bytes(&mut chance);
            i64::from_be_bytes(bytes).rem_euclid(most)
        };
        let mut passed = 0;
        let mut ended = (false, false);
        for turn in 0..30 {
            let (step, jump) = (draw(6 * HOUR), draw(2 * 365 * DAY) - 365 * DAY);
            let jump = if draw(3) == 0 { jump } else { 0 };
            node.pass(step, jump);
            passed += step;
            let (by_token, by_invitation) = good(&node, &token, invitation).await;
            let told = format!("seed {seed}, turn {turn}: {} hours have passed", passed / HOUR);
            assert!(passed < DAY || !by_token, "{told}: a token of a day is still good");
            assert!(passed < 3 * DAY || !by_invitation, "{told}: an invitation of three days is still good");
            // What has run out once does not come back, whatever the clock shows next.
            assert!(!(ended.0 && by_token || ended.1 && by_invitation), "{told}: what had run out is good again");
            ended = (!by_token, !by_invitation);
            node.write().await;
            if draw(4) == 0 {
                node.start();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_forward_ends_nothing_for_good_before_somebody_has_looked() {
    let mut node = Jumping::new();
    let (token, invitation) = promises(node.node()).await;
    // Ten years ahead: it has all run out, and nothing of it is gone.
    node.pass(HOUR, 3_650 * DAY);
    assert_eq!(good(&node, &token, invitation).await, (false, false));
    let _other = invite(node.node()).await;
    let week_before = |work: &mut node::Work<'_, '_>| {
        work.tx.forget_before(work.sure.plus_seconds(-node::limits::IDEMPOTENCY_SECONDS))?;
        work.tx.purge_expired(work.sure)
    };
    node.node().write(week_before).await.unwrap();
    let still = node.read(|view| Ok(view.db.remembered("anna", "key")?.is_some())).await;
    assert!(still, "a command that is sent again would be done twice");
    node.start();
    let doubt = node.node().ratchet().doubt();
    assert_eq!(doubt, None, "what was kept is what it shows");
    // Somebody looks at the clock and sets it right: the node does not follow it back by itself.
    node.pass(0, -3_650 * DAY);
    let doubt = node.node().ratchet().doubt().unwrap();
    assert!(doubt.behind > 3_600 * 24 * 3_600, "{doubt:?}");
    assert_eq!(good(&node, &token, invitation).await, (false, false));
    node::ratchet::accept(node.node()).await.unwrap();
    assert_eq!(node.node().ratchet().doubt(), None);
    assert_eq!(good(&node, &token, invitation).await, (true, true), "nothing was lost by the jump");
    node.start();
    assert_eq!(good(&node, &token, invitation).await, (true, true), "and that stays after a restart");
}
