//! The networks that clients come from. Limits for strangers count by network, since one customer usually has all addresses of one.

use std::net::{IpAddr, Ipv6Addr};

/// The bits of an IPv6 address that one customer usually has.
const BITS_V6: u32 = 64;

/// An address of IPv4, or 64 bits of IPv6. `None` for all clients at a Unix socket.
pub(super) type Network = Option<IpAddr>;

/// The network of an address.
pub(super) fn of(address: IpAddr) -> Network {
    Some(match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (u128::BITS - BITS_V6))).into()
        }
        address @ IpAddr::V4(_) => address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_of_ipv4_or_64_bits_of_ipv6() {
        for (address, network) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "::"),
        ] {
            assert_eq!(of(address.parse().unwrap()), Some(network.parse().unwrap()), "{address}");
        }
    }
}
