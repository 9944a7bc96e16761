//! The gate's file: which node and nation, and which local account stands for which system and action of which mandate.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use journal::note::{self, NoteVerifier};
use model::Origin;
use model::extension::assistance::{Mandate, MandateAction, SystemName};
use secrecy::SecretString;
use serde::Deserialize;

use super::GateError;
use crate::client::{Client, Remote};
use crate::keys::read_small;

/// Where the file is unless another is named.
pub const PATH: &str = "/etc/entraide/gate.toml";

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: String,
    pin: Option<String>,
    origin: String,
    keys: PathBuf,
    state: PathBuf,
    group: String,
    #[serde(default)]
    mandate: Vec<MandateOf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MandateOf {
    id: String,
    token: PathBuf,
    way: Vec<WayOf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WayOf {
    system: SystemName,
    action: MandateAction,
    account: String,
    command: Option<String>,
}

/// What the gate guards, and whom it asks.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file itself, which sshd's commands name again.
    pub path: PathBuf,
    /// The nation's node.
    pub url: String,
    /// The pin of its TLS key.
    pub pin: Option<[u8; 32]>,
    /// Whose mandates.
    pub origin: Origin,
    /// The keys of that nation's witness, under which a lease is signed.
    pub keys: Vec<NoteVerifier>,
    /// What the gate keeps.
    pub state: PathBuf,
    /// The group of all accounts of the gate, and of nothing else.
    pub group: String,
    /// Which mandates.
    pub mandates: Vec<Guarded>,
}

/// One mandate.
#[derive(Debug, Clone)]
pub struct Guarded {
    /// Its UUID.
    pub id: String,
    /// The file of its token.
    pub token: PathBuf,
    /// Its accounts.
    pub ways: Vec<Way>,
}

/// A local account that stands for one system and action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The system, as the mandate names it.
    pub system: SystemName,
    /// What may be done.
    pub action: MandateAction,
    /// The account.
    pub account: String,
    /// Its number.
    pub uid: u32,
    /// What runs in place of the account's shell.
    pub command: Option<String>,
}

impl Way {
    /// Is it within a mandate?
    #[must_use]
    pub fn is_within(&self, mandate: &Mandate) -> bool {
        mandate.systems.contains(&self.system) && mandate.actions.contains(&self.action)
    }
    /// The principal of a certificate for it.
    #[must_use]
    pub fn principal(&self, mandate: &str) -> String {
        format!("{mandate}:{}:{}", self.system, self.action)
    }
}

impl Config {
    /// Reads the file, and looks its accounts up in this machine's own.
    ///
    /// # Errors
    /// Not readable, something that is unknown, an account that is not there or not the gate's own.
    pub fn read(path: &Path) -> Result<Self, GateError> {
        let text = text_of(path)?;
        let machine = Machine { passwd: text_of(Path::new("/etc/passwd"))?, group: text_of(Path::new("/etc/group"))? };
        let wrong = |reason: String| GateError::Config { path: path.display().to_string(), reason };
        let file: File = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
        let keys = text_of(&file.keys)?;
        // sshd's commands and keys' options name it, where a quote or a space would mean something.
        let path = fs::canonicalize(path).map_err(|error| crate::keys::io_error(path, &error))?;
        if !is_plain(&path) || !is_plain(&file.state) {
            return Err(wrong("this file and `state` have names of letters, digits, `/`, `.`, `-` and `_`".to_owned()));
        }
        Self::of(path, file, &keys, &machine).map_err(wrong)
    }

    fn of(path: PathBuf, file: File, keys: &str, machine: &Machine) -> Result<Self, String> {
        let origin: Origin = file.origin.parse().map_err(|error| format!("`origin`: {error}"))?;
        let pin = file.pin.map(|pin| model::bytes::unhex::<32>(&pin).ok_or("`pin` is 64 hexadecimal digits"));
        let keys = note::read_keys(keys).map_err(|error| format!("`keys`: {error}"))?;
        let name = origin.to_string();
        let keys: Vec<NoteVerifier> = keys.into_iter().filter(|key| key.name() == name).collect();
        if keys.is_empty() {
            return Err(format!("`keys` holds no key of `{name}`: ask its node with `entraide witness keys`"));
        }
        let gid = machine.gid(&file.group).ok_or_else(|| format!("there is no group `{}`", file.group))?;
        let mut accounts = BTreeSet::new();
        let mut mandates: Vec<Guarded> = Vec::new();
        for one in file.mandate {
            let is_uuid = one.id.len() == 36 && one.id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            if !is_uuid || mandates.iter().any(|known| known.id == one.id) {
                return Err(format!("`{}` is no UUID of a mandate, or stands twice", one.id));
            }
            let mut ways = Vec::new();
            for way in one.way {
                // All processes of an account are ended with its mandate, so it is the gate's own and this mandate's alone.
                let Some((uid, of)) = machine.account(&way.account).filter(|(uid, _)| *uid != 0) else {
                    return Err(format!("there is no account `{}` here, or it is root's", way.account));
                };
                if of != gid {
                    return Err(format!("the group of `{}` is not `{}`: useradd -g", way.account, file.group));
                }
                if !accounts.insert(uid) {
                    return Err(format!("`{}` stands for two ways: each has an account of its own", way.account));
                }
                let WayOf { system, action, account, command } = way;
                ways.push(Way { system, action, account, uid, command });
            }
            mandates.push(Guarded { id: one.id, token: one.token, ways });
        }
        let pin = pin.transpose()?;
        Ok(Self { path, url: file.url, pin, origin, keys, state: file.state, group: file.group, mandates })
    }

    /// A mandate by its UUID.
    ///
    /// # Errors
    /// The file names no such one.
    pub fn mandate(&self, id: &str) -> Result<&Guarded, GateError> {
        self.mandates.iter().find(|one| one.id == id).ok_or_else(|| GateError::Mandate(id.chars().take(60).collect()))
    }

    /// The way for which an account stands.
    #[must_use]
    pub fn way(&self, is_it: impl Fn(&Way) -> bool) -> Option<(&Guarded, &Way)> {
        self.mandates.iter().find_map(|one| one.ways.iter().find(|way| is_it(way)).map(|way| (one, way)))
    }

    /// The way to the node for one mandate.
    ///
    /// # Errors
    /// The token can't be read, or the address is none.
    pub fn client(&self, one: &Guarded) -> Result<Client, GateError> {
        let token = text_of(&one.token)?;
        let remote = Remote::new(&self.url, self.pin, SecretString::from(token.trim().to_owned()))?;
        Ok(Client::of_url(remote))
    }

    /// The socket of the daemon.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.state.join("gate.sock")
    }
    /// The newest lease of a mandate.
    #[must_use]
    pub fn lease(&self, id: &str) -> PathBuf {
        self.state.join("leases").join(format!("{id}.lease"))
    }
    /// The kill switch of a mandate; of all with the word `all`.
    #[must_use]
    pub fn killed(&self, id: &str) -> PathBuf {
        self.state.join("killed").join(id)
    }
    /// What sessions showed.
    #[must_use]
    pub fn sessions(&self) -> PathBuf {
        self.state.join("sessions")
    }
}

/// Does a path mean nothing to a shell, to sshd and in an option of a key?
#[must_use]
pub fn is_plain(path: &Path) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    path.is_absolute() && path.to_str().is_some_and(|text| text.bytes().all(letter))
}

fn text_of(path: &Path) -> Result<String, GateError> {
    let wrong = |_| GateError::Config { path: path.display().to_string(), reason: "it is not text".to_owned() };
    String::from_utf8(read_small(path)?).map_err(wrong)
}

/// The machine's own accounts: those of a directory service are not the gate's.
struct Machine {
    passwd: String,
    group: String,
}

impl Machine {
    /// Number and group of an account (passwd(5)).
    fn account(&self, name: &str) -> Option<(u32, u32)> {
        let line = self.passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut words = line.split(':').skip(2);
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    }
    /// Number of a group (group(5)).
    fn gid(&self, name: &str) -> Option<u32> {
        self.group.lines().find(|line| line.split(':').next() == Some(name))?.split(':').nth(2)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    const ORIGIN: &str = "entraide/FR/REAL/0123456789abcdef";

    fn read(change: impl Fn(String) -> String) -> Result<Config, String> {
        let file = format!(
            r#"url = "https://node.example:7442"
            origin = "{ORIGIN}"
            keys = "/etc/entraide/nation.keys"
            state = "/var/lib/entraide-gate"
            group = "entraide-gate"
            [[mandate]]
            id = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
            token = "/etc/entraide/8e2e.token"
            way = [{{ system = "mail1", action = "read", account = "mail1-read" }},
                   {{ system = "mail1", action = "collect", account = "mail1-collect" }}]"#
        );
        let machine = Machine {
            passwd: "root:x:0:0::/root:/bin/sh\nmail1-read:x:990:980::/:/bin/sh\nmail1-collect:x:991:980::/:/bin/sh\n\
                     www-data:x:33:33::/var/www:/usr/sbin/nologin\n"
                .to_owned(),
            group: "root:x:0:\nentraide-gate:x:980:\nwww-data:x:33:\n".to_owned(),
        };
        let key = |name: &str| NoteVerifier::witness(name, SigningKey::from_bytes(&[3; 32]).verifying_key()).unwrap();
        let keys = format!("{}\n{}\n", key(ORIGIN), key("entraide/EE/REAL/0123456789abcdef"));
        let file = toml::from_str(&change(file)).map_err(|error| error.message().to_owned())?;
        Config::of(PATH.into(), file, &keys, &machine)
    }

    #[test]
    fn an_account_is_the_gates_own_and_one_mandates_alone() {
        let config = read(|file| file).unwrap();
        let (mandate, way) = config.way(|way| way.uid == 991).unwrap();
        assert_eq!(way.principal(&mandate.id), "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f:mail1:collect");
        // A partner's key in the same file signs nothing here.
        assert_eq!(config.keys.len(), 1);
        let check = |from: &str, to: &str, says: &str| {
            let error = read(|file| file.replace(from, to)).unwrap_err();
            assert!(error.contains(says), "{error}");
        };
        check("\"mail1-collect\"", "\"root\"", "root's");
        check("\"mail1-collect\"", "\"www-data\"", "useradd -g");
        check("\"mail1-collect\"", "\"mail1-read\"", "an account of its own");
        check("\"mail1-collect\"", "\"nobody-here\"", "no account");
        check("/FR/REAL", "/LV/REAL", "no key of");
        check("8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "../../etc/passwd", "no UUID");
        check("group =", "groups =", "unknown field");
        check("\"collect\"", "\"destroy\"", "destroy");
    }

    #[test]
    fn what_sshd_is_told_means_nothing_to_a_shell() {
        let check = |path: &str, plain: bool| assert_eq!(is_plain(Path::new(path)), plain, "{path}");
        check("/etc/entraide/gate.toml", true);
        check("gate.toml", false);
        check("/etc/my gate", false);
        check("/etc/$(id)", false);
        check("/etc/a\"b", false);
    }
}
