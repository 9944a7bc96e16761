//! Addresses of IPv4 and IPv6 in text, and their networks.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::hashing::{Begin, Key};

/// Reads four numbers with dots, zeros in front allowed (`010.001.2.3` is 10.1.2.3, as logs that pad write it).
#[inline]
pub(crate) fn four(text: &[u8]) -> Option<u32> {
    let (mut address, mut number, mut digits, mut dots) = (0_u32, 0_u32, 0_u32, 0_u32);
    for &byte in text {
        if byte == b'.' {
            if digits == 0 {
                return None;
            }
            address = address << 8 | number;
            (number, digits, dots) = (0, 0, dots + 1);
        } else {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + u32::from(digit);
            digits += 1;
            if digits > 3 || number > 255 {
                return None;
            }
        }
    }
    (dots == 3 && digits > 0).then_some(address << 8 | number)
}

/// Reads an address of IPv6 in any spelling of RFC 4291 §2.2.
pub(crate) fn six(text: &[u8]) -> Option<Ipv6Addr> {
    if text.len() > 45 {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The address of IPv4 that is written as one of IPv6 (`::ffff:1.2.3.4`, RFC 4291 §2.5.5.2).
pub(crate) fn mapped(address: Ipv6Addr) -> Option<u32> {
    address.to_ipv4_mapped().map(Ipv4Addr::to_bits)
}

/// The hash of an address or, with `length` below 32, of a network.
#[inline]
pub(crate) fn hash_four(key: &Key, address: u32, length: u8) -> u64 {
    key.finish(key.word(key.begin(Begin::Ip4), u64::from(address) | u64::from(length) << 32))
}

/// The same of IPv6.
pub(crate) fn hash_six(key: &Key, address: u128, length: u8) -> u64 {
    let (low, high) = (address as u64, (address >> 64) as u64);
    let begin = key.word(key.begin(Begin::Ip6), u64::from(length));
    key.finish(key.word(key.word(begin, high), low))
}

/// The network of a length that an address is in.
#[inline]
pub(crate) fn network_four(address: u32, length: u8) -> u32 {
    address & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

/// The same of IPv6.
pub(crate) fn network_six(address: u128, length: u8) -> u128 {
    address & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_numbers_are_read_and_nothing_else() {
        let check = |text: &str, expect: Option<u32>| assert_eq!(four(text.as_bytes()), expect, "{text}");
        check("1.2.3.4", Some(0x0102_0304));
        check("255.255.255.255", Some(u32::MAX));
        check("010.001.002.003", Some(0x0a01_0203));
        for wrong in ["1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3", "1.2.3.", ".1.2.3", "1.2.3.0004", "1.2.3.a", ""] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(four_bits: u32, six_bits: u128) {
            prop_assert_eq!(four(Ipv4Addr::from_bits(four_bits).to_string().as_bytes()), Some(four_bits));
            let address = Ipv6Addr::from_bits(six_bits);
            prop_assert_eq!(six(address.to_string().as_bytes()), Some(address));
        }

        #[test]
        fn an_address_is_in_its_networks(bits: u32, length in 0_u8..=32, wide: u128, long in 0_u8..=128) {
            let network = network_four(bits, length);
            prop_assert_eq!(network_four(network, length), network);
            prop_assert_eq!(u64::from(bits ^ network) >> (32 - length), 0);
            prop_assert_eq!(network_six(network_six(wide, long), long), network_six(wide, long));
        }
    }
}
