//! The addresses that a cluster added through the API may not reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses of cloud providers' metadata and host services outside the link-local ranges: AWS
/// over IPv6, Google over IPv6, Alibaba, Oracle, Azure.
const METADATA: [IpAddr; 5] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Returns the IPv4 address that an IPv6 address stands for (mapped, compatible, translated as in
/// RFC 2765, NAT64 as in RFC 6052, 6to4), else the address itself.
pub(super) fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let low = IpAddr::V4(Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h)));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => low,
        (0, 0, 0, 0, 0, 0) if g != 0 => low,
        (0x2002, ..) => IpAddr::V4(Ipv4Addr::from_bits(u32::from(b) << 16 | u32::from(c))),
        _ => address,
    }
}

/// Returns whether a cluster may have this address.
///
/// It may not be an address of this host (loopback, unspecified), of its link (link-local, cloud
/// metadata) or of a group (multicast, broadcast), or one whose target is hidden (Teredo, local
/// NAT64).
pub(super) fn is_ordinary(address: IpAddr) -> bool {
    if METADATA.contains(&address) || address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        return false;
    }
    match address {
        IpAddr::V4(v4) => !(v4.is_link_local() || v4.is_broadcast() || v4.octets()[0] == 0),
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            let hidden = (a == 0x2001 && b == 0) || (a == 0x64 && b == 0xff9b && c == 1);
            !(v6.is_unicast_link_local() || hidden)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{net::IpAddr, sync::Arc};

    use crate::client::Policy;

    #[test]
    fn this_host_its_link_and_disguises_are_refused() {
        let policy = Policy::default();
        let refused = "127.0.0.1 127.8.9.10 0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 224.0.0.1 255.255.255.255 ::1 :: fe80::1 febf::1 ff02::1 \
            ::ffff:127.0.0.1 ::ffff:0:127.0.0.1 ::ffff:0:a9fe:a9fe ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 ::127.0.0.1 2002:7f00:1:: 2002:a9fe:a9fe::1 \
            2001:0:1::1 fd00:ec2::254 fd20:ce::254 100.100.100.200 192.0.0.192 168.63.129.16";
        for address in refused.split_whitespace() {
            assert!(!policy.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn private_and_public_addresses_are_allowed() {
        let policy = Policy::default();
        for address in
            "10.0.0.1 172.16.3.4 192.168.1.10 100.64.0.1 8.8.8.8 2600::1 fd12::1 64:ff9b::808:808 ::ffff:10.0.0.1"
                .split_whitespace()
        {
            assert!(policy.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn the_operator_may_allow_networks() {
        let policy = Policy {
            allowed_networks: Arc::new(["127.0.0.0/8".parse().unwrap(), "fe80::/10".parse().unwrap()]),
            ..Policy::default()
        };
        let allows = |address: &str| policy.allows(address.parse::<IpAddr>().unwrap());
        assert!(allows("127.0.0.1") && allows("::ffff:127.0.0.1") && allows("fe80::1"));
        assert!(!allows("169.254.169.254") && !allows("::1"));
    }
}
