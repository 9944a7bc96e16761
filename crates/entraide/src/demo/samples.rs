//! What France says: the real files of `ENTRAIDE_DATA` if it is set, else the project's own samples.

use std::path::{Path, PathBuf};

use intake::{Limits, split};
use model::MediaType;
use node::assert::RawObject;

use super::DemoError;

/// The project's own samples; invented.
const BUNDLE: &[u8] = include_bytes!("../../../../examples/small-bundle.json");
const EVENT: &[u8] = include_bytes!("../../../../examples/misp-event.json");

/// Three lots, said at three labels to three audiences.
pub(super) struct Samples {
    /// Where they are from, for the screen.
    pub(super) source: String,
    /// Said to everybody.
    pub(super) open: Vec<RawObject>,
    /// Said to some.
    pub(super) amber: Vec<RawObject>,
    /// Said to a few.
    pub(super) strict: Vec<RawObject>,
}

pub(super) fn load() -> Result<Samples, DemoError> {
    match std::env::var_os("ENTRAIDE_DATA").map(PathBuf::from).filter(|dir| dir.is_dir()) {
        None => Ok(Samples {
            source: "the project's own samples (set ENTRAIDE_DATA for real files)".to_owned(),
            open: objects(BUNDLE)?,
            amber: objects(EVENT)?,
            strict: Vec::new(),
        }),
        Some(dir) => Ok(Samples {
            source: "ATT&CK for ICS and mobile in STIX 2.1, and real MISP events".to_owned(),
            open: objects(&read(&dir.join("attack/ics-attack-18.json"))?)?,
            amber: misp_events(&dir.join("misp"))?,
            strict: objects(&read(&dir.join("attack/mobile-attack-17.1.json"))?)?,
        }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DemoError> {
    std::fs::read(path).map_err(|error| DemoError::at("reading the files")(&format!("{}: {error}", path.display())))
}

fn misp_events(dir: &Path) -> Result<Vec<RawObject>, DemoError> {
    let at = DemoError::at("reading the files");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| at(&error))? {
        paths.push(entry.map_err(|error| at(&error))?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    let mut events = Vec::new();
    for path in paths {
        events.extend(objects(&read(&path)?)?);
    }
    Ok(events)
}

fn objects(file: &[u8]) -> Result<Vec<RawObject>, DemoError> {
    let parts = split(file, Limits::default()).map_err(|error| DemoError::at("reading the files")(&error))?;
    let mut objects = Vec::with_capacity(parts.items.len());
    for item in parts.items {
        if let Ok(head) = &item.head {
            let media: MediaType = head.media;
            objects.push(RawObject { media, bytes: item.span.to_vec() });
        }
    }
    Ok(objects)
}
