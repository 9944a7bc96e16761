//! The files beside the database: is each of them, byte for byte, what this program wrote? Most are checked whenever they are
//! read; here all are looked at, also what nobody would read today.

use std::path::Path;

use journal::identity::SignedIdentity;
use journal::note;

use crate::keys::{self, KeysError, Kind, Layout, note_key, read_key, read_small};
use crate::realm::Record;
use crate::rotate;
use crate::signer::{self, signer_socket};

/// What is not what was written, a line each that names the file; empty is good.
#[must_use]
pub fn faults(layout: &Layout) -> Vec<String> {
    let mut faults = Vec::new();
    let mut add = |fault: Result<(), String>| faults.extend(fault.err());
    let apart = signer_socket(layout).map_err(|error| error.to_string());
    add(apart.as_ref().map(|_| ()).map_err(Clone::clone));
    let of_the_node = [Kind::Mandate].as_slice();
    // What a signer that is a process of its own has, it checks itself.
    let kinds = if apart.is_ok_and(|socket| socket.is_some()) { of_the_node } else { &Kind::ONLINE };
    for kind in kinds {
        let before = layout.keys().join(format!("{}.before.key", kind.word()));
        for path in [layout.key(*kind), layout.next_key(*kind), before].iter().filter(|path| path.exists()) {
            add(read_key(path, *kind).map(|_| ()).map_err(|error| error.to_string()));
        }
    }
    for path in [layout.tls_certificate(), layout.tls_key(), layout.next_tls_certificate(), layout.next_key(Kind::Tls)]
    {
        if path.exists() {
            add(keys::read_pem(&path).map(|_| ()).map_err(|error| error.to_string()));
        }
    }
    match layout.root_keys() {
        Ok(paths) => {
            paths.iter().for_each(|path| add(read_key(path, Kind::Root).map(|_| ()).map_err(|e| e.to_string())))
        }
        Err(error) => add(Err(error.to_string())),
    }
    add(identity(&layout.identity()));
    if layout.successor().exists() {
        add(identity(&layout.successor()));
    }
    add(public_keys(layout));
    if layout.signer().exists() {
        add(marks(layout));
    }
    if layout.rotation().exists() {
        add(rotate::is_whole(layout).map_err(|error| error.to_string()));
    }
    add(Record::read(layout.dir()).map(|_| ()).map_err(|error| error.to_string()));
    faults
}

fn changed(path: &Path, what: &str) -> String {
    format!("`{}`: {what}", path.display())
}

/// An identity is signed; that nothing stands beside it, its own form says.
fn identity(path: &Path) -> Result<(), String> {
    let bytes = read_small(path).map_err(|error| error.to_string())?;
    let signed = SignedIdentity::from_bytes(&bytes).map_err(|error| changed(path, &error.to_string()))?;
    journal::identity::verify(&signed).map_err(|error| changed(path, &error.to_string()))?;
    if signed.to_bytes() == bytes { Ok(()) } else { Err(changed(path, "what stands in it is not what was signed")) }
}

/// The log's key for whoever checks proofs: the one that the identity names, before those of logs that have ended.
fn public_keys(layout: &Layout) -> Result<(), String> {
    let path = layout.log_public_key();
    let told = |error: KeysError| error.to_string();
    let known = keys::Keys::read(layout).map_err(told)?.identity;
    let bytes = read_small(&path).map_err(told)?;
    let wrong = || {
        changed(&path, "it is not what was written: write the lines of `entraide witness keys` for this log into it")
    };
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let read = note::read_keys(&text).map_err(|_| wrong())?;
    let again: String = read.iter().map(|key| format!("{key}\n")).collect();
    let first = note_key(&known).map(|key| format!("{key}\n"));
    let is_named = first.is_some_and(|first| text.starts_with(&first));
    // While keys change it still has the one of before.
    if again == text && (is_named || layout.rotation().exists()) { Ok(()) } else { Err(wrong()) }
}

fn marks(layout: &Layout) -> Result<(), String> {
    let whole = signer::is_whole(layout).map_err(|error| error.to_string())?;
    let torn = "one of its two marks is not what was written (a power cut, or the disk): the other counts, and the next \
                signature writes it anew; nothing may be restored until then";
    if whole { Ok(()) } else { Err(changed(&layout.signer(), torn)) }
}
