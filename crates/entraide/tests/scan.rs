//! Detection as people use it: what a node may use for it, looked for in logs of every form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::fs;
use std::io::Write as _;

use serde_json::Value;

mod program;
use program::{Node, write};

fn indicators(patterns: &[&str]) -> String {
    let objects = patterns.iter().enumerate().map(|(at, pattern)| {
        serde_json::json!({
            "type": "indicator", "spec_version": "2.1", "id": format!("indicator--8e2e2d2b-17d4-4cbf-938f-0000000000{at:02}"),
            "created": "2026-11-24T03:00:00.000Z", "modified": "2026-11-24T03:00:00.000Z", "name": format!("campaign {at}"),
            "pattern": pattern, "pattern_type": "stix", "valid_from": "2026-11-24T03:00:00Z",
        })
    });
    serde_json::json!({
        "type": "bundle", "id": "bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "objects": objects.collect::<Vec<_>>(),
    })
    .to_string()
}

const LOG: &str = concat!(
    "Nov 24 13:54:02 gw1 named[1]: client query: www.Evil.example IN A\n",
    "Nov 24 13:54:03 fw: src=10.9.8.7 dst=203.0.113.77 url=\"hxxp://good[.]example/\"\n",
    "Nov 24 13:54:04 mail: from=<x@evil\\u002eexample>\n",
);

#[test]
fn what_may_be_used_for_detection_is_found_in_logs_of_every_form() {
    let node = Node::new("FR");
    node.run(&["audience", "create", "friends"]).good();
    let bundle = indicators(&["[domain-name:value = 'evil.example']", "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"]);
    let file = write(node.dir.path(), "bundle.json", bundle);
    let args = ["import", file.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"];
    node.run(&[&args[..], &["--pap", "amber"]].concat()).good();
    let secret = write(
        node.dir.path(),
        "two.json",
        indicators(&["[domain-name:value = 'good.example']"]).replace("00000000000", "00000000009"),
    );
    let args = ["import", secret.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"];
    node.run(&[&args[..], &["--pap", "red"]].concat()).good();

    let plain = write(node.dir.path(), "log.txt", LOG);
    let mut packed = flate2::write::GzEncoder::new(
        fs::File::create(node.dir.path().join("log.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    packed.write_all(LOG.as_bytes()).unwrap();
    packed.finish().unwrap();
    fs::write(node.dir.path().join("log.zst"), zstd::encode_all(LOG.as_bytes(), 1).unwrap()).unwrap();
    let told = node.run(&["scan", plain.to_str().unwrap()]).good();
    let expect = [
        ":1: domain evil.example as `www.Evil.example`, FR:1 TLP:AMBER campaign 0",
        ":2: ipv4-network 203.0.113.0/24 as `203.0.113.77` in dst, FR:2 TLP:AMBER campaign 1",
        ":3: domain evil.example as `",
    ];
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), expect.len(), "{told}");
    for (line, expect) in lines.iter().zip(expect) {
        assert!(line.contains(expect), "{line} without {expect}");
    }
    for name in ["log.gz", "log.zst"] {
        let packed = node.run(&["scan", node.dir.path().join(name).to_str().unwrap()]).good();
        assert_eq!(packed.replace(name, "log.txt"), told);
    }
    let json = node.run(&["--json", "scan", plain.to_str().unwrap()]).good();
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&first["line"], &first["entry"], &first["how"]), (&1.into(), &"FR:1".into(), &"below".into()));
    node.run(&["scan", "no-such-file"]).refused(1, "`no-such-file` can't be read");
    node.run(&["scan", "--list", "none", plain.to_str().unwrap()]).refused(1, "not there, or not for you");
}

#[test]
fn without_anything_to_look_for_a_scan_says_so() {
    let node = Node::new("FR");
    let plain = write(node.dir.path(), "log.txt", LOG);
    node.run(&["scan", plain.to_str().unwrap()]).refused(1, "there is no value to look for");
}
