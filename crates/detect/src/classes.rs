//! Which letter is what: a table, and the masks of 64 letters that are made from it. Everything that follows works on
//! masks; `wide.rs` makes the same ones with wide registers.

/// Letters that a host name may hold, its dots, and every byte of a letter beyond ASCII.
const HOST: u8 = 1;
/// A dot.
const DOT: u8 = 2;
/// A hexadecimal digit or a colon: hashes and IPv6 addresses.
const HEX: u8 = 4;
/// A colon.
const COLON: u8 = 8;
/// What may begin an escape or a defanged letter.
const ESCAPE: u8 = 16;
/// What may follow it.
const ESCAPED: u8 = 32;

/// The classes of the 128 letters of ASCII.
pub(crate) const TABLE: [u8; 128] = table();

const fn table() -> [u8; 128] {
    let mut table = [0; 128];
    let mut at = 0_usize;
    while at < 128 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            table[at] |= HOST;
        }
        if byte.is_ascii_hexdigit() || byte == b':' {
            table[at] |= HEX;
        }
        if byte == b'.' {
            table[at] |= DOT;
        }
        if byte == b':' {
            table[at] |= COLON;
        }
        if matches!(byte, b'\\' | b'%' | b'[' | b'(' | b'{') {
            table[at] |= ESCAPE;
        }
        if matches!(byte, b'.' | b':' | b'u' | b'U' | b'x' | b'X' | b'2' | b'd' | b'D') {
            table[at] |= ESCAPED;
        }
        at += 1;
    }
    table
}

/// What 64 letters are: bit n speaks of letter n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(crate) host: u64,
    pub(crate) dot: u64,
    pub(crate) hex: u64,
    pub(crate) colon: u64,
    pub(crate) escape: u64,
    pub(crate) escaped: u64,
    pub(crate) beyond: u64,
}

/// Letters in a block.
pub(crate) const BLOCK: usize = 64;

/// The masks of every block, letter by letter. `out` has one place for each block of `bytes`.
pub(crate) fn scalar(bytes: &[u8], out: &mut [Masks]) {
    for (block, masks) in bytes.chunks(BLOCK).zip(out) {
        *masks = Masks::default();
        for (at, &byte) in block.iter().enumerate() {
            let class = TABLE.get(usize::from(byte)).copied().unwrap_or(HOST);
            let bit = |wanted: u8| u64::from(class & wanted != 0) << at;
            masks.host |= bit(HOST);
            masks.dot |= bit(DOT);
            masks.hex |= bit(HEX);
            masks.colon |= bit(COLON);
            masks.escape |= bit(ESCAPE);
            masks.escaped |= bit(ESCAPED);
            masks.beyond |= u64::from(!byte.is_ascii()) << at;
        }
    }
}

/// The bits by which `wide.rs` asks the table, in the order of the fields of [`Masks`].
#[cfg(target_arch = "x86_64")]
pub(crate) const BITS: [u8; 6] = [HOST, DOT, HEX, COLON, ESCAPE, ESCAPED];
