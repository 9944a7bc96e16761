//! The ceremonies with an authenticator made of software, and what must hold for any bytes.

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use super::*;

const KEY: [u8; 32] = [7; 32];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn host() -> HostName {
    HostName::new("fr.example").unwrap()
}

fn client(ceremony: &str, challenge: &[u8], origin: &str) -> String {
    let challenge = BASE64URL_NOPAD.encode(challenge);
    format!(r#"{{"type":"{ceremony}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false,"new":[1]}}"#)
}

fn data(host: &str, flags: u8, count: u32) -> Vec<u8> {
    let mut bytes = Sha256::digest(host.as_bytes()).to_vec();
    bytes.push(flags);
    bytes.extend(count.to_be_bytes());
    bytes
}

#[test]
fn host_names_are_names_and_not_addresses() {
    let check = |text: &str, good| assert_eq!(HostName::new(text).is_some(), good, "{text}");
    check("fr.example", true);
    check("localhost", true);
    check("xn--e1afmkfd.example", true);
    for bad in ["", "FR.example", "fr..example", "fr.example.", "-a.b", "127.0.0.1", "1", "0x7f", "[::1]", "a b", "a:1"]
    {
        check(bad, false);
    }
    check(&format!("{}.example", "a".repeat(64)), false);
}

#[test]
fn an_origin_is_one_host_by_https() {
    let check = |host: &str, origin: &str, good| {
        assert_eq!(HostName::new(host).unwrap().is_origin(origin), good, "{origin}");
    };
    check("fr.example", "https://fr.example", true);
    check("fr.example", "https://fr.example:7442", true);
    check("localhost", "http://localhost:7442", true);
    check("localhost", "https://localhost", true);
    for bad in [
        "http://fr.example",
        "https://fr.example.evil",
        "https://evil-fr.example",
        "https://a.fr.example",
        "https://fr.example:",
        "https://fr.example:1@evil",
        "https://fr.example:123456",
        "https://fr.example/",
        "null",
        "",
    ] {
        check("fr.example", bad, false);
    }
}

#[test]
fn a_challenge_is_for_one_purpose_one_session_and_five_minutes() {
    let (session, other) = ([1; 32], [2; 32]);
    let login = challenge(&KEY, Purpose::LogIn, at(300), &[9; 32]);
    assert_eq!(open(&KEY, Purpose::LogIn, &login, at(299)), Ok(Opened { nonce: [9; 32], until: at(300) }));
    let refused = |purpose, bytes: &[u8], now| assert_eq!(open(&KEY, purpose, bytes, now), Err(Fault::Challenge));
    refused(Purpose::LogIn, &login, at(300));
    refused(Purpose::Register(&session), &login, at(0));
    refused(Purpose::LogIn, &login[..71], at(0));
    assert!(open(&[8; 32], Purpose::LogIn, &login, at(0)).is_err(), "another node's");
    let register = challenge(&KEY, Purpose::Register(&session), at(300), &[9; 32]);
    assert!(open(&KEY, Purpose::Register(&session), &register, at(0)).is_ok());
    refused(Purpose::Register(&other), &register, at(0));
    refused(Purpose::LogIn, &register, at(0));
    for place in 0..CHALLENGE_BYTES {
        let mut forged = login;
        forged[place] ^= 1;
        refused(Purpose::LogIn, &forged, at(0));
    }
}

#[test]
fn what_both_ceremonies_share_is_checked_one_by_one() {
    let host = host();
    let good = challenge(&KEY, Purpose::LogIn, at(300), &[9; 32]);
    let expected = Expected { host: &host, purpose: Purpose::LogIn, key: &KEY, now: at(0) };
    let check_all = |client: &str, data: &[u8]| check(&expected, client.as_bytes(), data).map(|_| ());
    let said = client("webauthn.get", &good, "https://fr.example");
    let there = data("fr.example", 0x05, 1);
    assert_eq!(check_all(&said, &there), Ok(()));
    let fails = |client: &str, data: &[u8], fault| assert_eq!(check_all(client, data), Err(fault), "{client}");
    fails(&client("webauthn.create", &good, "https://fr.example"), &there, Fault::Ceremony);
    fails(&client("webauthn.get", &[0; 72], "https://fr.example"), &there, Fault::Challenge);
    fails(&client("webauthn.get", &good, "https://fr.evil"), &there, Fault::Origin);
    fails(&said.replace("\"crossOrigin\":false", "\"crossOrigin\":true"), &there, Fault::Origin);
    fails(&said, &data("fr.evil", 0x05, 1), Fault::Host);
    fails(&said, &data("fr.example", 0x04, 1), Fault::Presence);
    fails(&said, &data("fr.example", 0x01, 1), Fault::Verification);
    fails(&said, &data("fr.example", 0x15, 1), Fault::AuthenticatorData);
    fails(&said, &there[..36], Fault::AuthenticatorData);
    fails(&said, &[&there[..], b"x"].concat(), Fault::AuthenticatorData);
    fails(&said.replace("\"type\"", "\"typ\""), &there, Fault::ClientData);
    fails(&said.replace("{\"type\"", "{\"type\":\"webauthn.get\",\"type\""), &there, Fault::ClientData);
    fails(&format!("{said}{}", " ".repeat(limits::CLIENT_DATA_BYTES)), &there, Fault::ClientData);
}

#[test]
fn keys_of_both_algorithms_verify_and_nothing_else_does() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let edwards = SigningKey::from_bytes(&[3; 32]);
    let p256 = PublicKey::read(-7, &[P256_HEAD, pair.public_key().as_ref()].concat()).unwrap();
    let ed25519 = PublicKey::read(-8, &[ED25519_HEAD, edwards.verifying_key().as_bytes()].concat()).unwrap();
    let (client, data) = (b"client".as_slice(), b"data".as_slice());
    let message = [data, &Sha256::digest(client)].concat();
    let by_p256 = pair.sign(&random, &message).unwrap().as_ref().to_vec();
    let by_ed25519 = edwards.sign(&message).to_bytes().to_vec();
    for (key, own, foreign) in [(&p256, &by_p256, &by_ed25519), (&ed25519, &by_ed25519, &by_p256)] {
        assert_eq!(check_signature(key, client, data, own), Ok(()));
        assert_eq!(check_signature(key, client, data, foreign), Err(Fault::Signature));
        assert_eq!(check_signature(key, b"other", data, own), Err(Fault::Signature));
        assert_eq!(check_signature(key, client, b"other", own), Err(Fault::Signature));
        assert_eq!(PublicKey::stored(key.algorithm(), key.bytes()).as_ref(), Ok(key));
    }
    assert_eq!(PublicKey::read(-8, &[P256_HEAD, p256.bytes()].concat()), Err(Fault::Key));
    assert_eq!(PublicKey::read(-257, &[ED25519_HEAD, ed25519.bytes()].concat()), Err(Fault::Key));
    let mut weak = [0; 32];
    weak[0] = 1;
    assert_eq!(PublicKey::read(-8, &[ED25519_HEAD, &weak].concat()), Err(Fault::Key), "the neutral element");
}

#[test]
fn a_registration_names_its_credential() {
    let attested = |length: u16, id: &[u8]| {
        let mut bytes = data("fr.example", 0x45, 0);
        bytes.extend([0; 16]);
        bytes.extend(length.to_be_bytes());
        bytes.extend(id);
        AuthenticatorData::read(&bytes).map(|data| data.credential)
    };
    assert_eq!(attested(3, b"abc and a key"), Ok(Some(b"abc".to_vec())));
    assert_eq!(attested(0, b"abc"), Err(Fault::AuthenticatorData));
    assert_eq!(attested(4, b"abc"), Err(Fault::AuthenticatorData));
    assert_eq!(attested(1_024, &[1; 1_024]), Err(Fault::AuthenticatorData));
    assert_eq!(AuthenticatorData::read(&data("fr.example", 0x45, 0)), Err(Fault::AuthenticatorData));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), algorithm in -9_i64..-6) {
        if let Ok(data) = AuthenticatorData::read(&bytes) {
            prop_assert!(bytes.len() >= FIXED_BYTES && data.host == bytes[..32]);
            prop_assert!(data.backup_eligible || !data.backed_up);
            prop_assert!(data.credential.is_none_or(|id| id.len() + ATTESTED_BYTES <= bytes.len()));
        }
        prop_assert!(PublicKey::read(algorithm, &bytes).is_err(), "no head");
        prop_assert!(ClientData::read(&bytes).is_err(), "no object");
    }
}
