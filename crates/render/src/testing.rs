//! What the tests of this room share: released bodies made through the real gate, and random objects.

use model::{Label, MediaType, Origin, Realm, Role, Tlp};
use policy::{Facts, Governed, Kind, PolicyVersion, Purpose, Reader, ReaderId, Released, Roles, Viewer};
use proptest::prelude::*;
use serde_json::Value;

use crate::Rendered;

struct Said(Rendered);

impl Governed for Said {
    fn facts(&self) -> Facts {
        let named_readers = vec![Reader::Person(ReaderId(1))];
        Facts { named_readers, ..Facts::of_intake(&here(), Kind::Intelligence, Some(self.0.label)) }
    }
}

fn here() -> Origin {
    "entraide/FR/REAL/0123456789abcdef".parse().unwrap()
}

/// Bodies of France, released to an analyst who is named for RED.
pub fn released_all(bodies: Vec<(Tlp, MediaType, String)>) -> Released<Vec<Rendered>> {
    released_in(&Realm::Real, bodies)
}

/// The same, said in a realm. The gate does not look at it here: what counts is what is added to the bytes.
pub fn released_in(realm: &Realm, bodies: Vec<(Tlp, MediaType, String)>) -> Released<Vec<Rendered>> {
    let viewer = Viewer::NamedPerson {
        reader: ReaderId(1),
        authority: here(),
        desk: model::Desk::Csirt,
        roles: Roles::new([Role::Analyst]),
    };
    let count = bodies.len();
    let said = bodies.into_iter().map(|(tlp, media, body)| {
        Said(Rendered { label: Label::from(tlp), media, realm: realm.clone(), body: body.into_bytes() })
    });
    let released = policy::release_all(said, &viewer, Purpose::Read, &PolicyVersion::CURRENT);
    assert_eq!(released.as_ref().len(), count);
    released.map(|said| said.into_iter().map(|said| said.0).collect())
}

/// One body.
pub fn released(tlp: Tlp, media: MediaType, body: &str) -> Released<Rendered> {
    released_all(vec![(tlp, media, body.to_owned())]).map(|mut bodies| bodies.remove(0))
}

/// A random JSON object, with brackets, quotes and escapes in its strings, and the names that matter further down.
pub fn object() -> impl Strategy<Value = Value> {
    let text = "[a-c\\]\\[{}\",:\\\\é \n]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let name = prop_oneof![
        4 => text.prop_map(String::from),
        1 => Just("object_marking_refs".to_owned()),
        1 => Just("Tag".to_owned()),
    ];
    let value = leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("[a-c{}\"]{0,3}|type", value, 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// A marking-definition id: of TLP 2.0, TLP 1, or something else.
pub fn marking() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        Tlp::Clear.marking_id().to_owned(),
        Tlp::Green.marking_id().to_owned(),
        Tlp::Amber.marking_id().to_owned(),
        "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da".to_owned(),
        "marking-definition--fa42a846-8d90-4e51-bc29-71d5b4802168".to_owned(),
    ])
}

/// Writes an object densely, or over several lines with blanks around it.
pub fn write(value: &Value, pretty: bool) -> String {
    if pretty { format!("\n {:#} \n", value) } else { value.to_string() }
}

/// Is `longer` the same bytes as `shorter` with one insertion? Then nothing else was written anew.
pub fn is_one_insertion(shorter: &str, longer: &str) -> Result<(), TestCaseError> {
    let (shorter, longer) = (shorter.as_bytes(), longer.as_bytes());
    let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let before = shorter.iter().zip(longer).take_while(same).count();
    let after = shorter.iter().rev().zip(longer.iter().rev()).take_while(same).count();
    prop_assert!(before + after >= shorter.len() && longer.len() > shorter.len());
    Ok(())
}
