//! Another identity of a partner: what the root key signed is taken, whoever brings it, and nothing else is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use ed25519_dalek::SigningKey;
use journal::identity::{self, Identity, Pin, SignedIdentity};
use journal::log_keys::{FormerLogKey, Past, Repudiated};
use model::Index;
use node::identities::{self, Held};
use node::partner::PartnerError;
use store::{PartnerState, StoreError};
use world::{Nation, peer, signed_identity, state_of};

fn next(country: &str, seed: u8, change: impl FnOnce(&mut Identity)) -> SignedIdentity {
    let mut known = identity::verify(&signed_identity(country, seed)).unwrap().into_inner();
    known.version += 1;
    change(&mut known);
    identity::sign(&known, &SigningKey::from_bytes(&[seed ^ 0xaa; 32]))
}

async fn take(at: &Nation, signed: SignedIdentity) -> Result<u64, String> {
    let taken = at.node.write(move |work| identities::take(work, &signed)).await;
    taken.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_higher_identity_is_taken_with_its_past_and_those_before_are_kept() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    let first = signed_identity("EE", 2);
    assert_eq!(take(&fr, first.clone()).await, Ok(1), "no news");
    let second = next("EE", 2, |known| {
        let former = FormerLogKey { key: known.log_key, until: 4, stolen: false };
        known.log_key = SigningKey::from_bytes(&[77; 32]).verifying_key().to_bytes();
        known.past =
            Past { log_keys: vec![former], repudiated: vec![Repudiated { from: 2, to: 4 }], ..Past::default() };
    });
    let looked = second.clone();
    let held = fr.node.read(move |view| identities::held(view, &looked)).await.unwrap();
    assert_eq!(held, Held::News);
    assert_eq!(take(&fr, second.clone()).await, Ok(2));
    assert_eq!(take(&fr, first).await, Ok(2), "never backwards");
    let seen = fr.node.read(|view| {
        let row = node::partner::find(view.db, "EE").unwrap();
        let versions: Vec<u64> = view.db.identities(row.log)?.iter().map(|row| row.version).collect();
        let keys = identities::log_keys(view.db, &row)?.verifiers(&row.origin).unwrap().len();
        Ok::<_, StoreError>((versions, keys, [1, 2, 3, 4].map(|at| view.db.is_repudiated(row.log, Index(at)).unwrap())))
    });
    assert_eq!(seen.await.unwrap(), (vec![2, 1], 2, [false, true, true, false]));
    // A key that the newest has no room for is known from the ones before.
    let third = next("EE", 2, |known| {
        known.version = 3;
        known.log_key = SigningKey::from_bytes(&[77; 32]).verifying_key().to_bytes();
    });
    assert_eq!(take(&fr, third).await, Ok(3));
    let keys = fr.node.read(|view| {
        let row = node::partner::find(view.db, "EE").unwrap();
        Ok::<_, StoreError>(identities::log_keys(view.db, &row)?.verifiers(&row.origin).unwrap().len())
    });
    assert_eq!(keys.await.unwrap(), 2);
}

#[tokio::test]
async fn an_identity_that_names_the_key_of_another_is_refused() {
    let (fr, ee, mt) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("MT", 3));
    peer(&fr, &ee).await;
    peer(&fr, &mt).await;
    for pin in [[2; 32], [1; 32]] {
        let greedy = next("MT", 3, |known| known.tls_pins.push(Pin::new(pin)));
        let refused = take(&fr, greedy).await.unwrap_err();
        assert!(refused.contains("the TLS key of another node"), "{refused}");
    }
    let own = next("MT", 3, |known| known.tls_pins.push(Pin::new([9; 32])));
    assert_eq!(take(&fr, own).await, Ok(2));
}

#[tokio::test]
async fn nobody_elses_identity_is_taken_and_a_cut_partner_stays_cut() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    let stranger = next("DE", 5, |_| {});
    let looked = stranger.clone();
    let held = fr.node.read(move |view| identities::held(view, &looked)).await;
    assert!(matches!(held, Err(PartnerError::Unknown(_))), "{held:?}");
    assert!(take(&fr, stranger).await.unwrap_err().contains("not a partner"));
    let forged = identity::verify(&signed_identity("EE", 2)).unwrap().into_inner();
    let forged = identity::sign(&Identity { version: 9, ..forged }, &SigningKey::from_bytes(&[5; 32]));
    assert!(take(&fr, forged).await.unwrap_err().contains("did not sign"));
    fr.node.write(|work| node::partner::cut(work, "EE", "test")).await.unwrap();
    assert!(take(&fr, next("EE", 2, |_| {})).await.unwrap_err().contains("not a partner"));
    let state = fr.node.read(|view| Ok::<_, StoreError>(state_of(view, "EE"))).await.unwrap();
    assert_eq!(state, Some(PartnerState::Cut));
}
