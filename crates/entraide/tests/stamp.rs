//! Time stamps after RFC 3161: a node asks an authority (made here, with OpenSSL), keeps what it answers under its
//! checkpoints, and the proof is checked offline; what an authority answers wrongly counts for nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use http_room::client::stamp::HttpTimeAuthority;
use journal::stamp::{self, Authorities, Stamp, StampError};
use node::stamp::TimeAuthority;
use program::{Node, bundle, entraide, id, until, write};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// An authority with its own certificates, in a directory.
struct Authority {
    dir: tempfile::TempDir,
}

fn real() -> node::ports::RealOnly {
    node::ports::RealOnly::of(&model::Realm::Real).unwrap()
}

fn openssl(dir: &Path, args: &[&str]) -> bool {
    let run = Command::new("openssl").args(args).current_dir(dir).output();
    run.is_ok_and(|did| did.status.success())
}

fn is_there() -> bool {
    let there = openssl(Path::new("/"), &["version"]);
    if !there {
        println!("SKIPPED: openssl is not installed: no time authority could be made");
    }
    there
}

impl Authority {
    fn new(last_year: i32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let named = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.not_before = date_time_ymd(2020, 1, 1);
            params
        };
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = named("Root of stamps");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        ca.not_after = date_time_ymd(2090, 1, 1);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let mut signer = named("Stamps of the test");
        signer.not_after = date_time_ymd(last_year, 1, 1);
        signer.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // RFC 3161 §2.3: for time stamping alone, and critical.
        let usage = vec![0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
        let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], usage);
        usage.set_criticality(true);
        signer.custom_extensions = vec![usage];
        let certificate = signer.signed_by(&key, &issuer).unwrap();
        let put = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
        put("ca.pem", ca_certificate.pem());
        put("tsa.pem", certificate.pem());
        put("tsa.key", key.serialize_pem());
        put("serial", "01\n".to_owned());
        put(
            "tsa.cnf",
            "[t]\nserial = serial\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\n\
             ess_cert_id_alg = sha256\n"
                .to_owned(),
        );
        Self { dir }
    }

    fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    fn trusted(&self) -> Authorities {
        Authorities::read(&fs::read(self.ca()).unwrap()).unwrap()
    }

    fn answer(&self, query: &[u8]) -> Vec<u8> {
        let at = |name: &str| self.dir.path().join(name);
        fs::write(at("query"), query).unwrap();
        let args = ["ts", "-reply", "-config", "tsa.cnf", "-section", "t", "-queryfile", "query"];
        let signer = ["-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "reply"];
        assert!(openssl(self.dir.path(), &[&args[..], &signer[..]].concat()), "openssl stamps");
        fs::read(at("reply")).unwrap()
    }

    /// The token that it gives for a request.
    fn token(&self, text: &str, nonce: u64) -> Vec<u8> {
        stamp::token(&self.answer(&stamp::request(text, nonce))).unwrap().to_vec()
    }
}

type Answering = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

/// Answers each POST with what `answer` makes of its body. `None` says nothing and keeps the line.
fn serve(answer: Option<Answering>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().flatten() {
            match &answer {
                Some(answer) => reply(stream, answer),
                None => kept.push(stream),
            }
        }
    });
    address
}

fn reply(stream: TcpStream, answer: &Answering) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let reply = answer(&body);
    let mut stream = reader.into_inner();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: {}\r\n\r\n",
        reply.len()
    );
    // The other end may have had enough of a large answer.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply));
}

#[test]
fn a_token_holds_for_its_text_its_request_and_its_authority_alone() {
    if !is_there() {
        return;
    }
    let (genuine, other) = (Authority::new(2089), Authority::new(2089));
    let token = genuine.token("a checkpoint\n", 77);
    let trusted = genuine.trusted();
    let verify = |token: &[u8], text: &str, nonce| stamp::verify(token, text, nonce, &trusted);
    let held: Stamp = verify(&token, "a checkpoint\n", Some(77)).unwrap();
    assert_eq!(held.authority, "Stamps of the test");
    assert!(held.at > "2026-01-01T00:00:00Z".parse().unwrap(), "{}", held.at);
    assert_eq!(verify(&token, "a checkpoint\n", None), Ok(held.clone()), "a proof does not know the request");
    assert_eq!(verify(&token, "another\n", Some(77)), Err(StampError::Imprint));
    assert_eq!(verify(&token, "a checkpoint\n", Some(78)), Err(StampError::Nonce));
    let strange = stamp::verify(&token, "a checkpoint\n", Some(77), &other.trusted());
    assert!(matches!(strange, Err(StampError::Authority(_))), "{strange:?}");
    let expired = Authority::new(2021);
    let late = expired.token("a checkpoint\n", 77);
    let told = stamp::verify(&late, "a checkpoint\n", Some(77), &expired.trusted());
    assert!(matches!(&told, Err(StampError::Authority(why)) if why.to_lowercase().contains("expired")), "{told:?}");
    // Whatever byte is changed, it is refused or says the same.
    for at in (0..token.len()).step_by(7) {
        let mut spoilt = token.clone();
        spoilt[at] ^= 1;
        if let Ok(told) = verify(&spoilt, "a checkpoint\n", Some(77)) {
            assert_eq!(told, held, "byte {at}");
        }
    }
    let note = format!("a checkpoint\n\n— other AAAAAAAA\n{}", stamp::line(&token));
    assert_eq!(stamp::verify_note(&note, &trusted), Ok(vec![held]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_slow_talks_rubbish_or_floods_is_refused_within_bounds() {
    let ask = async |answer: Option<Answering>| {
        let url = format!("http://{}/tsr", serve(answer));
        let authority = HttpTimeAuthority::new(real(), &url, Duration::from_millis(700)).unwrap();
        authority.stamp(stamp::request("a checkpoint\n", 1)).await.map_err(|error| error.reason)
    };
    let garbage = ask(Some(Box::new(|_: &[u8]| b"no time stamp".to_vec()))).await.unwrap();
    assert!(matches!(stamp::token(&garbage), Err(StampError::Shape(_))));
    assert!(
        ask(Some(Box::new(|_: &[u8]| vec![0x30; 8 * 1024 * 1024])))
            .await
            .unwrap_err()
            .contains("length limit exceeded")
    );
    assert!(ask(None).await.unwrap_err().contains("too slow"));
    let nobody = HttpTimeAuthority::new(real(), "http://127.0.0.1:1/", Duration::from_secs(5)).unwrap();
    assert!(nobody.stamp(Vec::new()).await.unwrap_err().reason.contains("does not answer"));
}

#[test]
fn what_a_node_says_is_stamped_by_configuration_and_its_proof_is_checked_offline() {
    if !is_there() {
        return;
    }
    let authority = Arc::new(Authority::new(2089));
    let answering = Arc::clone(&authority);
    let address = serve(Some(Box::new(move |query: &[u8]| answering.answer(query))));
    let node = Node::new("FR");
    let at = |name: &str| node.dir.path().join(name);
    fs::copy(authority.ca(), at("ca.pem")).unwrap();
    write(node.dir.path(), "entraide.toml", "[timestamp]\nurl = \"https://127.0.0.1/\"\ncertificate = \"ca.pem\"\n");
    node.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1, "write http://host/path");
    let told = format!("[timestamp]\nurl = \"http://{address}/\"\ncertificate = \"ca.pem\"\nevery = \"witnessed\"\n");
    write(node.dir.path(), "entraide.toml", told);
    node.run(&["audience", "create", "friends"]).good();
    let file = write(node.dir.path(), "one.json", bundle(0..1));
    node.run(&["import", file.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"]).good();
    let served = node.serve(true);
    let size = node.run(&["status", "--json"]).json()["log"]["size"].clone();
    until("a time stamp", || (node.run(&["status", "--json"]).json()["log"]["stamped"] == size).then_some(()));
    assert!(node.run(&["status"]).good().contains("entries by a time authority"));
    let proof = node.run(&["proof", &id(0)]).good();
    let proof = write(node.dir.path(), "proof.txt", proof).display().to_string();
    let (keys, ca) = (at("log.pub").display().to_string(), at("ca.pem").display().to_string());
    entraide(&["verify-proof", &proof, "--keys", &keys]).good();
    let told = entraide(&["verify-proof", &proof, "--keys", &keys, "--tsa", &ca]).good();
    assert!(told.contains("stamped     no later than 2") && told.contains("by Stamps of the test"), "{told}");
    let page = entraide(&["verify-proof", &proof, "--keys", &keys, "--tsa", &ca, "--words"]).good();
    assert!(page.replace('\n', " ").contains("by the time authority Stamps of the test"), "{page}");
    let other = Authority::new(2089);
    let strange = other.ca().display().to_string();
    entraide(&["verify-proof", &proof, "--keys", &keys, "--tsa", &strange]).refused(1, "not by an authority");
    assert_eq!(served.stop(), Some(0));
}
