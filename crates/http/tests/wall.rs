//! Labels on the HTTP faces: the wall before supervising desks, exports by PAP and lists that can be called back, events
//! with mixed labels, and the ceiling.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod api_world;

use api_world::{Client, World, machine};
use axum::http::header;
use proptest::prelude::*;
use serde_json::{Value, json};

const AUDIENCE: &str = "/api/v1/statements?audience=circle";

fn indicator(number: usize, more: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{number:012x}","created":"2026-11-01T00:00:00Z","modified":"2026-11-02T00:00:00Z","name":"beacon-{number}-end"{more},"pattern":"[url:value = 'http://x{number}.example']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"}}"#
    )
}

async fn with_audience(world: &World) {
    let new = json!({"name": "circle", "kind": "named", "members": []});
    world.post(&machine(), "/api/v1/audiences", &new).await.ok();
}

/// Somebody at a desk, logged in.
async fn at_desk(world: &World, login: &str, desk: &str, roles: &[&str]) -> Client {
    let user = json!({"login": login, "name": "Anna", "desk": desk, "roles": roles});
    let access = world.post(&machine(), "/api/v1/users", &user).await.ok().json();
    world.log_in(&access).await
}

/// Asserts one object, and gives its entry.
async fn say(world: &World, how: &str, body: &str) -> String {
    let said = world.post_bytes(&machine(), &format!("{AUDIENCE}&{how}"), body.as_bytes()).await.ok().json();
    assert_eq!(said["items"][0]["fate"], "asserted", "{said}");
    said["items"][0]["entry"].as_str().unwrap().to_owned()
}

/// What every face of the node answers to somebody, as one text; and the faces on which one statement is "not found".
async fn faces(world: &World, client: &Client, entry: &str, id: &str) -> (String, Vec<String>) {
    let mut text = String::new();
    for path in [
        "/api/v1/objects?limit=1000",
        "/api/v1/objects?q=beacon",
        "/api/v1/log?limit=1000",
        "/api/v1/intake?limit=1000",
        "/api/v1/exports?for=read&format=csv&limit=1000",
        "/api/v1/exports?for=detect&format=stix&limit=1000",
        "/api/v1/exports?for=block&format=csv&limit=1000",
        "/api/v1/exports/lists/proxy?limit=1000",
        "/api/v1/status",
        "/api/v1/audiences",
        "/metrics",
        "/",
        "/objects",
        "/log",
    ] {
        let answer = world.get(client, path).await;
        text.push_str(&String::from_utf8_lossy(&answer.bytes));
    }
    let mut closed = Vec::new();
    for path in [
        format!("/api/v1/objects/{entry}"),
        format!("/api/v1/objects/{id}"),
        format!("/api/v1/objects/{entry}/content"),
        format!("/api/v1/objects/{entry}/who-sees"),
        format!("/api/v1/objects/{id}/who-sees"),
        format!("/api/v1/proofs/{entry}"),
        format!("/api/v1/proofs/{entry}?sealed=true"),
        format!("/api/v1/statements/{entry}/ledger"),
        format!("/objects/{entry}"),
        format!("/proofs/{entry}"),
        format!("/proofs/{entry}/file"),
    ] {
        let answer = world.get(client, &path).await;
        if answer.status.as_u16() == 404 {
            closed.push(path);
        } else {
            assert_eq!(answer.status.as_u16(), 200, "{path}");
            text.push_str(&String::from_utf8_lossy(&answer.bytes));
        }
    }
    (text, closed)
}

#[tokio::test]
async fn what_was_told_in_confidence_is_on_no_face_of_a_supervising_desk_until_it_is_disclosed() {
    let world = World::new();
    with_audience(&world).await;
    world.put(&machine(), "/api/v1/exports/lists/proxy", &json!({"for": "detect"})).await.ok();
    let supervisor = at_desk(&world, "sara", "competent-authority", &["duty-officer", "analyst"]).await;
    let csirt = at_desk(&world, "carl", "csirt", &["duty-officer", "analyst"]).await;
    let before = world.get(&supervisor, "/api/v1/status").await.ok().json();
    let entry = say(&world, "label=green&pap=clear&kind=voluntary", &indicator(1, "")).await;
    let plain = say(&world, "label=green&pap=clear", &indicator(2, "")).await;
    let id = "indicator--00000000-0000-4000-8000-000000000001";
    let (seen, closed) = faces(&world, &supervisor, &entry, id).await;
    assert!(!seen.contains("beacon-1-end") && !seen.contains("x1.example") && !seen.contains(id), "{seen}");
    assert!(seen.contains("beacon-2-end"), "what was not told in confidence is there");
    assert_eq!(closed.len(), 11, "{closed:?}");
    let after = world.get(&supervisor, "/api/v1/status").await.ok().json();
    assert_eq!(after["objects"].as_u64().unwrap(), before["objects"].as_u64().unwrap() + 1, "counts do not tell");
    let page = String::from_utf8(world.get(&supervisor, "/objects").await.ok().bytes).unwrap();
    assert!(page.contains("what was told voluntarily is not shown"), "{page}");
    // Nor can it be taken back, asked for or let through from there.
    let reason = json!({"action": "stop-sharing", "reason": "x"});
    world.post(&supervisor, &format!("/api/v1/statements/{entry}/withdraw"), &reason).await.refused(404);
    let act = json!({"to_desk": "competent-authority", "article": "NIS2 Art 32(4)", "reason": "the entity asked"});
    let path = format!("/api/v1/statements/{entry}/disclose");
    world.post(&supervisor, &path, &act).await.refused(403);
    // The CSIRT sees it, and may disclose it, with its article, in a person's name.
    let (seen, closed) = faces(&world, &csirt, &entry, id).await;
    assert!(seen.contains("beacon-1-end") && closed.is_empty(), "{closed:?}");
    world.post(&machine(), &path, &act).await.refused(422);
    for (change, status) in [
        (json!({"to_desk": "hub", "article": "x", "reason": "y"}), 422),
        (json!({"to_desk": "competent-authority", "article": " ", "reason": "y"}), 422),
        (json!({"to_desk": "competent-authority", "article": "x", "reason": ""}), 422),
    ] {
        world.post(&csirt, &path, &change).await.refused(status);
    }
    world.post(&csirt, &format!("/api/v1/statements/{plain}/disclose"), &act).await.refused(409);
    world.post(&csirt, "/api/v1/statements/FR:99/disclose", &act).await.refused(404);
    assert_eq!(faces(&world, &supervisor, &entry, id).await.1.len(), 11, "what was refused has opened nothing");
    world.post(&csirt, &path, &act).await.ok();
    let told = world.get(&supervisor, &format!("/api/v1/objects/{entry}")).await.ok().json();
    assert_eq!(told["disclosed"][0]["article"], "NIS2 Art 32(4)");
    assert_eq!(told["disclosed"][0]["by"], "carl");
    let page = String::from_utf8(world.get(&csirt, &format!("/objects/{entry}")).await.ok().bytes).unwrap();
    assert!(page.contains("Disclosed to") && page.contains("NIS2 Art 32(4)"), "{page}");
    // The machine's own socket names who decides; the same act twice is one.
    let by_machine = json!({"to_desk": "competent-authority", "article": "NIS2 Art 32(4)", "reason": "again",
        "person": "carl"});
    world.post(&machine(), &path, &by_machine).await.ok();
    let told = world.get(&csirt, &format!("/api/v1/objects/{entry}")).await.ok().json();
    assert_eq!(told["disclosed"].as_array().unwrap().len(), 1);
    // Taking it back does not tell either: the withdrawal stands behind the same wall.
    let other = say(&world, "label=green&kind=evidence", &indicator(3, "")).await;
    let why = json!({"action": "stop-sharing", "reason": "mill-wheel was wrong"});
    world.post(&csirt, &format!("/api/v1/statements/{other}/withdraw"), &why).await.ok();
    let log = world.get(&supervisor, "/api/v1/objects?lane=workflow").await.ok().json();
    assert!(!log.to_string().contains("x-entraide-withdrawal"), "{log}");
}

#[tokio::test]
async fn what_was_told_in_confidence_stays_so_in_intake_and_when_it_is_said_again() {
    let world = World::new();
    with_audience(&world).await;
    let supervisor = at_desk(&world, "sara", "competent-authority", &["duty-officer", "analyst"]).await;
    let path = "/api/v1/intake?source=call&kind=help";
    let taken = world.post_bytes(&machine(), path, indicator(1, "").as_bytes()).await.ok().json();
    let number = taken["items"][0]["intake"].as_i64().unwrap();
    let listed = |client: Client| {
        let world = &world;
        async move { world.get(&client, "/api/v1/intake").await.ok().json()["items"].as_array().unwrap().len() }
    };
    assert_eq!((listed(machine()).await, listed(supervisor.clone()).await), (1, 0));
    let counts = world.get(&supervisor, "/api/v1/status").await.ok().json();
    assert_eq!(counts["intake"]["new"], 0);
    let from = |kind: Option<&str>| json!({"intake": [number], "label": "amber", "audience": "circle", "kind": kind});
    let fate = |answer: &Value| answer["items"][0]["fate"].as_str().unwrap().to_owned();
    let path = "/api/v1/statements/from-intake";
    let other = world.post(&supervisor, path, &from(Some("help"))).await.ok().json();
    assert!(other["items"][0]["reason"].as_str().unwrap().contains("there is nothing at"), "{other}");
    let open = world.post(&machine(), path, &from(None)).await.ok().json();
    assert!(open["items"][0]["reason"].as_str().unwrap().contains("told in confidence"), "{open}");
    let said = world.post(&machine(), path, &from(Some("help"))).await.ok().json();
    assert_eq!(fate(&said), "asserted", "{said}");
    // Saying it again outside the wall, or something that points at it, is refused with the way out.
    let again = world.post_bytes(&machine(), &format!("{AUDIENCE}&label=amber"), indicator(1, "").as_bytes()).await;
    let again = again.ok().json();
    assert!(again["items"][0]["reason"].as_str().unwrap().contains("assert it as `help` again"), "{again}");
    let note = r#"{"type":"note","spec_version":"2.1","id":"note--00000000-0000-4000-8000-000000000001",
        "created":"2026-11-01T00:00:00Z","modified":"2026-11-02T00:00:00Z","content":"x",
        "object_refs":["indicator--00000000-0000-4000-8000-000000000001"]}"#;
    let refers = world.post_bytes(&machine(), &format!("{AUDIENCE}&label=amber"), note.as_bytes()).await.ok().json();
    assert!(refers["items"][0]["reason"].as_str().unwrap().contains("stands behind the wall"), "{refers}");
    let kept = world.get(&supervisor, "/api/v1/intake").await.ok().json();
    assert_eq!(kept["items"], json!([]), "what was refused for the wall's sake stands behind it too");
    say(&world, "label=amber&kind=help", note).await;
    world.post_bytes(&machine(), &format!("{AUDIENCE}&label=amber&kind=secret"), b"{}").await.refused(400);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// The second policy's answer for a supervising desk and for the CSIRT, on every face at once.
    #[test]
    fn on_every_face_a_desk_sees_exactly_what_the_second_policy_admits(
        sayings in proptest::collection::vec((0..5_u8, 0..4_usize, any::<bool>()), 1..6),
        supervises: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let world = World::new();
            with_audience(&world).await;
            world.put(&machine(), "/api/v1/exports/lists/proxy", &json!({"for": "detect"})).await.ok();
            let desk = if supervises { "competent-authority" } else { "csirt" };
            let asking = at_desk(&world, "xena", desk, &["duty-officer", "analyst"]).await;
            at_desk(&world, "carl", "csirt", &["duty-officer"]).await;
            for (number, (kind, tlp, disclosed)) in sayings.into_iter().enumerate() {
                let walled = model::Walled::from_code(kind).unwrap();
                let label = model::Tlp::ALL[tlp];
                let word = label.word().to_ascii_lowercase().replace('+', "%2B");
                let kind = walled.map(|walled| format!("&kind={walled}")).unwrap_or_default();
                let entry = say(&world, &format!("label={word}&pap=clear{kind}"), &indicator(number, "")).await;
                let disclosed = disclosed && walled.is_some();
                if disclosed {
                    let act = json!({"to_desk": "competent-authority", "article": "x", "reason": "y", "person": "carl"});
                    world.post(&machine(), &format!("/api/v1/statements/{entry}/disclose"), &act).await.ok();
                }
                let here = &world.node.me().origin;
                let kind = policy::Kind::of_envelope(model::Lane::Intelligence, walled);
                let mut facts = policy::Facts::of_intake(here, kind, Some(label.into()));
                if disclosed {
                    let article = "x".parse().unwrap();
                    facts.disclosed_to =
                        vec![policy::WallException { desk: model::Desk::CompetentAuthority, article }];
                }
                let viewer = policy::Viewer::Person {
                    authority: here.clone(),
                    desk: desk.parse().unwrap(),
                    roles: policy::Roles::new([model::Role::DutyOfficer, model::Role::Analyst]),
                };
                let admitted = policy::oracle::may(&facts, &viewer, policy::Purpose::Read);
                let id = format!("indicator--00000000-0000-4000-8000-{number:012x}");
                let (seen, closed) = faces(&world, &asking, &entry, &id).await;
                assert_eq!(seen.contains(&format!("beacon-{number}-end")), admitted, "{entry} {label} {walled:?}");
                assert_eq!(closed.len(), if admitted { 0 } else { 11 }, "{closed:?}");
            }
        });
    }
}

#[tokio::test]
async fn an_export_holds_what_its_purpose_allows_and_a_list_is_called_back_by_its_next_pull() {
    let world = World::new();
    with_audience(&world).await;
    let entries = [
        say(&world, "label=green&pap=green", &indicator(0, "")).await,
        say(&world, "label=green&pap=amber", &indicator(1, "")).await,
        say(&world, "label=green", &indicator(2, "")).await,
        say(&world, "label=green&pap=red", &indicator(3, "")).await,
        say(&world, "label=amber&pap=clear", &indicator(4, "")).await,
    ];
    let anna = world.log_in(&world.user("anna", "analyst").await).await;
    let exported = |path: String| {
        let (world, anna) = (&world, &anna);
        async move {
            let text = String::from_utf8(world.get(anna, &format!("/api/v1/exports{path}")).await.ok().bytes).unwrap();
            (0..5_usize).filter(|number| text.contains(&format!("http://x{number}.example"))).collect::<Vec<_>>()
        }
    };
    assert_eq!(exported("?for=block&format=csv".into()).await, [0, 4]);
    assert_eq!(exported("?for=detect&format=csv".into()).await, [0, 1, 4]);
    assert_eq!(exported("?for=read&format=stix".into()).await, [0, 1, 2, 4]);
    assert_eq!(exported("?for=detect&format=stix&label=green".into()).await, [0, 1]);
    assert_eq!(exported("?for=detect&format=misp".into()).await, [0_usize; 0]);
    for wrong in ["", "?for=enforce", "?for=read&format=xml", "?for=read&label=pink", "?for=read&after=x"] {
        world.get(&anna, &format!("/api/v1/exports{wrong}")).await.refused(400);
    }
    // By pages of two, each with its place.
    let mut after = None;
    let mut found = 0;
    loop {
        let place = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let page = world.get(&anna, &format!("/api/v1/exports?for=read&format=csv&limit=2{place}")).await.ok();
        found += String::from_utf8(page.bytes).unwrap().matches("beacon-").count();
        after = page.headers.get("entraide-next").map(|next| next.to_str().unwrap().to_owned());
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, 4);
    // A list is made for a purpose, and says when it is made for another.
    let put = async |purpose: &str| world.put(&anna, "/api/v1/exports/lists/proxy", &json!({ "for": purpose })).await;
    assert_eq!(put("detect").await.ok().json()["version"], 1);
    assert_eq!(put("detect").await.ok().json()["version"], 1);
    world.put(&anna, "/api/v1/exports/lists/No%20name", &json!({"for": "detect"})).await.refused(422);
    world.get(&anna, "/api/v1/exports/lists/none").await.refused(404);
    for _ in 0..3 {
        assert_eq!(exported("/lists/proxy".into()).await, [0, 1, 4]);
    }
    let pulled = world.get(&anna, "/api/v1/exports/lists/proxy").await.ok();
    assert_eq!(pulled.headers["entraide-list-version"], "1");
    assert!(pulled.headers.contains_key(header::ETAG));
    let ledger = world.get(&machine(), &format!("/api/v1/statements/{}/ledger", entries[1])).await.ok().json();
    let rows = ledger["items"].as_array().unwrap();
    let lists: Vec<_> = rows.iter().filter(|row| row["face"] == "list").collect();
    assert_eq!(lists.len(), 1, "a list holds a statement once, however often it is pulled: {ledger}");
    assert_eq!((&lists[0]["recallable"], &lists[0]["who"]), (&json!(true), &json!("anna, list proxy")));
    let files: Vec<_> = rows.iter().filter(|row| row["face"] == "export").collect();
    assert!(!files.is_empty() && files.iter().all(|row| row["recallable"] == false), "{ledger}");
    let why = json!({"action": "stop-sharing", "reason": "a false alarm"});
    world.post(&machine(), &format!("/api/v1/statements/{}/withdraw", entries[1]), &why).await.ok();
    assert_eq!(exported("/lists/proxy".into()).await, [0, 4], "the next pull no longer holds it");
    assert_eq!(put("block").await.ok().json()["version"], 2);
    assert_eq!(exported("/lists/proxy".into()).await, [0, 4]);
    // A newer version that is not for blocking takes the older one's place, and leaves the list.
    let newer = indicator(0, "").replace("2026-11-02", "2026-11-03");
    say(&world, "label=green&pap=red", &newer).await;
    assert_eq!(exported("/lists/proxy".into()).await, [4]);
    let revoked = indicator(4, r#","revoked":true"#).replace("2026-11-02", "2026-11-03");
    say(&world, "label=amber&pap=clear", &revoked).await;
    assert_eq!(exported("/lists/proxy".into()).await, [0_usize; 0]);
}

#[tokio::test]
async fn an_event_with_mixed_labels_is_said_in_parts_and_put_together_for_whoever_holds_them() {
    let world = World::new();
    with_audience(&world).await;
    let event = r#"{"Event":{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219","timestamp":"1539269641","info":"lynx",
        "date":"2018-10-11","Tag":[{"name":"tlp:green"}],"Attribute":[
        {"uuid":"1","type":"domain","category":"x","value":"green.example","to_ids":true},
        {"uuid":"2","type":"domain","category":"x","value":"amber.example","Tag":[{"name":"tlp:amber"}]},
        {"uuid":"3","type":"domain","category":"x","value":"red.example","Tag":[{"name":"tlp:red"}]}]}}"#;
    let path = format!("{AUDIENCE}&label=green");
    let said = world.post_bytes(&machine(), &path, event.as_bytes()).await.ok().json();
    let parts = said["items"][0]["parts"].as_array().unwrap();
    let labels: Vec<_> = parts.iter().map(|part| part["tlp"].as_str().unwrap()).collect();
    assert_eq!((said["items"][0]["fate"].as_str(), labels), (Some("asserted"), vec!["green", "amber", "red"]));
    let entry = |at: usize| parts[at]["entry"].as_str().unwrap();
    assert_eq!(world.get(&machine(), "/api/v1/intake").await.ok().json()["items"], json!([]));
    let shown = world.get(&machine(), &format!("/api/v1/objects/{}", entry(0))).await.ok().json();
    let body = shown["body"].to_string();
    assert!(body.contains("green.example") && !body.contains("amber.example") && !body.contains("red.example"));
    let joined = shown["joined"].to_string();
    assert!(joined.contains("green.example") && joined.contains("amber.example") && !joined.contains("red.example"));
    assert_eq!(shown["parts"].as_array().unwrap().len(), 1, "RED is not among them");
    world.get(&machine(), &format!("/api/v1/objects/{}", entry(2))).await.refused(404);
    // Whoever reads the whole has read each part.
    let ledger = world.get(&machine(), &format!("/api/v1/statements/{}/ledger", entry(1))).await.ok().json();
    assert_eq!(ledger["items"].as_array().unwrap().len(), 1);
    let page = String::from_utf8(world.get(&machine(), &format!("/objects/{}", entry(0))).await.ok().bytes).unwrap();
    assert!(page.contains("The event as a whole") && !page.contains("red.example"), "{page}");
    // The same again is said already, part by part.
    let again = world.post_bytes(&machine(), &path, event.as_bytes()).await.ok().json();
    assert_eq!((&again["items"][0]["fate"], &again["items"][0]["entry"]), (&json!("already"), &json!(entry(0))));
    // Below the event's own label, and an audience that a part can't have: nothing of it is said.
    let clear = world.post_bytes(&machine(), &format!("{AUDIENCE}&label=clear"), event.as_bytes()).await.ok().json();
    assert_eq!(clear["items"][0]["fate"], "refused");
    let new = json!({"name": "all", "kind": "community", "members": []});
    world.post(&machine(), "/api/v1/audiences", &new).await.ok();
    world.put(&machine(), "/api/v1/audiences/all/tick", &json!({"ticked": true})).await.ok();
    let before = world.get(&machine(), "/api/v1/status").await.ok().json()["log"]["size"].clone();
    let other = event.replace("5bad1b96", "6bad1b96");
    let told = world.post_bytes(&machine(), "/api/v1/statements?label=green", other.as_bytes()).await.ok().json();
    assert!(told["items"][0]["reason"].as_str().unwrap().contains("a part of it is TLP:AMBER"), "{told}");
    assert_eq!(world.get(&machine(), "/api/v1/status").await.ok().json()["log"]["size"], before);
}

#[tokio::test]
async fn a_raised_ceiling_is_on_every_page_and_takes_its_level_and_no_higher() {
    let marked = |line: &str| indicator(1, &format!(r#","description":"Annex\n{line}\n""#));
    let take = async |world: &World, line: &str| {
        let taken = world.post_bytes(&machine(), "/api/v1/intake", marked(line).as_bytes()).await.ok().json();
        taken["items"][0]["fate"].as_str().unwrap().to_owned()
    };
    let world = World::new();
    assert_eq!(take(&world, "VS-NfD").await, "refused");
    let raised = World::with_ceiling(intake::Classification::Restricted);
    assert_eq!(take(&raised, "CONFIDENTIEL UE/EU CONFIDENTIAL").await, "refused");
    assert_eq!(take(&raised, "RESTREINT UE/EU RESTRICTED").await, "new");
    assert_eq!(raised.get(&machine(), "/api/v1/status").await.ok().json()["ceiling"], "eu-restricted");
    for page in ["/", "/objects", "/partners", "/audiences", "/log", "/login"] {
        let text = String::from_utf8(raised.get(&machine(), page).await.bytes).unwrap();
        if !text.is_empty() {
            assert!(text.contains("Up to RESTREINT UE/EU RESTRICTED"), "{page}: {text}");
        }
    }
}
