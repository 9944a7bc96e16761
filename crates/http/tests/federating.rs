//! What a real node answers on the federation's routes: whoever is cut is a stranger at once, nothing is served that is
//! not signed, and every route has a rate.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic; these helpers are outside the test functions")]

mod api_world;

use std::time::Duration;

use api_world::{World, machine};
use bytes::Bytes;
use http_room::server::accept::Caller;
use http_room::server::federating::Federating;
use http_room::server::federation::{FederationService, ServiceError};
use http_room::tls::NodeKey;
use serde_json::json;

/// The seed of Estonia's made-up keys, of which the pin is one too.
const SEED: u8 = 31;

fn caller() -> Caller {
    Caller { pin: [SEED; 32], exporter: [0; 32], addr: "127.0.0.1:1".parse().unwrap() }
}

async fn serving(world: &World) -> std::sync::Arc<Federating> {
    let key = NodeKey::generate(&world.node.me().origin).unwrap();
    Federating::new(world.node.clone(), key, api_world::files()).await.unwrap()
}

#[tokio::test]
async fn who_is_cut_is_a_stranger_at_once() {
    let world = World::new();
    world.partner("EE", SEED).await;
    let service = serving(&world).await;
    let known_is = async |expect: bool| {
        let until = async {
            while service.known(&[SEED; 32]) != expect {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), until).await.unwrap();
    };
    known_is(true).await;
    for (step, expect) in [("hold", true), ("cut", false)] {
        let path = format!("/api/v1/partners/EE/{step}");
        world.post(&machine(), &path, &json!({"reason": "a test"})).await.ok();
        known_is(expect).await;
    }
}

#[tokio::test]
async fn no_tile_is_served_of_what_is_not_signed() {
    let world = World::new();
    for name in ["a", "b"] {
        let audience = json!({"name": name, "kind": "named", "members": []});
        world.post(&machine(), "/api/v1/audiences", &audience).await.ok();
    }
    let service = serving(&world).await;
    let check = async |path: &str, bytes: Option<usize>| {
        let told = service.tile(caller(), path.to_owned()).await;
        assert_eq!(told.as_ref().ok().map(Bytes::len), bytes, "{path}: {told:?}");
        assert!(bytes.is_some() || told == Err(ServiceError::NotFound), "{path}");
    };
    check("0/000.p/2", Some(64)).await;
    check("entries/000.p/2", Some(68)).await;
    check("0/000.p/1", Some(32)).await;
    check("0/000.p/3", None).await;
    check("entries/000.p/3", None).await;
    check("0/000", None).await;
    check("0/001.p/1", None).await;
    check("1/000.p/1", None).await;
}

/// One partner asks for its own word back, or to have something cosigned, as often as it can at once.
#[tokio::test]
async fn a_partner_is_answered_within_its_rate_on_every_route() {
    let world = World::new();
    world.partner("EE", SEED).await;
    let service = serving(&world).await;
    let many = 4 * usize::try_from(node::limits::PARTNER_POLLS_PER_SECOND).unwrap();
    let slowed = |told: &Result<(), ServiceError>| matches!(told, Err(ServiceError::TooMany { .. }));
    let yours = (0..many).map(|_| service.yours(caller(), "have=0".to_owned()));
    let yours: Vec<_> = futures_util::future::join_all(yours).await.into_iter().map(|told| told.map(|_| ())).collect();
    assert!(yours.iter().any(slowed) && yours.iter().any(Result::is_ok));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let body = Bytes::from_static(b"old 0\n\nnot a checkpoint\n");
    let cosigned = (0..many).map(|_| service.add_checkpoint(caller(), body.clone()));
    let cosigned: Vec<_> =
        futures_util::future::join_all(cosigned).await.into_iter().map(|told| told.map(|_| ())).collect();
    assert!(cosigned.iter().any(slowed) && !cosigned.iter().all(slowed));
}
