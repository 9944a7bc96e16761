//! An exercise beside reality in one process: nothing of one is accepted, shown, counted or logged in the other, and
//! neither falls with the other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;
mod two_realms;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use http_room::server::api::exercises::Exercises;
use hyper::{Method, header};
use program::{Did, Node, bundle, entraide, id, until, write};
use serde_json::{Value, json};
use two_realms::{Access, Person, REALM, World};

/// An object whose id both realms share, and whose words are one realm's alone.
fn object(number: u64, canary: &str) -> String {
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"tool--{number:08x}-0000-4000-8000-000000000000",
        "created":"2026-11-20T08:00:00.000Z","modified":"2026-11-20T08:00:00.000Z","name":"{canary} {number}"}}"#
    )
}

fn file(numbers: impl Iterator<Item = u64>, canary: &str) -> Vec<u8> {
    let objects: Vec<String> = numbers.map(|number| object(number, canary)).collect();
    let id = "bundle--00000000-0000-4000-8000-000000000000";
    format!(r#"{{"type":"bundle","id":"{id}","objects":[{}]}}"#, objects.join(",")).into_bytes()
}

/// One realm as the test sees it: who works there, the word that only it says, and what was said so far.
struct Side {
    person: Person,
    canary: &'static str,
    taken: BTreeSet<u64>,
    said: BTreeSet<u64>,
    audiences: u64,
    users: u64,
}

impl Side {
    fn new(person: Person, canary: &'static str) -> Self {
        Self { person, canary, taken: BTreeSet::new(), said: BTreeSet::new(), audiences: 0, users: 1 }
    }

    /// One act by chance. Names, ids and idempotency keys are drawn from few, so that the realms meet in all of them.
    async fn act(&mut self, chance: u64) {
        let (what, number) = (chance % 5, chance / 5 % 7);
        let key = format!("key-{what}-{number}");
        let keyed = [("idempotency-key", key.as_str())];
        match what {
            0 => {
                let body = file(number..number + 2, self.canary);
                self.person.send(Method::POST, "/api/v1/intake", body, &keyed).await.ok();
                self.taken.extend([number, number + 1]);
            }
            1 | 2 if self.audiences > 0 => {
                let path = "/api/v1/statements?label=amber&audience=circle-0";
                let answer =
                    self.person.send(Method::POST, path, file(number..number + 2, self.canary), &keyed).await.json();
                let fates: Vec<&str> =
                    answer["items"].as_array().unwrap().iter().filter_map(|item| item["fate"].as_str()).collect();
                assert!(fates.iter().all(|fate| ["asserted", "already"].contains(fate)), "{answer}");
                self.said.extend([number, number + 1]);
            }
            3 => {
                let (name, email) = (format!("circle-{}", self.audiences), format!("{}-person", self.canary));
                let new = json!({"name": name, "kind": "named", "members": []});
                self.person.post("/api/v1/audiences", &new).await.ok();
                self.audiences += 1;
                let user = json!({"login": format!("user{}", self.users), "name": email, "desk": "csirt", "roles": ["viewer"]});
                self.person.post("/api/v1/users", &user).await.ok();
                self.users += 1;
            }
            _ => {
                self.person.post("/api/v1/partners/invitations", &json!({})).await.ok();
            }
        }
    }

    /// What is counted here is what was done here.
    async fn counts(&self) {
        let status = self.person.get("/api/v1/status").await.json();
        let said = u64::try_from(self.said.len()).unwrap();
        // Each audience is a statement of its own.
        assert_eq!(status["log"]["size"], said + self.audiences, "{}: {status}", self.canary);
        let asserted = status["intake"]["asserted"].as_u64().unwrap();
        let waiting = status["intake"]["new"].as_u64().unwrap();
        assert!(asserted + waiting <= u64::try_from(self.taken.len()).unwrap(), "{status}");
        assert_eq!(status["realm"], self.realm());
        let users = self.person.get("/api/v1/users").await.json();
        assert_eq!(users["items"].as_array().unwrap().len() as u64, self.users);
    }

    fn realm(&self) -> &str {
        if self.person.prefix.is_empty() { "REAL" } else { REALM }
    }
}

/// The addresses to which a page leads.
fn leads(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in ["href=\"", "src=\"", "action=\"", "data-events=\""] {
        for rest in page.split(attribute).skip(1) {
            found.push(rest.split('"').next().unwrap().replace("&amp;", "&"));
        }
    }
    found
}

/// Follows every link from the first page, and looks at each answer: its header, its bar, where it leads.
async fn crawl(side: &Side, foreign: &str) -> usize {
    let prefix = side.person.prefix.clone();
    let mut waiting = vec![format!("{prefix}/"), format!("{prefix}/login"), format!("{prefix}/nothing-here")];
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if seen.len() >= 200 || !seen.insert(path.clone()) {
            continue;
        }
        let answer = side.person.send_to(Method::GET, &path, Vec::new(), &[]).await;
        assert_eq!(answer.headers["x-entraide-realm"], side.realm(), "{path}");
        assert!(!answer.text.contains(foreign), "{path} says `{foreign}`");
        if let Some(name) = answer.headers.get(header::CONTENT_DISPOSITION) {
            let named = name.to_str().unwrap().contains(&format!("filename=\"{REALM}-"));
            assert_eq!(named, side.realm() == REALM, "{path}: {name:?}");
        }
        let media = answer.headers.get(header::CONTENT_TYPE).map(|media| media.to_str().unwrap().to_owned());
        if !media.is_some_and(|media| media.starts_with("text/html")) {
            continue;
        }
        // The console is one file for every realm: it holds nothing of any, and asks which it is in before it shows something.
        if path == format!("{prefix}/console/") {
            assert!(!answer.text.contains("REAL") && !answer.text.contains(REALM), "{path}");
            continue;
        }
        let bar = answer.text.contains("EXERCISE EXERCISE EXERCISE") && answer.text.contains(" – nothing here is real");
        assert_eq!(bar, side.realm() == REALM, "{path}");
        assert!(answer.text.contains(&format!("· {}</title>", side.realm())), "{path}");
        assert_eq!(answer.text.contains("<title>EXERCISE · "), side.realm() == REALM, "{path}");
        for to in leads(&answer.text).into_iter().filter(|to| to.starts_with('/')) {
            // Reality's status page names the exercises and leads to them; nothing else crosses, in either direction.
            let inside =
                if prefix.is_empty() { !to.starts_with("/ex/") } else { to.starts_with(&format!("{prefix}/")) };
            let the_way_over = prefix.is_empty() && path == "/" && to == format!("/ex/{REALM}/");
            assert!(inside || the_way_over, "{path} leads to {to}");
            let whole = to.split('#').next().unwrap().to_owned();
            if inside && !whole.contains("/assets/") && !whole.contains("logout") && !whole.contains("/events") {
                waiting.push(whole);
            }
        }
    }
    seen.len()
}

/// Every route of the contract that is read, with the ids that this realm has.
async fn reads(side: &Side) -> Vec<String> {
    let contract = side.person.get("/api/v1/openapi.json").await.json();
    assert_eq!(contract["servers"][0]["url"], format!("{}/api/v1", side.person.prefix));
    let paths = contract["paths"].as_object().unwrap();
    let all = paths.iter().filter(|(path, item)| item.get("get").is_some() && *path != "/events");
    let filled = all.map(|(path, _)| {
        let entry = path.replace("{entry}", "FR:0").replace("{realm}", REALM).replace("{name}", "circle-0");
        format!("/api/v1{}", entry.replace("{id}", "FR:1"))
    });
    filled.chain(["/metrics".to_owned(), "/healthz".to_owned()]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_realm_is_accepted_shown_or_counted_in_the_other() {
    let world = World::start("FR").await;
    let blue = world.open().await;
    let mut real = Side::new(world.log_in(&world.real).await, "reality-canary");
    let mut exercise = Side::new(world.log_in(&blue).await, "exercise-canary");
    assert_ne!(real.person.cookie.split('=').next(), exercise.person.cookie.split('=').next());
    // Two random lives with the same ids, names, logins and keys, lived at once.
    let mut chance: u64 = 0x5eed_2026;
    for turn in 0..36_u64 {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let side = if turn % 2 == 0 { &mut real } else { &mut exercise };
        // The first acts make an audience in each.
        side.act(if turn < 2 { 3 } else { chance >> 33 }).await;
    }
    assert!(!real.said.is_disjoint(&exercise.said), "both say the same objects: {:?} {:?}", real.said, exercise.said);
    for (side, other) in [(&real, &exercise), (&exercise, &real)] {
        side.counts().await;
        assert!(crawl(side, other.canary).await > 15);
        let foreign = side.person.knocking_at(&other.person.prefix);
        let token = json!({"name": "probe", "days": 1});
        let token = side.person.post("/api/v1/tokens", &token).await.json()["token"].as_str().unwrap().to_owned();
        let bearer = Person { token: Some(token), ..foreign.clone() };
        let by_token = Person { prefix: side.person.prefix.clone(), ..bearer.clone() };
        by_token.get("/api/v1/status").await.ok();
        for path in reads(side).await {
            let answer = side.person.get(&path).await;
            assert_eq!(answer.headers["x-entraide-realm"], side.realm(), "{path}");
            assert!(!answer.text.contains(other.canary), "{path} says `{}`", other.canary);
            if path == "/healthz" || path.ends_with("openapi.json") {
                continue;
            }
            // A gateway shows the mandate's own token, and no other: to everybody else there is no lease.
            let refusal = if path.contains("/leases/") { 404 } else { 401 };
            foreign.get(&path).await.refused(refusal);
            bearer.get(&path).await.refused(refusal);
        }
        // Both cookies at once, as a browser may send them: the other realm's value does not stand for this one's.
        let cookie = format!("{}; {}", side.person.cookie, other.person.cookie);
        let both = Person { cookie, csrf: other.person.csrf.clone(), ..side.person.clone() };
        let circle = json!({"name": "stolen", "kind": "named", "members": []});
        both.post("/api/v1/audiences", &circle).await.refused(403);
        side.counts().await;
    }
    codes_and_credentials(&world, &real, &exercise, &blue).await;
    assert!(world.running.stop().await);
}

/// What people carry by hand: passwords with codes, invitation codes, files.
async fn codes_and_credentials(world: &World, real: &Side, exercise: &Side, blue: &Access) {
    // A password and a code of one realm at the door of the other.
    for (access, prefix) in [(&world.real, &exercise.person.prefix), (blue, &real.person.prefix)] {
        let stranger = real.person.knocking_at(prefix);
        stranger.post("/api/v1/session", &access.credentials()).await.refused(401);
    }
    // An invitation code of one taken up in the other: refused on both ends, and nobody is a partner afterwards.
    for (host, joiner) in [(real, exercise), (exercise, real)] {
        let code = host.person.post("/api/v1/partners/invitations", &json!({})).await.json()["code"].clone();
        let answer = joiner.person.post("/api/v1/partners/accept", &json!({ "code": code })).await;
        assert!(!answer.status.is_success(), "{}", answer.text);
        for side in [host, joiner] {
            assert_eq!(side.person.get("/api/v1/partners").await.json()["items"], json!([]));
        }
    }
    // What is carried out of the exercise as a file carries its mark, and reality refuses it; the other way is free.
    let said = exercise.said.iter().next().unwrap();
    let path = format!("/api/v1/objects/tool--{said:08x}-0000-4000-8000-000000000000/content");
    let content = exercise.person.get(&path).await.ok().text;
    for route in ["/api/v1/intake", "/api/v1/statements?label=amber&audience=circle-0"] {
        let taken = real.person.send(Method::POST, route, content.clone().into_bytes(), &[]).await.json();
        assert_eq!(taken["items"][0]["fate"], "refused", "{taken}");
        assert!(taken["items"][0]["reason"].as_str().unwrap().contains("this is exercise data"), "{taken}");
    }
    let back = exercise.person.send(Method::POST, "/api/v1/intake", content.into_bytes(), &[]).await.json();
    assert_ne!(back["items"][0]["fate"], "refused", "{back}");
    // Exercises are ruled from reality alone.
    exercise.person.get("/api/v1/exercises").await.refused(409);
    let end = json!({ "confirm": REALM });
    exercise.person.post(&format!("/api/v1/exercises/{REALM}/end"), &end).await.refused(409);
    real.person.post(&format!("/api/v1/exercises/{REALM}/end"), &json!({})).await.refused(409);
    real.person.post("/api/v1/exercises/REAL/end", &json!({"confirm": "REAL"})).await.refused(409);
    let clock = json!({"now": "2030-01-01T00:00:00Z"});
    let body = clock.to_string().into_bytes();
    real.person.send(Method::PUT, "/api/v1/exercises/REAL/clock", body, &[]).await.refused(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exercise_that_falls_leaves_reality_speaking() {
    let world = World::start("FR").await;
    let blue = world.open().await;
    let (real, exercise) = (world.log_in(&world.real).await, world.log_in(&blue).await);
    let circle = |name: &str| json!({"name": name, "kind": "named", "members": []});
    // Somebody else holds the exercise's database: its next commit fails, and its writer stops for good.
    let inside = world.dir.join("realms").join(REALM);
    let held = rusqlite::Connection::open(inside.join("entraide.db")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    exercise.post("/api/v1/audiences", &circle("one")).await.refused(503);
    // The writer ends a moment after its answer.
    for _ in 0..600 {
        if exercise.get("/healthz").await.status == 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    exercise.get("/healthz").await.refused(503);
    held.execute_batch("ROLLBACK").unwrap();
    real.post("/api/v1/audiences", &circle("one")).await.ok();
    real.get("/healthz").await.ok();
    let list = real.get("/api/v1/exercises").await.json();
    assert_eq!(list["items"][0]["running"], false, "{list}");
    assert!(real.get("/").await.ok().text.contains("does not run"));
    let federation = world.running.addresses().federation;
    assert!(world.running.stop().await);
    // Damaged beyond opening: reality starts all the same, and says what is wrong with the exercise.
    fs::write(inside.join("keys/log.key"), "spoilt").unwrap();
    let running = two_realms::serve(&world.dir, federation).await;
    let list = running.exercises().list().await.unwrap();
    assert!(!list[0].running && list[0].why.as_ref().unwrap().contains("log.key"), "{list:?}");
    let real = Person { at: running.addresses().web_addr, ..real };
    real.post("/api/v1/audiences", &circle("two")).await.ok();
    real.knocking_at(&format!("/ex/{REALM}")).get("/healthz").await.refused(404);
    assert!(running.stop().await);
}

/// The program with `--realm EX-BLUE-26`.
fn inside(node: &Node, args: &[&str]) -> Did {
    node.run(&[args, &["--realm", REALM]].concat())
}

/// Serves with traces into a file.
fn traced(node: &Node, traces: &Path) -> program::Served {
    let mut command = node.command(&["serve", "--listen", "127.0.0.1:0", "--plain-http"]);
    let traces = fs::File::create(traces).unwrap();
    program::Served::of(command.env("ENTRAIDE_LOG", "info").stderr(Stdio::from(traces)))
}

#[test]
fn two_nations_hold_an_exercise_beside_reality_and_keep_its_archive() {
    let (fr, ee) = (Node::new("FR"), Node::new("EE"));
    let traces = fr.dir.path().join("traces");
    let served = [traced(&fr, &traces), ee.serve(true)];
    fr.run(&["status", "--realm", REALM]).refused(1, "no exercise `EX-BLUE-26` is open");
    let open = |node: &Node| {
        let address = program::free_address();
        let args = ["realm", "open", REALM, "--name", "Blue 2026", "--starts-at", "2031-12-01T06:00Z", "--federation"];
        node.run(&[&args[..], &[&address, "--json"]].concat()).json()
    };
    let (ours, theirs) = (open(&fr), open(&ee));
    assert_ne!(ours["origin"], theirs["origin"]);
    fr.run(&["realm", "open", REALM, "--name", "again"]).refused(1, "is open already");
    fr.run(&["realm", "open", "REAL", "--name", "x"]).refused(1, "reality is open already");
    fr.run(&["realm", "open", "EX-TWO", "--name", "x", "--federation", &fr.federation]).refused(1, "another realm");

    // They meet in the exercise, with a code of the exercise alone.
    let real_code = fr.run(&["partner", "invite", "--json"]).json()["code"].as_str().unwrap().to_owned();
    assert_eq!(inside(&ee, &["partner", "accept", &real_code]).code, 1);
    let code = inside(&fr, &["partner", "invite", "--json"]).json()["code"].as_str().unwrap().to_owned();
    inside(&ee, &["partner", "accept", &code]).good();
    inside(&fr, &["partner", "confirm", "EE"]).good();
    inside(&ee, &["partner", "confirm", "FR"]).good();
    inside(&fr, &["audience", "create", "friends", "--members", "EE"]).good();
    let path = write(fr.dir.path(), "one.json", bundle(1..3)).display().to_string();
    let did = inside(&fr, &["import", &path, "--assert", "--label", "amber", "--audience", "friends"]);
    assert!(did.err.contains("[EX-BLUE-26] EXERCISE EXERCISE EXERCISE"), "{}", did.err);
    did.good();
    let shown = until("the statement in Estonia's exercise", || {
        let shown = inside(&ee, &["show", &id(1), "--json"]);
        (shown.code == 0).then(|| shown.json())
    });
    assert!(shown["object"]["arrived"].as_str().unwrap().starts_with("2031-12-01T06:"), "{shown}");
    for node in [&fr, &ee] {
        let status = node.run(&["status", "--json"]).json();
        assert_eq!(
            (&status["realm"], &status["log"]["size"], &status["partners"]),
            (&json!("REAL"), &json!(0), &json!([]))
        );
        node.run(&["show", &id(1)]).refused(1, "not there, or not for you");
    }
    assert!(fr.run(&["status"]).err.is_empty());

    the_clock_goes_forward(&fr);
    let proof = inside(&fr, &["proof", &id(1)]).good();
    let proof = write(fr.dir.path(), "proof.txt", proof).display().to_string();
    let own = format!("{}/log.pub", fr.path());
    entraide(&["verify-proof", &proof, "--keys", &own]).refused(1, "");

    ended_and_reviewed(&fr, &ours);
    for one in served {
        assert_eq!(one.stop(), Some(0));
    }
    // What was logged of the exercise says so.
    let traces = fs::read_to_string(&traces).unwrap();
    let of_exercise =
        traces.lines().filter(|line| line.contains("clock was set forward") || line.contains("exercise is open"));
    assert!(of_exercise.clone().count() > 0 && of_exercise.clone().all(|line| line.contains(REALM)), "{traces}");
}

fn the_clock_goes_forward(fr: &Node) {
    fr.run(&["realm", "clock", REALM, "--set", "2031-11-01T06:00Z"]).refused(1, "it only goes forward");
    fr.run(&["realm", "clock", REALM, "--set", "2099-11-01T06:00Z"]).refused(1, "within ten years");
    fr.run(&["realm", "clock", REALM, "--set", "2031-12-03T06:00Z"]).good();
    let now = inside(fr, &["status", "--json"]).json()["now"].as_str().unwrap().to_owned();
    assert!(now.starts_with("2031-12-03T06:"), "{now}");
    let list = fr.run(&["realm", "list", "--json"]).json();
    let one = &list["items"][0];
    assert_eq!((&one["jumps"], &one["running"]), (&json!(1), &json!(true)), "{list}");
    fr.run(&["realm", "clock", "EX-OTHER", "--set", "2031-12-03T06:00Z"]).refused(1, "no exercise `EX-OTHER`");
    fr.run(&["realm", "list", "--realm", REALM]).refused(2, "takes no --realm");
}

fn ended_and_reviewed(fr: &Node, ours: &Value) {
    let inside_dir = fr.dir.path().join("realms").join(REALM);
    let before = fr.run(&["log", "--json"]).json();
    fr.run(&["realm", "end", REALM]).refused(2, "--confirm EX-BLUE-26");
    fr.run(&["realm", "end", REALM, "--confirm", "EX-RED"]).refused(1, "repeat the name");
    assert!(inside_dir.join("keys/log.key").is_file());
    let ended = fr.run(&["realm", "end", REALM, "--confirm", REALM, "--json"]).json();
    assert!(!inside_dir.exists() && fs::read_dir(fr.dir.path().join("realms")).unwrap().next().is_none());
    inside(fr, &["status"]).refused(1, "no exercise `EX-BLUE-26` is open");
    assert_eq!(fr.run(&["log", "--json"]).json(), before, "reality did not notice");

    // The review needs the archive and nothing else.
    let archive = Path::new(ended["archive"].as_str().unwrap());
    assert!(archive.file_name().unwrap().to_str().unwrap().starts_with(REALM));
    let sums = Command::new("sha256sum").args(["--quiet", "-c", "SHA256SUMS"]).current_dir(archive).status();
    assert!(sums.unwrap().success());
    assert_eq!((&ended["logs"], &ended["proofs"]), (&json!(2), &json!(3)), "{ended}");
    let keys = archive.join("keys.txt").display().to_string();
    let own = fs::read_dir(archive.join("FR")).unwrap().map(|file| file.unwrap().path());
    let proofs: Vec<_> = own.filter(|path| path.extension().is_some_and(|ending| ending == "proof")).collect();
    assert_eq!(proofs.len(), 3, "{proofs:?}");
    for proof in &proofs {
        assert!(proof.file_name().unwrap().to_str().unwrap().starts_with(REALM));
        let told = entraide(&["verify-proof", &proof.display().to_string(), "--keys", &keys, "--json"]).json();
        assert_eq!(told["origin"], ours["origin"]);
    }
    let commitments = fs::read_to_string(archive.join("FR/commitments.txt")).unwrap();
    assert_eq!(commitments.lines().count(), 3);
    let record: Value = serde_json::from_slice(&fs::read(archive.join("exercise.json")).unwrap()).unwrap();
    assert_eq!(record["jumps"][0]["by"], "machine");
    // No private key, account or session is in it.
    let names = fs::read_dir(archive).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = names.collect();
    let expect = ["FR", "README.txt", "SHA256SUMS", "evidence", "exercise.json", "identity.txt", "keys.txt"];
    assert!(expect.iter().all(|name| names.contains(*name)) && names.len() == expect.len() + 1, "{names:?}");

    // The same name again is another exercise: another root key, another log.
    let again = fr.run(&[
        "realm",
        "open",
        REALM,
        "--name",
        "Blue once more",
        "--federation",
        &program::free_address(),
        "--json",
    ]);
    assert_ne!(again.json()["origin"], ours["origin"]);
}
