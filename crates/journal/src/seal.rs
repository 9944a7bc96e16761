//! Bodies at rest, each sealed under a key of its own, and those keys wrapped: to erase a body from every backup it is
//! enough to lose its key (architecture §3, "Erasure").

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use model::Commitment;
use zeroize::Zeroize;

/// A wrapped key: nonce, sealed key, tag.
pub const WRAPPED_BYTES: usize = 24 + 32 + 16;

/// A sealed thing does not open: its key is another one, or a byte has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The wrapped key.
    #[error("the key of a body does not open: it was changed, or belongs to another node")]
    Key,
    /// The body.
    #[error("a sealed body does not open: it was changed on disk")]
    Body,
}

/// The key of one body.
pub struct BodyKey([u8; 32]);

impl BodyKey {
    /// From 32 random bytes.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }
}

impl Drop for BodyKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Each key seals one body once, so that a fixed nonce is never used twice under one key.
const ONLY_ONCE: [u8; 24] = [0; 24];

/// Seals a body under its own key, bound to its place by the commitment.
#[must_use]
pub fn seal_body(key: &BodyKey, commitment: &Commitment, body: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(body.len() + 16);
    sealed.extend_from_slice(body);
    let cipher = XChaCha20Poly1305::new(&key.0.into());
    if cipher.encrypt_in_place(&XNonce::from(ONLY_ONCE), commitment.as_bytes(), &mut sealed).is_err() {
        // Only beyond 256 GiB (RFC 8439 §2.8). Even then nothing readable is stored as if it were sealed.
        sealed.zeroize();
    }
    sealed
}

/// Opens a sealed body.
///
/// # Errors
/// Another key, or a changed byte.
pub fn open_body(key: &BodyKey, commitment: &Commitment, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut body = sealed.to_vec();
    let cipher = XChaCha20Poly1305::new(&key.0.into());
    cipher.decrypt_in_place(&XNonce::from(ONLY_ONCE), commitment.as_bytes(), &mut body).map_err(|_| SealError::Body)?;
    Ok(body)
}

/// The key that wraps the keys of bodies. It stays behind the node's signer.
pub struct WrappingKey {
    cipher: XChaCha20Poly1305,
    /// The key of before, until nothing is wrapped with it any more.
    before: Option<XChaCha20Poly1305>,
}

impl WrappingKey {
    /// From 32 secret bytes.
    #[must_use]
    pub fn new(mut secret: [u8; 32]) -> Self {
        let cipher = XChaCha20Poly1305::new(&secret.into());
        secret.zeroize();
        Self { cipher, before: None }
    }

    /// The same, which also unwraps what the key of before has wrapped.
    #[must_use]
    pub fn with_before(self, mut secret: [u8; 32]) -> Self {
        let before = Some(XChaCha20Poly1305::new(&secret.into()));
        secret.zeroize();
        Self { before, ..self }
    }

    /// Is there a key of before, so that something may still have to be wrapped anew?
    #[must_use]
    pub const fn has_before(&self) -> bool {
        self.before.is_some()
    }

    /// Wraps anew what only the key of before unwraps; `None` if this key unwraps it.
    ///
    /// # Errors
    /// Neither of them does.
    pub fn rewrap(
        &self,
        wrapped: &[u8],
        nonce: [u8; 24],
        commitment: &Commitment,
    ) -> Result<Option<[u8; WRAPPED_BYTES]>, SealError> {
        match unwrap_with(&self.cipher, wrapped, commitment) {
            Ok(_) => Ok(None),
            Err(_) => Ok(Some(self.wrap(&self.unwrap(wrapped, commitment)?, nonce, commitment))),
        }
    }

    /// Wraps the key of a body under a random nonce.
    #[must_use]
    pub fn wrap(&self, key: &BodyKey, nonce: [u8; 24], commitment: &Commitment) -> [u8; WRAPPED_BYTES] {
        let mut wrapped = [0; WRAPPED_BYTES];
        wrapped[..24].copy_from_slice(&nonce);
        wrapped[24..56].copy_from_slice(&key.0);
        let sealed = (&mut wrapped[24..56]).into();
        match self.cipher.encrypt_inout_detached(&XNonce::from(nonce), commitment.as_bytes(), sealed) {
            Ok(tag) => wrapped[56..].copy_from_slice(&tag),
            // Never for 32 bytes; and never a key in the clear: what is left opens nothing.
            Err(_) => wrapped.zeroize(),
        }
        wrapped
    }

    /// Unwraps the key of a body.
    ///
    /// # Errors
    /// Another length, another wrapping key, or a changed byte.
    pub fn unwrap(&self, wrapped: &[u8], commitment: &Commitment) -> Result<BodyKey, SealError> {
        let refused = match unwrap_with(&self.cipher, wrapped, commitment) {
            Ok(key) => return Ok(key),
            Err(refused) => refused,
        };
        self.before.as_ref().map_or(Err(refused), |before| unwrap_with(before, wrapped, commitment))
    }
}

fn unwrap_with(cipher: &XChaCha20Poly1305, wrapped: &[u8], commitment: &Commitment) -> Result<BodyKey, SealError> {
    let (nonce, sealed) = wrapped.split_at_checked(24).ok_or(SealError::Key)?;
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| SealError::Key)?;
    let mut key = sealed.to_vec();
    cipher.decrypt_in_place(&XNonce::from(nonce), commitment.as_bytes(), &mut key).map_err(|_| SealError::Key)?;
    let opened = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| SealError::Key);
    key.zeroize();
    opened.map(BodyKey)
}

impl std::fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrappingKey(secret)")
    }
}
impl std::fmt::Debug for BodyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BodyKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_opens_under_its_key_and_place_alone() {
        let place = Commitment::new([7; 32]);
        let sealed = seal_body(&BodyKey::new([1; 32]), &place, b"words");
        assert_eq!(sealed.len(), 5 + 16);
        assert_eq!(open_body(&BodyKey::new([1; 32]), &place, &sealed), Ok(b"words".to_vec()));
        assert_eq!(open_body(&BodyKey::new([2; 32]), &place, &sealed), Err(SealError::Body));
        assert_eq!(open_body(&BodyKey::new([1; 32]), &Commitment::new([8; 32]), &sealed), Err(SealError::Body));
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert_eq!(open_body(&BodyKey::new([1; 32]), &place, &flipped), Err(SealError::Body));
        }
    }

    #[test]
    fn what_a_key_of_before_wrapped_is_wrapped_anew_once() {
        let place = Commitment::new([3; 32]);
        let old = WrappingKey::new([1; 32]);
        let wrapped = old.wrap(&BodyKey::new([9; 32]), [4; 24], &place);
        let both = WrappingKey::new([2; 32]).with_before([1; 32]);
        assert!(both.has_before());
        assert_eq!(both.unwrap(&wrapped, &place).unwrap().0, [9; 32]);
        let anew = both.rewrap(&wrapped, [5; 24], &place).unwrap().unwrap();
        let new = WrappingKey::new([2; 32]);
        assert_eq!(new.unwrap(&anew, &place).unwrap().0, [9; 32]);
        assert!(old.unwrap(&anew, &place).is_err(), "the old key opens nothing of it");
        assert_eq!(both.rewrap(&anew, [6; 24], &place).unwrap(), None);
        assert_eq!(new.rewrap(&wrapped, [6; 24], &place).map(|_| ()), Err(SealError::Key));
    }

    #[test]
    fn a_key_unwraps_under_its_wrapping_key_alone() {
        let place = Commitment::new([7; 32]);
        let wrapped = WrappingKey::new([3; 32]).wrap(&BodyKey::new([1; 32]), [9; 24], &place);
        let key = WrappingKey::new([3; 32]).unwrap(&wrapped, &place).unwrap();
        assert_eq!(key.0, [1; 32]);
        let refused = |key: u8, wrapped: &[u8], place: &Commitment| {
            assert_eq!(WrappingKey::new([key; 32]).unwrap(wrapped, place).err(), Some(SealError::Key));
        };
        refused(4, &wrapped, &place);
        refused(3, &wrapped, &Commitment::new([8; 32]));
        for length in 0..WRAPPED_BYTES {
            refused(3, &wrapped[..length], &place);
            let mut flipped = wrapped;
            flipped[length] ^= 1;
            refused(3, &flipped, &place);
        }
        refused(3, &[&wrapped[..], &[0]].concat(), &place);
    }

    #[test]
    fn neither_the_body_nor_its_key_is_left_readable() {
        let (place, secret) = (Commitment::new([7; 32]), [0xab; 64]);
        let sealed = seal_body(&BodyKey::new([1; 32]), &place, &secret);
        assert!(!sealed.windows(4).any(|part| part == &secret[..4]));
        let wrapped = WrappingKey::new([3; 32]).wrap(&BodyKey::new([0xab; 32]), [9; 24], &place);
        assert!(!wrapped.windows(4).any(|part| part == &secret[..4]));
        assert_eq!(
            format!("{:?} {:?}", BodyKey::new([1; 32]), WrappingKey::new([1; 32])),
            "BodyKey(secret) WrappingKey(secret)"
        );
    }
}
