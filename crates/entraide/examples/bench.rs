//! `make bench`: the figures of docs/benchmarks.md, each as a ratio or beside a floor of the same run.
//!
//! 1. Durable assertion of 838-byte STIX indicators in commands of 1,000, against a bare single-table insert of the same
//!    bytes with the same durability.
//! 2. Catch-up of a new partner over loopback: fetched by TLS, verified, folded.
//! 3. Propagation of one GREEN statement to 27 partners (the demonstration's own measure).
//! 4. Matching of 200 lines with 2,000 capacities, beside the greedy choice of the same run.
//! 5. Cold start and resident memory of the binary at 100,000 objects.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints, and has nobody to report an error to"
)]

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::assist::capacity::{CapacityCase, Span};
use domain::assist::matching::{Need, Source, fit, propose};
use ed25519_dalek::SigningKey;
use entraide::machine::MachineClock;
use entraide::serve::{self, Running, ServeConfig};
use entraide::{demo, init};
use journal::roster::{self, Roster};
use model::extension::assistance::{Capacity, HelpKind, Line, Mode};
use model::extension::{AudienceKind, Common, Extension};
use model::{Citation, Commitment, Index, MediaType, Origin, Realm, Timestamp, Tlp};
use node::Node;
use node::assert::{Assert, RawObject};
use node::audience::{self, Choice};
use node::ports::Clock;
use store::StoreError;

const BODY: usize = 838;
const COMMAND: usize = 1_000;
const RUNS: usize = 3;
const CATCH_UP: usize = 50_000;
const LARGE: usize = 100_000;
const LINES: usize = 200;
const TEAMS: usize = 2_000;

fn indicator(number: usize) -> Vec<u8> {
    let mut text = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--{:08x}-{:04x}-4000-8000-{number:012x}","created":"2026-11-24T03:00:00.000Z","modified":"2026-11-24T03:00:00.000Z","name":"beacon {number}","pattern":"[domain-name:value = 'c2-{number}.example']","pattern_type":"stix","valid_from":"2026-11-24T03:00:00Z","description":""#,
        number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff,
        number.wrapping_mul(0x85eb) & 0xffff,
    );
    while text.len() < BODY - 2 {
        text.push(char::from(b'a' + u8::try_from((number + text.len()) % 26).unwrap()));
    }
    text.push_str("\"}");
    assert_eq!(text.len(), BODY);
    text.into_bytes()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

async fn start(dir: &Path, country: &str) -> (Running, init::Initialised) {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let free = std::net::TcpListener::bind(loopback).unwrap().local_addr().unwrap();
    let country = country.parse().unwrap();
    let request = init::Request {
        country,
        realm: Realm::Real,
        name: format!("CERT-{country}"),
        class: init::default_class(country),
        address: free.to_string(),
    };
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let facts = init::init(dir, &request, Arc::clone(&clock)).await.unwrap();
    let config =
        ServeConfig { dir: dir.to_owned(), listen: loopback, federation: free, plain_http: true, host: None, clock };
    (serve::start(config).await.unwrap(), facts)
}

async fn community(node: &Node, members: &[&str]) {
    let members: Vec<String> = members.iter().map(|&name| name.to_owned()).collect();
    node.write(move |work| audience::create(work, "bench", AudienceKind::Community, &members)).await.unwrap();
}

async fn say(node: &Node, from: usize, count: usize) {
    say_all(node, lots(from, count)).await;
}

/// Objects in lots of a command, made before any time is taken.
fn lots(from: usize, count: usize) -> Vec<Vec<RawObject>> {
    let lot = |first: usize| (first..first + COMMAND).map(indicator);
    let raw = |bytes| RawObject { media: MediaType::Stix, bytes };
    (from..from + count).step_by(COMMAND).map(|first| lot(first).map(raw).collect()).collect()
}

async fn say_all(node: &Node, lots: Vec<Vec<RawObject>>) {
    for objects in lots {
        let audience = Choice::Named("bench".to_owned());
        let command = Assert { objects, tlp: Tlp::Green, pap: None, walled: None, audience };
        node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
    }
}

fn bare_insert(dir: &Path, from: usize, count: usize) -> Duration {
    let mut bare = rusqlite::Connection::open(dir.join("bare.db")).unwrap();
    bare.pragma_update(None, "journal_mode", "WAL").unwrap();
    bare.pragma_update(None, "synchronous", "FULL").unwrap();
    bare.execute_batch("CREATE TABLE IF NOT EXISTS body (id INTEGER PRIMARY KEY, bytes BLOB)").unwrap();
    let bodies: Vec<Vec<u8>> = (from..from + count).map(indicator).collect();
    let begun = Instant::now();
    for lot in bodies.chunks(COMMAND) {
        let transaction = bare.transaction().unwrap();
        for body in lot {
            let mut insert = transaction.prepare_cached("INSERT INTO body (bytes) VALUES (?1)").unwrap();
            insert.execute([body]).unwrap();
        }
        transaction.commit().unwrap();
    }
    begun.elapsed()
}

async fn assertion() {
    let dir = tempfile::tempdir().unwrap();
    let (running, _) = start(&dir.path().join("fr"), "FR").await;
    community(running.node(), &[]).await;
    let count = 20_000;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        bare.push(bare_insert(dir.path(), run * count, count));
        let lots = lots(run * count, count);
        let begun = Instant::now();
        say_all(running.node(), lots).await;
        ours.push(begun.elapsed());
    }
    let (ours, bare) = (median(ours), median(bare));
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "assertion: {count} objects of {BODY} bytes in commands of {COMMAND}, median of {RUNS} runs: {:.0}/s; \
         bare insert {:.0}/s; ratio {:.3} (to reach 0.10)",
        rate(ours),
        rate(bare),
        bare.as_secs_f64() / ours.as_secs_f64()
    );
    running.stop().await;
}

async fn peer(one: &Running, facts: &init::Initialised, other: &Running, others: &init::Initialised) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let roster = Roster {
        title: "bench".to_owned(),
        entries: vec![facts.signed.clone(), others.signed.clone()],
        issued: MachineClock.now(),
    };
    let text = roster::sign(&roster, &key).unwrap();
    let public = key.verifying_key().to_bytes();
    for running in [one, other] {
        let text = text.clone();
        let node = running.node().clone();
        node.write(move |work| {
            for origin in node::partner::propose_roster(work, &text, &public)? {
                node::partner::confirm(work, &origin.to_string())?;
            }
            Ok::<_, node::partner::PartnerError>(())
        })
        .await
        .unwrap();
    }
}

async fn objects_of(node: &Node, origin: &model::Origin) -> u64 {
    let origin = origin.clone();
    node.read(move |view| {
        let Some(log) = view.db.log_id(&origin)? else { return Ok::<_, StoreError>(0) };
        let counts = view.db.object_counts()?;
        Ok(counts.iter().find(|(of, _)| *of == log).map_or(0, |(_, count)| *count))
    })
    .await
    .unwrap()
}

async fn catch_up() {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let dir = tempfile::tempdir().unwrap();
        let (fr, fr_facts) = start(&dir.path().join("fr"), "FR").await;
        let (ee, ee_facts) = start(&dir.path().join("ee"), "EE").await;
        peer(&fr, &fr_facts, &ee, &ee_facts).await;
        community(fr.node(), &["EE"]).await;
        say(fr.node(), 0, CATCH_UP).await;
        let begun = Instant::now();
        // Pulling begins when the node hears of its partners.
        fr.node().tell_partners_changed();
        ee.node().tell_partners_changed();
        while objects_of(ee.node(), &fr_facts.origin).await < CATCH_UP as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        times.push(begun.elapsed());
        fr.stop().await;
        ee.stop().await;
    }
    let time = median(times);
    println!(
        "catch-up: {CATCH_UP} objects of {BODY} bytes over loopback TLS, verified and folded, median of {RUNS} runs: \
         {:.0}/s (to reach 15,000/s)",
        CATCH_UP as f64 / time.as_secs_f64()
    );
}

async fn propagation() {
    let options = demo::Options { nations: "27".to_owned(), once: true, report: None };
    let report = demo::run(&options).await.unwrap();
    println!(
        "\npropagation: one GREEN statement to {} partners, 20 statements: p50 {:.0} ms, p99 {:.0} ms (to reach < 1 s)\n\
         demonstration: ready in {:.1} s (10 s), {} MiB at the most (1,536), {:.1} s in all",
        report.nations - 1,
        report.propagation_ms.p50,
        report.propagation_ms.p99,
        report.ready_ms as f64 / 1_000.0,
        report.peak_rss_mb,
        report.wall_ms as f64 / 1_000.0,
    );
}

async fn cold_start() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("fr");
    let (running, _) = start(&home, "FR").await;
    community(running.node(), &[]).await;
    say(running.node(), 0, LARGE).await;
    running.stop().await;
    let binary = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("entraide");
    let (mut times, mut memory) = (Vec::new(), 0);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let mut serving = Command::new(&binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--federation", "127.0.0.1:0", "--plain-http", "--dir"])
            .arg(&home)
            .stdout(Stdio::piped())
            .spawn()
            .expect("build the binary first: make build");
        let mut line = String::new();
        BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
        times.push(begun.elapsed());
        assert!(line.contains("ready"), "{line}");
        let status = std::fs::read_to_string(format!("/proc/{}/status", serving.id())).unwrap();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        memory = kib.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024;
        serving.kill().unwrap();
        serving.wait().unwrap();
    }
    println!(
        "cold start at {LARGE} objects, median of {RUNS} runs: {:.0} ms (to reach 300), {memory} MiB resident (150)",
        median(times).as_secs_f64() * 1_000.0
    );
}

/// A number that looks like chance and is the same in each run.
fn drawn(seed: usize, below: usize) -> usize {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0x94d0_49bb_1331_11eb) % below
}

fn teams(kinds: usize, now: Timestamp) -> Vec<Source> {
    let owner: Origin = "entraide/EE/REAL/0123456789abcdef".parse().unwrap();
    let team = |number: usize| {
        let common = Common::new(Capacity::KIND, [7; 16], &owner, now).unwrap();
        let mut body = serde_json::to_value(common).unwrap();
        let tags = ["en", "fr", "de"];
        let fields = serde_json::json!({
            "name": format!("team {number}"), "help": HelpKind::ALL[drawn(number, kinds)], "level": "expert",
            "quantity": 1 + drawn(number + 1, 8), "mode": Mode::ALL[drawn(number + 2, 3)],
            "ready_hours": drawn(number + 3, 72), "travel_hours": drawn(number + 4, 24), "call": "duty",
            "languages": [tags[drawn(number + 5, 3)], "en"],
            "rate": { "day_cents": 10_000 * drawn(number + 6, 20), "once_cents": 0 },
        });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let capacity = Capacity::read(&serde_json::to_vec(&body).unwrap()).unwrap();
        let place =
            Citation { origin: owner.clone(), index: Index(number as u64), commitment: Commitment::new([7; 32]) };
        Source::Own(Box::new(CapacityCase { place, capacity, versions: 1, holds: Vec::new() }))
    };
    (0..TEAMS).map(team).collect()
}

fn lines(kinds: usize, now: Timestamp) -> Vec<Need> {
    let owner: Origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
    let line = |number: usize| Need {
        request: Citation { origin: owner.clone(), index: Index(number as u64), commitment: Commitment::new([7; 32]) },
        number: format!("FR-2026-{number:03}"),
        ours: false,
        line: Line::try_from(1).unwrap(),
        kind: HelpKind::ALL[drawn(number + 7, kinds)],
        missing: 1 + u32::try_from(drawn(number + 8, 60)).unwrap(),
        mode: Mode::ALL[drawn(number + 9, 3)],
        span: Span { from: now, until: Some(now.plus_seconds(30 * 86_400)) },
        languages: if drawn(number, 3) == 0 { vec!["fr".to_owned()] } else { Vec::new() },
        clearance: None,
        level: None,
        sectors: Vec::new(),
        weight: 1 + u32::try_from(drawn(number + 10, 120)).unwrap(),
    };
    (0..LINES).map(line).collect()
}

/// What somebody does by hand: the line that counts most takes whoever arrives first, and so on.
fn greedy(needs: &[Need], sources: &[Source], now: Timestamp) -> u64 {
    let mut left: Vec<u32> = vec![u32::MAX; sources.len()];
    let mut order: Vec<&Need> = needs.iter().collect();
    order.sort_by_key(|need| std::cmp::Reverse(need.weight));
    let mut worth = 0;
    for need in order {
        let mut missing = need.missing;
        let mut fits: Vec<_> =
            sources.iter().enumerate().filter_map(|(at, source)| Some((at, fit(need, source, now).ok()?))).collect();
        fits.sort_by_key(|(_, fit)| (fit.minutes, fit.cents));
        for (at, fit) in fits {
            let given = left[at].min(fit.free).min(missing);
            left[at] = left[at].min(fit.free) - given;
            missing -= given;
            worth += u64::from(need.weight) * u64::from(given);
        }
    }
    worth
}

fn matching() {
    let now = MachineClock.now();
    for kinds in [HelpKind::ALL.len(), 1] {
        let (needs, sources) = (lines(kinds, now), teams(kinds, now));
        let (mut exact, mut by_hand, mut worth, mut floor) = (Vec::new(), Vec::new(), 0, 0);
        for _ in 0..RUNS {
            let begun = Instant::now();
            let proposal = propose(&needs, &sources, now);
            exact.push(begun.elapsed());
            worth = proposal.pairings.iter().map(|one| u64::from(needs[one.need].weight * one.quantity)).sum::<u64>();
            let begun = Instant::now();
            floor = greedy(&needs, &sources, now);
            by_hand.push(begun.elapsed());
        }
        println!(
            "matching {LINES} lines of {kinds} kinds with {TEAMS} capacities, median of {RUNS} runs: {:.0} ms (to reach \
             2,000) for a weight of {worth}, beside {:.0} ms of the greedy choice for {floor}",
            median(exact).as_secs_f64() * 1_000.0,
            median(by_hand).as_secs_f64() * 1_000.0,
        );
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let asked = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    runtime.block_on(async {
        if asked("assertion") {
            assertion().await;
        }
        if asked("catch-up") {
            catch_up().await;
        }
        if asked("matching") {
            matching();
        }
        if asked("cold-start") {
            cold_start().await;
        }
        if asked("propagation") {
            propagation().await;
        }
    });
}
