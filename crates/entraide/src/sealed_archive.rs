//! A vault: a file sealed under a passphrase, written and read as a stream, so that it never stands open on a disk.
//!
//! ```text
//! vault := "entraide/vault/v1\n" ‖ salt 16 ‖ memory KiB u32 ‖ passes u32 ‖ nonce 15 ‖ chunk*
//! chunk := XChaCha20-Poly1305 over 64 KiB of content, the last one over what is left (nothing, if need be)
//! ```
//!
//! The key is Argon2id of the passphrase (RFC 9106). A chunk's nonce is the vault's, the chunk's number and whether it is
//! the last one; the head goes with each as associated data. So no chunk can be changed, left out, moved or cut off
//! (STREAM: Hoang, Reyhanitabar, Rogaway, Vizár 2015).

use std::io::{self, Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use node::ports::{Random, random_bytes};
use zeroize::Zeroizing;

use crate::limits;

const MAGIC: &[u8; 18] = b"entraide/vault/v1\n";
/// Bytes of content in a chunk.
const CHUNK: usize = 64 * 1024;
/// Bytes by which a sealed chunk is longer.
const TAG: usize = 16;
const HEAD: usize = MAGIC.len() + 16 + 4 + 4 + 15;

/// Why a vault does not open.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Not a vault, or one whose key would take absurd work.
    #[error("it is no vault of this program")]
    Format,
    /// The key could not be made.
    #[error("the passphrase can't be used: {0}")]
    Passphrase(String),
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Seals what is written to it.
pub struct Sealer<W> {
    out: W,
    chunks: Chunks,
    open: Zeroizing<Vec<u8>>,
}

/// Opens what is read from it.
pub struct Opener<R> {
    from: R,
    chunks: Chunks,
    /// Sealed bytes read ahead: whether a chunk is the last one shows by what follows.
    ahead: Vec<u8>,
    open: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

/// The key, and which chunk comes next.
struct Chunks {
    cipher: XChaCha20Poly1305,
    head: [u8; HEAD],
    number: u64,
}

impl Chunks {
    fn new(head: [u8; HEAD], passphrase: &[u8], memory: u32, passes: u32) -> Result<Self, VaultError> {
        let told = |error: argon2::Error| VaultError::Passphrase(error.to_string());
        let params = Params::new(memory, passes, 1, Some(32)).map_err(told)?;
        let mut key = Zeroizing::new([0; 32]);
        let salt = &head[MAGIC.len()..MAGIC.len() + 16];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase, salt, key.as_mut_slice())
            .map_err(told)?;
        Ok(Self { cipher: XChaCha20Poly1305::new((&*key).into()), head, number: 0 })
    }

    fn nonce(&mut self, last: bool) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..15].copy_from_slice(&self.head[HEAD - 15..]);
        nonce[15..23].copy_from_slice(&self.number.to_be_bytes());
        nonce[23] = u8::from(last);
        self.number += 1;
        XNonce::from(nonce)
    }

    fn seal(&mut self, chunk: &mut Vec<u8>, last: bool) -> io::Result<()> {
        let nonce = self.nonce(last);
        self.cipher.encrypt_in_place(&nonce, &self.head, chunk).map_err(|_| io::Error::other("a chunk does not seal"))
    }

    fn open(&mut self, chunk: &mut Vec<u8>, last: bool) -> io::Result<()> {
        let nonce = self.nonce(last);
        self.cipher.decrypt_in_place(&nonce, &self.head, chunk).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it does not open: the passphrase is another one, or a byte has changed",
            )
        })
    }
}

impl<W: Write> Sealer<W> {
    /// Begins a vault.
    ///
    /// # Errors
    /// The passphrase can't be used, or the disk.
    pub fn new(mut out: W, passphrase: &[u8], random: &mut dyn Random) -> Result<Self, VaultError> {
        let mut head = [0; HEAD];
        let fields: [&[u8]; 5] = [
            MAGIC,
            &random_bytes::<16>(random),
            &limits::VAULT_KIB.to_be_bytes(),
            &limits::VAULT_PASSES.to_be_bytes(),
            &random_bytes::<15>(random),
        ];
        head.copy_from_slice(&fields.concat());
        let chunks = Chunks::new(head, passphrase, limits::VAULT_KIB, limits::VAULT_PASSES)?;
        out.write_all(&head)?;
        Ok(Self { out, chunks, open: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)) })
    }

    /// Seals what is left. A vault that was not ended does not open.
    ///
    /// # Errors
    /// The disk.
    pub fn end(mut self) -> io::Result<W> {
        self.chunks.seal(&mut self.open, true)?;
        self.out.write_all(&self.open)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open.len() == CHUNK {
            self.chunks.seal(&mut self.open, false)?;
            self.out.write_all(&self.open)?;
            self.open.clear();
        }
        let taken = bytes.len().min(CHUNK - self.open.len());
        self.open.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<R: Read> Opener<R> {
    /// Opens a vault as far as its head; a wrong passphrase shows at the first read.
    ///
    /// # Errors
    /// Not a vault, or the disk.
    pub fn new(mut from: R, passphrase: &[u8]) -> Result<Self, VaultError> {
        let mut head = [0; HEAD];
        from.read_exact(&mut head).map_err(|error| {
            let short = error.kind() == io::ErrorKind::UnexpectedEof;
            if short { VaultError::Format } else { error.into() }
        })?;
        let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (memory, passes) = (number(MAGIC.len() + 16), number(MAGIC.len() + 20));
        if !head.starts_with(MAGIC) || memory > limits::VAULT_KIB_MAX || passes > limits::VAULT_PASSES_MAX {
            return Err(VaultError::Format);
        }
        let chunks = Chunks::new(head, passphrase, memory, passes)?;
        Ok(Self { from, chunks, ahead: Vec::new(), open: Zeroizing::default(), at: 0, ended: false })
    }

    /// The next chunk. It is the last one if fewer bytes follow than a whole chunk and one more have.
    fn next(&mut self) -> io::Result<()> {
        let wanted = CHUNK + TAG + 1;
        let missing = wanted - self.ahead.len();
        (&mut self.from).take(missing as u64).read_to_end(&mut self.ahead)?;
        let last = self.ahead.len() < wanted;
        let rest = if last { Vec::new() } else { self.ahead.split_off(CHUNK + TAG) };
        let mut chunk = std::mem::replace(&mut self.ahead, rest);
        self.chunks.open(&mut chunk, last)?;
        self.open = Zeroizing::new(chunk);
        self.at = 0;
        self.ended = last;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.open.len() && !self.ended {
            self.next()?;
        }
        let taken = into.len().min(self.open.len() - self.at);
        into[..taken].copy_from_slice(&self.open[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::MachineRandom;

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), b"correct horse", &mut MachineRandom::new().unwrap()).unwrap();
        sealer.write_all(content).unwrap();
        sealer.end().unwrap()
    }

    fn opened(vault: &[u8], passphrase: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut content = Vec::new();
        Opener::new(vault, passphrase)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_alone() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17] {
            let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let vault = sealed(&content);
            assert_eq!(opened(&vault, b"correct horse").unwrap(), content, "{length}");
        }
        let told = opened(&sealed(b"content"), b"battery staple").unwrap_err().to_string();
        assert!(told.contains("passphrase"), "{told}");
    }

    #[test]
    fn nothing_can_be_changed_cut_off_or_moved() {
        let vault = sealed(&vec![7; 2 * CHUNK + 100]);
        for at in [0, MAGIC.len() + 3, HEAD - 1, HEAD, HEAD + CHUNK, vault.len() - 1] {
            let mut bad = vault.clone();
            bad[at] ^= 1;
            assert!(opened(&bad, b"correct horse").is_err(), "byte {at}");
        }
        let sealed_chunk = CHUNK + TAG;
        for cut in [0, HEAD, HEAD + sealed_chunk, HEAD + 2 * sealed_chunk, vault.len() - 1] {
            assert!(opened(&vault[..cut], b"correct horse").is_err(), "cut at {cut}");
        }
        let mut swapped = vault[..HEAD].to_vec();
        swapped.extend_from_slice(&vault[HEAD + sealed_chunk..HEAD + 2 * sealed_chunk]);
        swapped.extend_from_slice(&vault[HEAD..HEAD + sealed_chunk]);
        swapped.extend_from_slice(&vault[HEAD + 2 * sealed_chunk..]);
        assert!(opened(&swapped, b"correct horse").is_err());
    }

    #[test]
    fn a_head_that_asks_for_absurd_work_is_refused_before_it_is_done() {
        let mut vault = sealed(b"content");
        vault[MAGIC.len() + 16] = 0xff;
        assert!(matches!(opened(&vault, b"correct horse"), Err(VaultError::Format)));
    }
}
