//! How the next identity of a node gets to its root key and back: the key is offline, on a machine without a node.
//!
//! ```text
//! request: entraide/identity-request/v1      signed: entraide/identity-signed/v1
//!          <identity, JSON on one line>               <signed identity, base64 on one line>
//!          [<identity that follows it>]               [<the one that follows it>]
//! ```
//!
//! Two where the first serves an overlap only: it names the TLS keys of before and after, the second those of after.

use ed25519_dalek::SigningKey;

use crate::identity::{self, Identity, IdentityError, MAX_IDENTITY_BYTES, SignedIdentity};

/// Largest request or answer, bytes: two identities in base64.
pub const MAX_ROTATION_BYTES: usize = 4 * MAX_IDENTITY_BYTES;

const REQUEST: &str = "entraide/identity-request/v1";
const SIGNED: &str = "entraide/identity-signed/v1";
/// Most identities of one request.
const STEPS: usize = 2;

/// Why a request or its answer was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// Not the file.
    #[error("this is not `{0}` with one or two identities, a line each: make it again with `entraide keys`")]
    Shape(&'static str),
    /// An identity in it.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Another root key.
    #[error("this root key is not the one of `{0}`: take the file that belongs to it")]
    Root(String),
}

/// What is to be signed, unsigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request(pub Vec<Identity>);

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed(pub Vec<SignedIdentity>);

impl Request {
    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!("{REQUEST}\n");
        for identity in &self.0 {
            // A struct of strings and numbers always serialises; an empty line would be refused by the reader.
            out.push_str(&serde_json::to_string(identity).unwrap_or_default());
            out.push('\n');
        }
        out
    }

    /// Reads the file; whether a root key may sign it is for [`Self::sign`] to say.
    ///
    /// # Errors
    /// [`RotationError::Shape`].
    pub fn read(text: &str) -> Result<Self, RotationError> {
        let read = |line: &&str| serde_json::from_str(line).map_err(|_| RotationError::Shape(REQUEST));
        lines(text, REQUEST)?.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Signs what is asked for, as partners will check it.
    ///
    /// # Errors
    /// The root key is another nation's, or a partner would refuse one of them.
    pub fn sign(&self, root: &SigningKey) -> Result<Signed, RotationError> {
        let mut signed = Vec::new();
        for one in &self.0 {
            if one.root_key != root.verifying_key().to_bytes() {
                return Err(RotationError::Root(one.origin.to_string()));
            }
            let done = identity::sign(one, root);
            identity::verify(&done)?;
            signed.push(done);
        }
        Ok(Signed(signed))
    }
}

impl Signed {
    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!("{SIGNED}\n");
        for identity in &self.0 {
            out.push_str(&identity.to_base64());
            out.push('\n');
        }
        out
    }

    /// Reads the file; who signed is for [`identity::verify`] to say.
    ///
    /// # Errors
    /// [`RotationError::Shape`].
    pub fn read(text: &str) -> Result<Self, RotationError> {
        let read = |line: &&str| SignedIdentity::from_base64(line).map_err(|_| RotationError::Shape(SIGNED));
        lines(text, SIGNED)?.iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn lines<'a>(text: &'a str, header: &'static str) -> Result<Vec<&'a str>, RotationError> {
    let shape = || RotationError::Shape(header);
    if text.len() > MAX_ROTATION_BYTES {
        return Err(shape());
    }
    let rest = text.strip_prefix(header).and_then(|rest| rest.strip_prefix('\n')).ok_or_else(shape)?;
    let lines: Vec<&str> = rest.strip_suffix('\n').ok_or_else(shape)?.split('\n').take(STEPS + 1).collect();
    if lines.len() > STEPS { Err(shape()) } else { Ok(lines) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::sample;
    use proptest::prelude::*;

    fn request() -> (SigningKey, Request) {
        let (root, first) = sample("FR", 7);
        let second = Identity { version: 2, ..first.clone() };
        (root, Request(vec![first, second]))
    }

    #[test]
    fn a_request_goes_to_the_root_key_and_back() {
        let (root, request) = request();
        assert_eq!(Request::read(&request.write()), Ok(request.clone()));
        let signed = request.sign(&root).unwrap();
        assert_eq!(Signed::read(&signed.write()), Ok(signed.clone()));
        let versions: Vec<u64> = signed.0.iter().map(|one| identity::verify(one).unwrap().version).collect();
        assert_eq!(versions, [1, 2]);
        let (other, _) = sample("FR", 8);
        assert!(matches!(request.sign(&other), Err(RotationError::Root(_))));
        let (_, nameless) = sample("FR", 7);
        let nameless = Request(vec![Identity { name: String::new(), ..nameless }]);
        assert!(matches!(nameless.sign(&root), Err(RotationError::Identity(_))), "nobody would take it");
    }

    #[test]
    fn other_files_are_refused() {
        let (root, request) = request();
        let (text, signed) = (request.write(), request.sign(&root).unwrap().write());
        for bad in ["", "\n", "entraide/identity-request/v1\n", "entraide/identity-request/v1\n{}\n", &signed] {
            assert!(Request::read(bad).is_err(), "{bad}");
        }
        assert!(Request::read(text.trim_end()).is_err());
        assert!(Request::read(&format!("{text}{}\n", text.lines().last().unwrap())).is_err(), "three");
        assert!(Request::read(&format!("{text}{}", " ".repeat(MAX_ROTATION_BYTES))).is_err());
        assert!(Signed::read(&text).is_err());
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_without_panic(text in "\\PC{0,200}") {
            prop_assert!(Request::read(&text).is_err() && Signed::read(&text).is_err());
            let _ = Request::read(&format!("{REQUEST}\n{text}\n"));
            let _ = Signed::read(&format!("{SIGNED}\n{text}\n"));
        }
    }
}
