//! Passkeys over the API, with an authenticator made of software: what is let in, and everything that is not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic; these helpers are outside the test functions")]

mod api_world;

use api_world::{Client, World, machine};
use axum::http::header;
use data_encoding::BASE64URL_NOPAD as B64;
use ed25519_dalek::{Signer, SigningKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const HOST: &str = "fr.example";
const ORIGIN: &str = "https://fr.example:7442";
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

enum Key {
    P256(EcdsaKeyPair),
    Edwards(SigningKey),
}

/// An authenticator with one credential, which says what a test has it say.
struct Device {
    key: Key,
    id: Vec<u8>,
    handle: String,
    host: &'static str,
    origin: &'static str,
    /// Present, verified, may be copied.
    flags: u8,
    count: u32,
}

impl Device {
    fn new(id: u8, key: Key) -> Self {
        let handle = String::new();
        Self { key, id: vec![id; 20], handle, host: HOST, origin: ORIGIN, flags: 0x0d, count: 1 }
    }

    fn p256(id: u8) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).unwrap();
        Self::new(id, Key::P256(pair))
    }

    fn edwards(id: u8) -> Self {
        Self::new(id, Key::Edwards(SigningKey::from_bytes(&[id; 32])))
    }

    fn client_data(&self, ceremony: &str, challenge: &Value) -> Vec<u8> {
        json!({"type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let mut bytes = Sha256::digest(self.host.as_bytes()).to_vec();
        bytes.push(self.flags | more);
        bytes.extend(self.count.to_be_bytes());
        bytes
    }

    fn register(&mut self, options: &Value, name: &str) -> Value {
        options["user_id"].as_str().unwrap().clone_into(&mut self.handle);
        let mut data = self.data(0x40);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        let head = |hex: &str| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let (algorithm, public) = match &self.key {
            Key::P256(pair) => (-7, [head(P256), pair.public_key().as_ref().to_vec()].concat()),
            Key::Edwards(key) => {
                (-8, [head("302a300506032b6570032100"), key.verifying_key().as_bytes().to_vec()].concat())
            }
        };
        let client = self.client_data("webauthn.create", &options["challenge"]);
        json!({"name": name, "client_data": B64.encode(&client), "authenticator_data": B64.encode(&data),
            "public_key": B64.encode(&public), "algorithm": algorithm})
    }

    fn log_in(&self, options: &Value) -> Value {
        let client = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.data(0);
        let message = [&data[..], &Sha256::digest(&client)].concat();
        let signature = match &self.key {
            Key::P256(pair) => pair.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec(),
            Key::Edwards(key) => key.sign(&message).to_bytes().to_vec(),
        };
        json!({"id": B64.encode(&self.id), "user_handle": self.handle, "client_data": B64.encode(&client),
            "authenticator_data": B64.encode(&data), "signature": B64.encode(&signature)})
    }
}

async fn ask(world: &World) -> Value {
    world.post(&Client::default(), "/api/v1/session/passkey/options", &json!({})).await.ok().json()
}

/// A login by passkey over the API: the status of the answer.
async fn try_in(world: &World, device: &Device) -> u16 {
    let said = device.log_in(&ask(world).await);
    world.post(&Client::default(), "/api/v1/session/passkey", &said).await.status.as_u16()
}

/// Anna, logged in with her password, with a passkey on a device.
async fn with_passkey(world: &World, device: &mut Device) -> (Value, Client) {
    let access = world.user("anna", "analyst").await;
    let anna = world.log_in(&access).await;
    add(world, &anna, device, "Key").await;
    (access, anna)
}

async fn add(world: &World, anna: &Client, device: &mut Device, name: &str) -> Value {
    let options = world.post(anna, "/api/v1/passkeys/options", &json!({})).await.ok().json();
    world.post(anna, "/api/v1/passkeys", &device.register(&options, name)).await.ok().json()
}

#[tokio::test]
async fn a_person_registers_passkeys_of_both_algorithms_and_logs_in_with_each() {
    let world = World::at(Some(HOST));
    let (mut first, mut second) = (Device::p256(1), Device::edwards(2));
    let (_, anna) = with_passkey(&world, &mut first).await;
    add(&world, &anna, &mut second, "Spare").await;
    let listed = world.get(&anna, "/api/v1/passkeys").await.ok().json();
    let names: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!((names, &listed["items"][0]["last_used"]), (vec!["Key", "Spare"], &Value::Null));
    for device in [&mut first, &mut second] {
        device.count += 1;
        let said = device.log_in(&ask(&world).await);
        let answer = world.post(&Client::default(), "/api/v1/session/passkey", &said).await.ok();
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = Some(cookie.split(';').next().unwrap().to_owned());
        let found = Client { cookie, ..Client::default() };
        assert_eq!(world.get(&found, "/api/v1/session").await.ok().json()["login"], "anna");
    }
    assert_ne!(world.get(&anna, "/api/v1/passkeys").await.ok().json()["items"][0]["last_used"], Value::Null);
}

#[tokio::test]
async fn whatever_does_not_fit_is_refused_with_one_answer() {
    let world = World::at(Some(HOST));
    let mut device = Device::p256(1);
    with_passkey(&world, &mut device).await;
    device.count = 5;
    let said = device.log_in(&ask(&world).await);
    world.post(&Client::default(), "/api/v1/session/passkey", &said).await.ok();
    let one = world.post(&Client::default(), "/api/v1/session/passkey", &said).await.refused(401).json();
    device.count = 6;
    let changes: [fn(&mut Device); 11] = [
        |device| device.origin = "https://fr.example.evil",
        |device| device.origin = "http://fr.example",
        |device| device.host = "evil.example",
        |device| device.flags = 0x09,
        |device| device.flags = 0x0c,
        |device| device.flags = 0x05,
        |device| device.count = 5,
        |device| device.count = 0,
        |device| device.id = vec![9; 20],
        |device| device.handle = B64.encode(&[1; 32]),
        |device| device.key = Device::p256(1).key,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        // The key comes last, since it can't be put back.
        let kept = (device.origin, device.host, device.flags, device.count, device.id.clone(), device.handle.clone());
        if number == 10 {
            assert_eq!(try_in(&world, &device).await, 200, "nothing of it counted, and only the change was refused");
            device.count = 7;
        }
        change(&mut device);
        let said = device.log_in(&ask(&world).await);
        let told = world.post(&Client::default(), "/api/v1/session/passkey", &said).await.refused(401).json();
        assert_eq!(told, one, "change {number}");
        (device.origin, device.host, device.flags, device.count, device.id, device.handle) = kept;
    }
}

#[tokio::test]
async fn a_challenge_is_good_once_for_five_minutes_and_for_one_purpose() {
    let world = World::at(Some(HOST));
    // It does not count, so that no counter tells a replay.
    let mut device = Device { count: 0, ..Device::edwards(1) };
    let (_, anna) = with_passkey(&world, &mut device).await;
    let late = device.log_in(&ask(&world).await);
    world.wait(node::limits::PASSKEY_SECONDS);
    world.post(&Client::default(), "/api/v1/session/passkey", &late).await.refused(401);
    let options = world.post(&anna, "/api/v1/passkeys/options", &json!({})).await.ok().json();
    let crossed = device.log_in(&options);
    world.post(&Client::default(), "/api/v1/session/passkey", &crossed).await.refused(401);
    let forged = device.log_in(&json!({"challenge": B64.encode(&[7; 72])}));
    world.post(&Client::default(), "/api/v1/session/passkey", &forged).await.refused(401);
    let garbled = json!({"id": "=", "user_handle": "", "client_data": "", "authenticator_data": "", "signature": ""});
    world.post(&Client::default(), "/api/v1/session/passkey", &garbled).await.refused(400);
    let said = device.log_in(&ask(&world).await);
    world.post(&Client::default(), "/api/v1/session/passkey", &said).await.ok();
    world.post(&Client::default(), "/api/v1/session/passkey", &said).await.refused(401);
}

#[tokio::test]
async fn a_registration_belongs_to_a_fresh_session_and_one_account() {
    let world = World::at(Some(HOST));
    let mut device = Device::p256(1);
    let (access, anna) = with_passkey(&world, &mut device).await;
    let path = "/api/v1/passkeys";
    let options = world.post(&anna, "/api/v1/passkeys/options", &json!({})).await.ok().json();
    assert_eq!(options["exclude"], json!([B64.encode(&[1; 20])]));
    let other = world.user("eve", "analyst").await;
    let eve = world.log_in(&other).await;
    let mut second = Device::edwards(2);
    let said = second.register(&options, "Stolen");
    world.post(&eve, path, &said).await.refused(422);
    let wrong = Device { origin: "https://evil.example", ..Device::edwards(2) }.register(&options, "Wrong");
    world.post(&anna, path, &wrong).await.refused(422);
    let unverified = Device { flags: 0x09, ..Device::edwards(2) }.register(&options, "Unverified");
    world.post(&anna, path, &unverified).await.refused(422);
    let mut rsa = said.clone();
    rsa["algorithm"] = json!(-257);
    world.post(&anna, path, &rsa).await.refused(422);
    world.post(&anna, path, &said).await.ok();
    world.post(&anna, path, &said).await.refused(422);
    let again = world.post(&eve, "/api/v1/passkeys/options", &json!({})).await.ok().json();
    world.post(&eve, path, &Device::p256(1).register(&again, "Hers")).await.refused(409);
    world.post(&machine(), "/api/v1/passkeys/options", &json!({})).await.refused(403);
    world.wait(node::limits::PASSKEY_FRESH_SECONDS + 1);
    world.post(&anna, "/api/v1/passkeys/options", &json!({})).await.refused(403);
    let anna = world.log_in(&access).await;
    for id in 3..=u8::try_from(node::limits::PASSKEYS).unwrap() {
        add(&world, &anna, &mut Device::edwards(id), "More").await;
    }
    world.post(&anna, "/api/v1/passkeys/options", &json!({})).await.refused(409);
}

#[tokio::test]
async fn what_is_removed_revoked_reset_or_locked_logs_nobody_in() {
    let world = World::at(Some(HOST));
    let mut device = Device { count: 0, ..Device::p256(1) };
    let (access, anna) = with_passkey(&world, &mut device).await;
    assert_eq!(try_in(&world, &device).await, 200, "a device that does not count");
    let lock = async |state: &str| {
        world.put(&machine(), "/api/v1/users/anna", &json!({ "state": state })).await.ok();
    };
    lock("locked").await;
    assert_eq!(try_in(&world, &device).await, 401);
    lock("active").await;
    assert_eq!(try_in(&world, &device).await, 200);
    let listed = world.get(&machine(), "/api/v1/users/anna/passkeys").await.ok().json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    world.get(&anna, "/api/v1/users/anna/passkeys").await.refused(401);
    world.wait(60);
    let anna = world.log_in(&access).await;
    world.get(&anna, "/api/v1/users/anna/passkeys").await.refused(403);
    world.delete(&anna, &format!("/api/v1/users/anna/passkeys/{id}")).await.refused(403);
    let eve = world.user("eve", "analyst").await;
    let eve = world.log_in(&eve).await;
    world.delete(&eve, &format!("/api/v1/passkeys/{id}")).await.refused(404);
    let said = device.log_in(&ask(&world).await);
    let lost = world.post(&Client::default(), "/api/v1/session/passkey", &said).await.ok();
    let lost = lost.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let lost = Client { cookie: Some(lost), ..Client::default() };
    assert_eq!(world.delete(&anna, &format!("/api/v1/passkeys/{id}")).await.status, 204);
    assert_eq!(try_in(&world, &device).await, 401);
    world.get(&lost, "/api/v1/session").await.refused(401);
    world.get(&anna, "/api/v1/session").await.ok();
    add(&world, &anna, &mut device, "Found again").await;
    let revoked = world.delete(&machine(), &format!("/api/v1/users/anna/passkeys/{id}")).await;
    assert_eq!((revoked.status.as_u16(), try_in(&world, &device).await), (204, 401));
    world.get(&anna, "/api/v1/session").await.refused(401);
    world.wait(60);
    let anna = world.log_in(&access).await;
    add(&world, &anna, &mut device, "Once more").await;
    world.post(&machine(), "/api/v1/users/anna/reset", &json!({})).await.ok();
    assert_eq!(try_in(&world, &device).await, 401);
    let left = world.get(&machine(), "/api/v1/users/anna/passkeys").await.ok().json();
    assert_eq!(left["items"], json!([]));
}

#[tokio::test]
async fn guessed_passwords_keep_nobody_out_who_has_a_passkey() {
    let world = World::at(Some(HOST));
    let mut device = Device::edwards(1);
    let (access, _) = with_passkey(&world, &mut device).await;
    let wrong = json!({"login": "anna", "password": "not the password", "code": "000000"});
    for _ in 0..node::limits::LOGIN_TRIES {
        world.post(&Client::default(), "/api/v1/session", &wrong).await.refused(401);
    }
    world.wait(30);
    world.post(&Client::default(), "/api/v1/session", &world.credentials(&access)).await.refused(401);
    device.count = 2;
    assert_eq!(try_in(&world, &device).await, 200);
}

#[tokio::test]
async fn without_a_host_name_passkeys_work_at_localhost_alone() {
    let world = World::new();
    let path = "/api/v1/session/passkey/options";
    let by = |host: &str| Client { host: Some(host.to_owned()), ..Client::default() };
    let options = world.post(&by("localhost:7442"), path, &json!({})).await.ok().json();
    assert_eq!(options["rp_id"], "localhost");
    for host in ["127.0.0.1:7442", "fr.example", "[::1]:7442", "localhost.evil"] {
        world.post(&by(host), path, &json!({})).await.refused(409);
    }
    let page = |answer: api_world::Answer| String::from_utf8(answer.ok().bytes).unwrap();
    assert!(page(world.get(&by("localhost:7442"), "/login").await).contains("Log in with a passkey"));
    assert!(!page(world.get(&by("127.0.0.1:7442"), "/login").await).contains("passkey"));
}
