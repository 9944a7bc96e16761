//! How fast telemetry is read: `throughput [MEGABYTES] [VALUES]`. It makes a mixed log (syslog, web server, JSON, firewall,
//! proxy) and values of which some stand in it, and reads the log from memory on one core, five times; beside it, as a floor,
//! the same bytes with their lines counted.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints, and has nobody to report an error to"
)]

use std::fmt::Write as _;
use std::time::Instant;

use detect::{Builder, Hit, Index, Key, Kind, Record, Records, RecordsError, Scanner, Value};

/// Numbers that look like chance, the same in each run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn word(&mut self, letters: u64) -> String {
        (0..letters).map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap())).collect()
    }

    /// Names as people ask for them: few often, many seldom.
    fn host(&mut self) -> String {
        const ENDS: [&str; 8] = ["com", "net", "org", "eu", "fr", "de", "io", "co.uk"];
        const NAMES: [&str; 6] = ["www", "api", "cdn", "mail", "static", "login"];
        let popular = self.below(4) > 0;
        let seed = if popular { self.below(500) } else { 1_000 + self.below(2_000_000) };
        let mut site = Chance(seed);
        let letters = 5 + site.below(9);
        let name = site.word(letters);
        let end = ENDS[usize::try_from(site.below(8)).unwrap()];
        match self.below(3) {
            0 => format!("{name}.{end}"),
            _ => format!("{}.{name}.{end}", NAMES[usize::try_from(self.below(6)).unwrap()]),
        }
    }

    fn four(&mut self) -> String {
        let bits = self.next();
        format!("{}.{}.{}.{}", 1 + bits % 223, bits >> 8 & 255, bits >> 16 & 255, bits >> 24 & 255)
    }

    fn path(&mut self) -> String {
        (0..1 + self.below(3)).fold(String::new(), |path, _| {
            let letters = 3 + self.below(9);
            path + "/" + &self.word(letters)
        })
    }

    fn digest(&mut self, letters: usize) -> String {
        let mut out = String::new();
        while out.len() < letters {
            let _ = write!(out, "{:016x}", self.next());
        }
        out.truncate(letters);
        out
    }
}

fn line(log: &mut String, chance: &mut Chance) {
    let (second, minute) = (chance.below(60), chance.below(60));
    let _ = match chance.below(10) {
        0 | 1 => writeln!(
            log,
            "Nov 24 13:{minute:02}:{second:02} gw{} sshd[{}]: Failed password for {} from {} port {} ssh2",
            chance.below(9),
            chance.below(30_000),
            chance.word(6),
            chance.four(),
            chance.below(65_536)
        ),
        2 | 3 => writeln!(
            log,
            "{} - - [24/Nov/2026:13:{minute:02}:{second:02} +0100] \"GET {}.html?id={} HTTP/1.1\" 200 {} \
            \"https://{}{}\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
            Chrome/131.0.0.0 Safari/537.36\"",
            chance.four(),
            chance.path(),
            chance.below(1_000_000),
            chance.below(90_000),
            chance.host(),
            chance.path()
        ),
        4 | 5 => writeln!(
            log,
            "{{\"timestamp\":\"2026-11-24T13:{minute:02}:{second:02}.{:06}+0100\",\"event_type\":\"dns\",\
            \"src_ip\":\"{}\",\"src_port\":{},\"dest_ip\":\"{}\",\"dns\":{{\"type\":\"query\",\"id\":{},\
            \"rrname\":\"{}\",\"rrtype\":\"A\"}}}}",
            chance.below(1_000_000),
            chance.four(),
            chance.below(65_536),
            chance.four(),
            chance.below(65_536),
            chance.host()
        ),
        6 | 7 => writeln!(
            log,
            "date=2026-11-24 time=13:{minute:02}:{second:02} devname=\"fw-{}\" type=\"traffic\" \
            level=\"notice\" srcip={} srcport={} dstip={} dstport={} proto=6 action=\"accept\" policyid={} \
            service=\"HTTPS\" sentbyte={} rcvdbyte={}",
            chance.below(20),
            chance.four(),
            chance.below(65_536),
            chance.four(),
            chance.below(1_024),
            chance.below(500),
            chance.below(1_000_000),
            chance.below(1_000_000)
        ),
        8 => writeln!(
            log,
            "17{}.{:03} {} {} TCP_MISS/200 {} GET http://{}{} {}@{} DIRECT/{} text/html",
            chance.below(99_999_999),
            chance.below(1_000),
            chance.below(9_000),
            chance.four(),
            chance.below(90_000),
            chance.host(),
            chance.path(),
            chance.word(6),
            chance.host(),
            chance.four()
        ),
        _ => writeln!(
            log,
            "{{\"ts\":17{},\"host\":\"pc{}\",\"event\":\"process\",\
            \"image\":\"C:\\\\Windows\\\\System32\\\\{}.exe\",\"user\":\"{}\",\"sha256\":\"{}\",\"md5\":\"{}\",\
            \"parent\":\"explorer.exe\"}}",
            chance.below(99_999_999),
            chance.below(5_000),
            chance.word(7),
            chance.word(6),
            chance.digest(64),
            chance.digest(32)
        ),
    };
}

/// Values as feeds have them: half names, a fifth addresses, a fifth hashes, a tenth URLs.
fn value(at: u64) -> String {
    let mut chance = Chance(at.wrapping_mul(77) + 5_000_000_000);
    let letters = 8 + chance.below(8);
    match at % 10 {
        0..=4 => {
            let end =
                ["com", "net", "org", "info", "xyz", "top", "ru", "eu"][usize::try_from(chance.below(8)).unwrap()];
            format!("{}.{end}", chance.word(letters))
        }
        5 | 6 => chance.four(),
        7 | 8 => chance.digest(64),
        _ => format!("http://{}.com{}", chance.word(letters), chance.path()),
    }
}

/// Values that are made again when they are asked for: the benchmark keeps none.
struct Made(Vec<u32>);

impl Records for Made {
    fn record(&self, place: u32) -> Result<Record, RecordsError> {
        let number = self.0[place as usize];
        let value = Value::parse(&value(u64::from(number))).unwrap();
        Ok(Record { kind: value.kind(), text: value.text().to_owned(), tag: u64::from(number) })
    }
}

fn index(values: u64) -> (Index, Made) {
    let mut builder = Builder::new(Key::new([42; 32]));
    for at in 0..values {
        builder.add(&Value::parse(&value(at)).unwrap()).unwrap();
    }
    let (index, order) = builder.finish();
    (index, Made(order))
}

fn main() {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let (megabytes, values) = (*arguments.first().unwrap_or(&256), *arguments.get(1).unwrap_or(&1_000_000));
    let mut chance = Chance(1);
    let mut log = String::new();
    while log.len() < usize::try_from(megabytes).unwrap() * 1_000_000 {
        line(&mut log, &mut chance);
        if chance.below(20_000) == 0 {
            let _ = writeln!(log, "Nov 24 13:00:00 gw1 proxy: client asked for {}", value(chance.below(values)));
        }
    }
    let (index, records) = index(values);
    println!(
        "{} values in {:.1} bytes each; log of {} MB",
        index.len(),
        index.bytes() as f64 / index.len() as f64,
        log.len() / 1_000_000
    );
    let mut rates = Vec::new();
    for mut scanner in
        [Scanner::new(), Scanner::new(), Scanner::new(), Scanner::new(), Scanner::new(), Scanner::scalar()]
    {
        let (mut hits, mut domains) = (0_u64, 0_u64);
        let mut hit = |hit: &Hit<'_>| {
            hits += 1;
            domains += u64::from(hit.record.kind == Kind::Domain);
        };
        let floor = Instant::now();
        let lines = bytecount(log.as_bytes());
        let floor = floor.elapsed().as_secs_f64();
        let begun = Instant::now();
        scanner.feed(log.as_bytes(), &index, &records, &mut hit).unwrap();
        scanner.finish(&index, &records, &mut hit).unwrap();
        let rate = log.len() as f64 / begun.elapsed().as_secs_f64() / 1e9;
        println!(
            "{rate:.2} GB/s, {hits} hits, {domains} domains; {lines} lines counted at {:.1} GB/s",
            log.len() as f64 / floor / 1e9
        );
        rates.push(rate);
    }
}

fn bytecount(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}
