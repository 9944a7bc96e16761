//! The manifest of a backup: whose it is, of when, how far its log goes, and the SHA-256 of each file, so that a changed
//! byte is found and named before anything is restored.
//!
//! ```text
//! entraide/backup/v1
//! origin <origin>
//! made <time>
//! schema <number>
//! size <entries of the own log>
//! root <64 hexadecimal digits: the root of those entries>
//! statements <number>
//! part <64 hexadecimal digits: SHA-256> <bytes> <name of the file>
//! …
//! check <64 hexadecimal digits: SHA-256 of everything before this line>
//! ```

use model::{Origin, Timestamp};
use sha2::{Digest, Sha256};

use crate::limits;
use crate::tree::TreeHash;

const HEADER: &str = "entraide/backup/v1";

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Whose.
    pub origin: Origin,
    /// Of when: the moment at which the state was taken.
    pub made: Timestamp,
    /// Of the database.
    pub schema: u32,
    /// Entries of the own log.
    pub size: u64,
    /// Their root.
    pub root: TreeHash,
    /// Statements, own ones and partners'.
    pub statements: u64,
    /// Its files.
    pub parts: Vec<Part>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name, beside the manifest: letters, digits, `.`, `-` and `_`, beginning with a letter.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of it.
    pub sha256: [u8; 32],
}

/// A manifest that cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not a manifest.
    #[error("it is not the manifest of a backup")]
    Shape,
    /// Changed since it was written.
    #[error("the manifest was changed since it was written")]
    Check,
}

impl Manifest {
    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!(
            "{HEADER}\norigin {}\nmade {}\nschema {}\nsize {}\nroot {}\nstatements {}\n",
            self.origin,
            self.made,
            self.schema,
            self.size,
            model::bytes::hex(self.root.as_bytes()),
            self.statements
        );
        for part in &self.parts {
            out.push_str(&format!("part {} {} {}\n", model::bytes::hex(&part.sha256), part.bytes, part.name));
        }
        let check: [u8; 32] = Sha256::digest(&out).into();
        out.push_str(&format!("check {}\n", model::bytes::hex(&check)));
        out
    }

    /// Reads a manifest. It has one spelling.
    ///
    /// # Errors
    /// Not a manifest, or one that was changed.
    pub fn read(text: &str) -> Result<Self, ManifestError> {
        if text.len() > limits::MANIFEST_BYTES {
            return Err(ManifestError::Shape);
        }
        let mut lines = text.strip_suffix('\n').ok_or(ManifestError::Shape)?.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(ManifestError::Shape);
        }
        let manifest = Self::fields(&mut lines).ok_or(ManifestError::Check)?;
        // The check is the last line of what is written: a text that differs anywhere was changed.
        if manifest.write() == text { Ok(manifest) } else { Err(ManifestError::Check) }
    }

    fn fields<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut named = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let origin = named("origin")?.parse().ok()?;
        let made = named("made")?.parse().ok()?;
        let schema = named("schema")?.parse().ok()?;
        let size = named("size")?.parse().ok()?;
        let root = TreeHash::new(model::bytes::unhex(named("root")?)?);
        let statements = named("statements")?.parse().ok()?;
        let mut parts = Vec::new();
        for line in lines.take_while(|line| line.starts_with("part ")) {
            let mut words = line.splitn(4, ' ').skip(1);
            let sha256 = model::bytes::unhex(words.next()?)?;
            let bytes = words.next()?.parse().ok()?;
            let name = words.next().filter(|name| is_name(name))?.to_owned();
            parts.push(Part { name, bytes, sha256 });
        }
        Some(Self { origin, made, schema, size, root, statements, parts })
    }
}

/// May a file of a backup, or of an archive of keys, have this name? None leads out of its directory.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            origin: "entraide/FR/REAL/0123456789abcdef".parse().unwrap(),
            made: Timestamp::from_seconds(1_790_000_000),
            schema: 5,
            size: 1_234,
            root: TreeHash::new([7; 32]),
            statements: 2_000,
            parts: ["truth.db", "identity.txt"]
                .map(|name| Part { name: name.to_owned(), bytes: 9, sha256: [3; 32] })
                .to_vec(),
        }
    }

    #[test]
    fn a_manifest_reads_back() {
        assert_eq!(Manifest::read(&manifest().write()), Ok(manifest()));
        assert_eq!(Manifest::read("hello\n"), Err(ManifestError::Shape));
    }

    #[test]
    fn names_lead_nowhere_else() {
        let check = |name: &str, good: bool| assert_eq!(is_name(name), good, "{name}");
        check("truth.db", true);
        check("log-2.key", true);
        check("../truth.db", false);
        check(".hidden", false);
        check("a/b", false);
        check("", false);
        let elsewhere = Part { name: "../truth.db".to_owned(), bytes: 9, sha256: [3; 32] };
        let manifest = Manifest { parts: vec![elsewhere], ..manifest() };
        assert_eq!(Manifest::read(&manifest.write()), Err(ManifestError::Check));
    }

    proptest! {
        #[test]
        fn no_changed_byte_passes(at: prop::sample::Index, bit in 0..7_u8) {
            let mut bytes = manifest().write().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(Manifest::read(&String::from_utf8(bytes).unwrap()).is_err());
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Manifest::read(&text);
            let _ = Manifest::read(&format!("{HEADER}\n{text}\n"));
        }
    }
}
