//! The head of a MISP event (the value of `Event`), read in the same pass that checks its JSON.
//!
//! The shapes are those of the MISP core format (draft-dulaunoy-misp-core-format). Labels are looked for wherever MISP
//! puts them: a label that is overlooked is a leak.

use crate::envelope::MediaType;
use crate::ids::{self, StixId};
use crate::json::{self, Reader, Scalar};
use crate::label::{Pap, Tlp};
use crate::object::{Head, StixVersion};
use crate::stix;
use crate::time::Timestamp;

pub use crate::stix::HeadError;

/// Reads the head of one MISP event and checks its JSON by every rule of [`json`].
///
/// `version` is the event's `timestamp`, `created_by` the identity with the UUID of `Orgc`, `title` its `info`.
/// `mixed` says that a tag on an attribute, a proposal or a report gives another TLP label than the event's own.
///
/// # Errors
/// Bad JSON, or a `uuid` or `timestamp` that is missing or malformed.
pub fn head(bytes: &[u8]) -> Result<Head, HeadError> {
    read(bytes)?.finish()
}

/// The event's `distribution` (0 own organisation only … 4 sharing group, 5 inherited).
/// `None` if it says none, or if the bytes are not an event.
#[must_use]
pub fn distribution(bytes: &[u8]) -> Option<u8> {
    read(bytes).ok()?.distribution
}

/// The strictest label of the event itself, its pieces not counted; `None` without any.
///
/// # Errors
/// Bad JSON.
pub fn own_label(bytes: &[u8]) -> Result<Option<Tlp>, HeadError> {
    Ok(read(bytes)?.own_tlp)
}

/// A piece of an event: what can stand in one part of it and not in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Piece {
    /// An element of `Attribute`, `ShadowAttribute` or `EventReport`.
    Attribute,
    /// An element of `Object`, which has attributes of its own and stays whole.
    Object,
}

/// The strictest label on one piece of an event, or on a part of that piece; `None` without any.
///
/// # Errors
/// Bad JSON.
pub fn piece_label(bytes: &[u8], piece: Piece) -> Result<Option<Tlp>, HeadError> {
    let mut misp = Misp::default();
    let at = match piece {
        Piece::Attribute => At::Parts,
        Piece::Object => At::Objects,
    };
    json::walk(bytes, at, &mut misp)?;
    Ok(misp.part_tlp.map(|(_, strictest)| strictest))
}

/// Last second of the year 9999, beyond which RFC 3339 has no way to write a time.
const LAST_SECOND: i64 = 253_402_300_799;

fn read(bytes: &[u8]) -> Result<Misp, HeadError> {
    let mut misp = Misp::default();
    json::walk(bytes, At::Top, &mut misp)?;
    Ok(misp)
}

#[derive(Default)]
struct Misp {
    uuid: Option<String>,
    timestamp: Option<Timestamp>,
    info: Option<String>,
    orgc: Option<StixId>,
    distribution: Option<u8>,
    own_tlp: Option<Tlp>,
    /// The most open and the strictest label of a part.
    part_tlp: Option<(Tlp, Tlp)>,
    pap: Option<Pap>,
}

/// Whose tag it is.
#[derive(Debug, Clone, Copy)]
enum Of {
    Event,
    Part,
}

/// Where in an event we are. Plural places are lists, or the one element itself, as older exports have it.
#[derive(Debug, Clone, Copy)]
enum At {
    Top,
    Event,
    Uuid,
    Time,
    Info,
    Distribution,
    Orgc,
    OrgcUuid,
    /// `Tag`: objects with a `name`.
    Tags(Of),
    TagName(Of),
    /// `EventTag`, `AttributeTag`: objects with a `Tag`.
    TagLinks(Of),
    /// `Attribute`, `ShadowAttribute`, `EventReport`.
    Parts,
    /// `Object`: what has `Attribute`.
    Objects,
    Skip,
}

impl At {
    fn wrong(self) -> HeadError {
        let (property, expected) = match self {
            Self::Uuid => ("uuid", "a UUID"),
            Self::Time => ("timestamp", "seconds since 1970"),
            Self::Top | Self::Event | Self::Info | Self::Distribution | Self::Orgc | Self::OrgcUuid | Self::Tags(_) => {
                ("Event", "as MISP has it")
            }
            Self::TagName(_) | Self::TagLinks(_) | Self::Parts | Self::Objects | Self::Skip => {
                ("Event", "as MISP has it")
            }
        };
        HeadError::Property { property, expected }
    }
}

impl Reader for Misp {
    type At = At;
    type Error = HeadError;

    fn object(&mut self, at: At) -> Result<At, HeadError> {
        match at {
            At::Top => Ok(At::Event),
            At::Orgc | At::Tags(_) | At::TagLinks(_) | At::Parts | At::Objects => Ok(at),
            At::Uuid | At::Time => Err(at.wrong()),
            At::Event | At::Info | At::Distribution | At::OrgcUuid | At::TagName(_) | At::Skip => Ok(At::Skip),
        }
    }

    fn array(&mut self, at: At) -> Result<At, HeadError> {
        match at {
            At::Top => Err(HeadError::NotAnObject),
            At::Tags(_) | At::TagLinks(_) | At::Parts | At::Objects => Ok(at),
            At::Uuid | At::Time => Err(at.wrong()),
            At::Event | At::Info | At::Distribution | At::Orgc | At::OrgcUuid | At::TagName(_) | At::Skip => {
                Ok(At::Skip)
            }
        }
    }

    fn key(&mut self, at: At, key: &str) -> At {
        match (at, key) {
            (At::Event, "uuid") => At::Uuid,
            (At::Event, "timestamp") => At::Time,
            (At::Event, "info") => At::Info,
            (At::Event, "distribution") => At::Distribution,
            (At::Event, "Orgc") => At::Orgc,
            (At::Event, "Tag") => At::Tags(Of::Event),
            (At::Event, "EventTag") => At::TagLinks(Of::Event),
            (At::Event | At::Objects, "Attribute") | (At::Event | At::Parts, "ShadowAttribute") => At::Parts,
            (At::Event, "EventReport") => At::Parts,
            (At::Event, "Object") => At::Objects,
            (At::Orgc, "uuid") => At::OrgcUuid,
            (At::Tags(of), "name") => At::TagName(of),
            (At::TagLinks(of), "Tag") => At::Tags(of),
            (At::Parts | At::Objects, "Tag") => At::Tags(Of::Part),
            (At::Parts, "AttributeTag" | "EventReportTag") => At::TagLinks(Of::Part),
            _ => At::Skip,
        }
    }

    fn scalar(&mut self, at: At, value: Scalar<'_>) -> Result<(), HeadError> {
        match (at, value) {
            (At::Skip, _) => {}
            (At::Top, _) => return Err(HeadError::NotAnObject),
            (At::Uuid, Scalar::Text(uuid)) if ids::is_uuid(uuid) => self.uuid = Some(uuid.to_ascii_lowercase()),
            (At::Time, _) => self.timestamp = Some(seconds(value).ok_or_else(|| at.wrong())?),
            (At::Uuid, _) => return Err(at.wrong()),
            (At::Info, Scalar::Text(info)) => self.info = stix::title(info),
            (At::Distribution, Scalar::Text(text)) => self.distribution = text.parse().ok(),
            (At::Distribution, Scalar::Integer(number)) => self.distribution = u8::try_from(number).ok(),
            // Some sources leave it empty: then nobody is named.
            (At::OrgcUuid, Scalar::Text(uuid)) => self.orgc = of_uuid("identity", uuid),
            (At::TagName(of) | At::Tags(of), Scalar::Text(name)) => self.tag(of, name),
            _ => {}
        }
        Ok(())
    }
}

impl Misp {
    fn tag(&mut self, of: Of, name: &str) {
        self.pap = self.pap.max(Pap::of_tag(name));
        let Some(tlp) = Tlp::of_tag(name) else { return };
        match of {
            Of::Event => self.own_tlp = self.own_tlp.max(Some(tlp)),
            Of::Part => {
                let (low, high) = self.part_tlp.unwrap_or((tlp, tlp));
                self.part_tlp = Some((low.min(tlp), high.max(tlp)));
            }
        }
    }

    fn finish(self) -> Result<Head, HeadError> {
        let id = self.uuid.and_then(|uuid| of_uuid("x-misp-event", &uuid));
        let time = self.timestamp.ok_or(HeadError::Missing { property: "timestamp" })?;
        let mixed = self.part_tlp.is_some_and(|(low, high)| Some(low) != self.own_tlp || Some(high) != self.own_tlp);
        Ok(Head {
            media: MediaType::MispEvent,
            id: id.ok_or(HeadError::Missing { property: "uuid" })?,
            version: StixVersion(time),
            created_by: self.orgc,
            revoked: false,
            tlp: self.own_tlp.max(self.part_tlp.map(|(_, strictest)| strictest)),
            mixed,
            pap: self.pap,
            refs: Vec::new(),
            title: self.info,
        })
    }
}

fn of_uuid(kind: &str, uuid: &str) -> Option<StixId> {
    format!("{kind}--{}", uuid.to_ascii_lowercase()).parse().ok()
}

/// Seconds since 1970, as a number or, as MISP writes them, as text.
fn seconds(value: Scalar<'_>) -> Option<Timestamp> {
    let seconds = match value {
        Scalar::Integer(seconds) => Some(seconds),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Boolean(_) | Scalar::Other => None,
    };
    seconds.filter(|seconds| (0..=LAST_SECOND).contains(seconds)).map(Timestamp::from_seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::JsonError;

    const UUID: &str = "5bad1b96-53bc-4148-87eb-50d50a016219";

    /// An event with `more` properties.
    fn event(more: &str) -> String {
        format!(r#"{{"uuid":"{UUID}","timestamp":"1539269641"{more}}}"#)
    }

    fn refuse(text: &str, expect: &HeadError) {
        assert_eq!(head(text.as_bytes()).as_ref(), Err(expect), "{text}");
    }

    #[test]
    fn a_head_says_what_the_event_says() {
        let told = head(
            br#"{"uuid":"5BAD1B96-53bc-4148-87eb-50d50a016219","timestamp":1539269641,"info":"GreyEnergy",
            "distribution":"0","date":"2018-10-11","Org":{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016210"},
            "Orgc":{"id":"2","uuid":"55F6EA5E-51ac-4344-bc8c-4170950d210f"},
            "Tag":[{"name":"tlp:green","uuid":"x"},{"name":"PAP:AMBER"},{"name":"Turla"}],
            "RelatedEvent":[{"Event":{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016211","Tag":[{"name":"tlp:red"}]}}]}"#,
        )
        .unwrap();
        assert_eq!(told.media, MediaType::MispEvent);
        assert_eq!(told.id.to_string(), format!("x-misp-event--{UUID}"));
        assert_eq!(told.version.0, Timestamp::from_seconds(1_539_269_641));
        assert_eq!(told.created_by.unwrap().to_string(), "identity--55f6ea5e-51ac-4344-bc8c-4170950d210f");
        assert_eq!((told.tlp, told.pap, told.mixed), (Some(Tlp::Green), Some(Pap::Amber), false));
        assert_eq!(told.title.as_deref(), Some("GreyEnergy"));
    }

    #[test]
    fn labels_of_parts_are_found_wherever_misp_puts_them() {
        let check = |more: &str, tlp: Option<Tlp>, mixed: bool| {
            let told = head(event(more).as_bytes()).unwrap();
            assert_eq!((told.tlp, told.mixed), (tlp, mixed), "{more}");
        };
        let green = r#","Tag":[{"name":"tlp:green"}]"#;
        let red = r#"{"Tag":[{"name":"TLP:RED"}]}"#;
        check("", None, false);
        check(green, Some(Tlp::Green), false);
        check(r#","Tag":{"name":"tlp:green"}"#, Some(Tlp::Green), false);
        check(r#","EventTag":[{"Tag":{"name":"tlp:amber+strict"}}]"#, Some(Tlp::AmberStrict), false);
        check(&format!(r#"{green},"Attribute":[{{"Tag":[{{"name":"tlp:green"}}]}}]"#), Some(Tlp::Green), false);
        check(&format!(r#"{green},"Attribute":[{{"Tag":[{{"name":"tlp:white"}}]}}]"#), Some(Tlp::Green), true);
        check(&format!(r#","Attribute":[{red}]"#), Some(Tlp::Red), true);
        check(&format!(r#","Attribute":[{{"ShadowAttribute":[{red}]}}]{green}"#), Some(Tlp::Red), true);
        check(&format!(r#"{green},"Object":[{{"Attribute":[{{}},{red}]}}]"#), Some(Tlp::Red), true);
        check(&format!(r#"{green},"EventReport":[{red}]"#), Some(Tlp::Red), true);
        check(r#","Attribute":[{"AttributeTag":[{"Tag":{"name":"tlp:amber"}}]}]"#, Some(Tlp::Amber), true);
        check(r#","Attribute":[{"value":{"Tag":[{"name":"tlp:red"}]}}]"#, None, false);
    }

    #[test]
    fn times_and_distributions_are_text_or_numbers() {
        let version = |time: &str| {
            head(format!(r#"{{"uuid":"{UUID}","timestamp":{time}}}"#).as_bytes()).map(|head| head.version.0.micros())
        };
        assert_eq!(version("\"12\""), Ok(12_000_000));
        assert_eq!(version("12"), Ok(12_000_000));
        for wrong in ["-1", "\"2018-10-11\"", "null", "[1]", "{}", "253402300800", "1.5"] {
            assert_eq!(version(wrong), Err(At::Time.wrong()), "{wrong}");
        }
        let check = |more: &str, expect| assert_eq!(distribution(event(more).as_bytes()), expect, "{more}");
        check(r#","distribution":"0""#, Some(0));
        check(r#","distribution":5"#, Some(5));
        check(r#","distribution":-1"#, None);
        check("", None);
        assert_eq!(distribution(b"no event"), None);
    }

    #[test]
    fn what_is_no_event_is_refused_by_name() {
        refuse("[]", &HeadError::NotAnObject);
        refuse("\"a\"", &HeadError::NotAnObject);
        refuse(r#"{"uuid":"1","timestamp":1}"#, &At::Uuid.wrong());
        refuse(r#"{"uuid":7,"timestamp":1}"#, &At::Uuid.wrong());
        refuse(r#"{"timestamp":1}"#, &HeadError::Missing { property: "uuid" });
        refuse(&format!(r#"{{"uuid":"{UUID}"}}"#), &HeadError::Missing { property: "timestamp" });
        refuse(&event(r#","timestamp":1"#), &JsonError::DuplicateKey { key: "timestamp".to_owned() }.into());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn damaged_events_never_panic(at in 0..300_usize, byte: u8, cut in 0..300_usize) {
            let mut bytes = event(
                r#","info":"é","Orgc":{"uuid":""},"Tag":[{"name":"tlp:green"}],
                "Attribute":[{"Tag":[{"name":"pap:red"}]}]"#,
            ).into_bytes();
            let _ = head(&bytes[..cut.min(bytes.len())]);
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(told) = head(&bytes) {
                prop_assert_eq!(told.id.type_name(), "x-misp-event");
            }
        }
    }
}
