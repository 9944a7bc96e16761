//! A stream of telemetry: a file or standard input, unpacked if it is packed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::limits;

/// The stream.
pub(super) struct Input(Box<dyn Read>);

impl Input {
    /// Opens a file, or standard input for `-`. What is packed is told by its first bytes (RFC 1952, RFC 8878), whatever its
    /// name.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let plain: Box<dyn Read> =
            if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
        let mut plain = BufReader::with_capacity(limits::COPY_BYTES, plain);
        let begin = plain.fill_buf()?;
        Ok(Self(match begin {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(plain)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(plain)?),
            _ => Box::new(plain),
        }))
    }

    /// Some bytes; none at the end.
    pub(super) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}
