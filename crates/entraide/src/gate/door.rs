//! What sshd asks before it lets somebody in, and the kill switch. Each is a command of its own that reads the daemon's
//! files: where there is no lease, or an old one, nobody comes in.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use model::Timestamp;
use model::extension::assistance::{HelperKey, Mandate};

use super::authority::{Authority, helper_word};
use super::config::{Config, Guarded, Way, is_plain};
use super::lease::{Shut, may_act};
use super::{GateError, end};
use crate::keys::{io_error, read_small, remove};

/// The mandate of an account, if it stands and has the account's system and action in it.
fn open_way<'c>(
    config: &'c Config,
    account: &str,
    now: Timestamp,
) -> Result<(&'c Guarded, &'c Way, Mandate), GateError> {
    let none = || GateError::Refused("that account is not one of this gate's".to_owned());
    let (one, way) = config.way(|way| way.account == account).ok_or_else(none)?;
    let mandate = standing(config, &one.id, now)?;
    if way.is_within(&mandate) { Ok((one, way, mandate)) } else { Err(Shut::Over.into()) }
}

/// The mandate as the newest lease on disk says, if helpers may act under it.
///
/// # Errors
/// Why they may not.
pub fn standing(config: &Config, id: &str, now: Timestamp) -> Result<Mandate, GateError> {
    let note = read_small(&config.lease(id)).map_err(|_| Shut::Nothing)?;
    let note = String::from_utf8(note).map_err(|_| Shut::Nothing)?;
    Ok(may_act(config, &Authority::of(config).own()?, id, &note, now)?)
}

fn helper<'m>(mandate: &'m Mandate, word: &str) -> Result<&'m HelperKey, GateError> {
    let none = || GateError::Refused("that key is not one of the mandate's helpers".to_owned());
    mandate.helpers.iter().map(|helper| &helper.key).find(|key| helper_word(key) == word).ok_or_else(none)
}

/// sshd's AuthorizedKeysCommand: a helper's bare key is good for one thing, to fetch a certificate.
///
/// # Errors
/// The account's mandate does not stand, or the key is not one of its helpers.
pub fn keys(config: &Config, program: &Path, account: &str, key: &str, now: Timestamp) -> Result<String, GateError> {
    let (.., mandate) = open_way(config, account, now)?;
    let helper = helper(&mandate, key)?;
    let command = command(config, program, "certificate", helper)?;
    Ok(format!("restrict,command=\"{command}\" {}", helper.as_str()))
}

/// sshd's AuthorizedPrincipalsCommand: whom the gate certified comes in by the account's principal, under the recorder.
///
/// # Errors
/// The account's mandate does not stand, or the helper has been taken off it.
pub fn principals(
    config: &Config,
    program: &Path,
    account: &str,
    key_id: &str,
    now: Timestamp,
) -> Result<String, GateError> {
    let (one, way, mandate) = open_way(config, account, now)?;
    let command = command(config, program, "session", helper(&mandate, key_id)?)?;
    Ok(format!("restrict,pty,command=\"{command}\" {}", way.principal(&one.id)))
}

fn command(config: &Config, program: &Path, what: &str, helper: &HelperKey) -> Result<String, GateError> {
    if !is_plain(program) {
        let reason = "install the program at a path of letters, digits, `/`, `.`, `-` and `_`".to_owned();
        return Err(GateError::Config { path: program.display().to_string(), reason });
    }
    let socket = config.socket();
    Ok(format!("{} gate {what} --socket {} {}", program.display(), socket.display(), helper_word(helper)))
}

/// What goes into sshd's own file.
#[must_use]
pub fn sshd_lines(config: &Config, program: &Path) -> String {
    let (program, path, group) = (program.display(), config.path.display(), &config.group);
    let trusted = Authority::of(config).trusted();
    // sshd 9.2 takes the command for principals from its general part alone. It answers for the gate's accounts only, and
    // without `TrustedUserCAKeys` no other account is entered by a certificate.
    format!(
        "# Above the first Match:\n\
         AuthorizedPrincipalsCommand {program} gate principals --config {path} %u %i\n\
         AuthorizedPrincipalsCommandUser root\n\
         # At the end:\n\
         Match Group {group}\n    \
         AuthenticationMethods publickey\n    \
         AuthorizedKeysFile none\n    \
         AuthorizedKeysCommand {program} gate keys --config {path} %u %k\n    \
         AuthorizedKeysCommandUser root\n    \
         TrustedUserCAKeys {}\n    \
         DisableForwarding yes\n    \
         PermitUserRC no\n",
        trusted.display()
    )
}

/// Throws the kill switch of a mandate, or of all, and ends every process of its accounts. Neither node nor daemon is
/// needed.
///
/// # Errors
/// No such mandate, or the file can't be written.
pub fn kill(config: &Config, id: Option<&str>) -> Result<usize, GateError> {
    let ways: Vec<&Guarded> = match id {
        Some(id) => vec![config.mandate(id)?],
        None => config.mandates.iter().collect(),
    };
    let switch = config.killed(id.unwrap_or("all"));
    fs::write(&switch, b"").map_err(|error| io_error(&switch, &error))?;
    let uids: BTreeSet<u32> = ways.iter().flat_map(|one| &one.ways).map(|way| way.uid).collect();
    Ok(end::processes_of(&uids))
}

/// Takes the kill switch back.
///
/// # Errors
/// No such mandate, or the file can't be removed.
pub fn allow(config: &Config, id: Option<&str>) -> Result<(), GateError> {
    if let Some(id) = id {
        config.mandate(id)?;
    }
    Ok(remove(&config.killed(id.unwrap_or("all")))?)
}
