//! Questions and answers.

use netwark_model::mac::Mac;
use proptest::prelude::*;

use super::*;

fn json(question: &str) -> serde_json::Value {
    serde_json::to_value(calculate(question).unwrap()).unwrap()
}

fn refused(question: &str) -> String {
    read(question).unwrap_err().to_string()
}

/// Every prefix length of both families, beside what another program computes.
#[test]
fn every_prefix_length() {
    let table = include_str!("../../tests/data/ipcalc.tsv");
    let mut rows = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let cells: Vec<&str> = row.split('\t').collect();
        let question = format!("{}/{}", cells[0], cells[1]);
        let answer = calculate(&question).unwrap();
        let or_dash = |address: Option<std::net::Ipv4Addr>| address.map_or("-".to_owned(), |a| a.to_string());
        let told = [
            answer.address.to_string(),
            answer.cidr.to_string(),
            answer.network.to_string(),
            or_dash(answer.netmask),
            or_dash(answer.ipv4.as_ref().map(|v4| v4.wildcard)),
            answer.usable_ips.to_string(),
            answer.first_ip.to_string(),
            answer.last_ip.to_string(),
            or_dash(answer.broadcast),
            answer.end.to_string(),
        ];
        assert_eq!(told, cells[..], "{question}");
        let written = serde_json::to_string(&answer).unwrap();
        assert!(
            written.contains(&format!("\"usable_ips\":{},", cells[5])),
            "{question} is not exact: {written}"
        );
        let exact = answer.usable_ips <= 1 << 53;
        assert_eq!(answer.usable_ips_text, (!exact).then(|| cells[5].to_owned()), "{question}");
        let neighbours = [answer.previous, answer.next].into_iter().flatten();
        assert!(neighbours.into_iter().all(|next| next.prefix_len() == answer.cidr), "{question}");
        rows += 1;
    }
    assert_eq!(rows, 33 + 129);
}

#[test]
fn every_form_is_read() {
    for (text, form, address, network) in [
        ("192.0.2.77", Form::Address, "192.0.2.77", "192.0.2.77/32"),
        (" [2001:db8::1] ", Form::Address, "2001:db8::1", "2001:db8::1/128"),
        ("fe80::1%br-lan", Form::Address, "fe80::1", "fe80::1/128"),
        ("fe80::1%eth0/64", Form::Prefix, "fe80::1", "fe80::/64"),
        ("192.0.2.77/24", Form::Prefix, "192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.77 / 24", Form::Prefix, "192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.77 /24", Form::Prefix, "192.0.2.77", "192.0.2.0/24"),
        ("10/8", Form::Prefix, "10.0.0.0", "10.0.0.0/8"),
        ("172.16/12", Form::Prefix, "172.16.0.0", "172.16.0.0/12"),
        ("192.168.1/255.255.255.0", Form::Netmask, "192.168.1.0", "192.168.1.0/24"),
        ("192.0.2.77/255.255.255.0", Form::Netmask, "192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.77 netmask 0xffffff00", Form::Netmask, "192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.77 255.255.255.255", Form::Netmask, "192.0.2.77", "192.0.2.77/32"),
        ("192.0.2.77 0.0.0.0", Form::Netmask, "192.0.2.77", "0.0.0.0/0"),
        ("192.0.2.77 0.0.0.255", Form::Wildcard, "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8::1/ffff:ffff::", Form::Netmask, "2001:db8::1", "2001:db8::/32"),
        ("192.0.2.1-192.0.2.6", Form::Range, "192.0.2.1", "192.0.2.0/29"),
        ("192.0.2.1 – 6", Form::Range, "192.0.2.1", "192.0.2.0/29"),
        ("2001:db8::-2001:db8::ffff", Form::Range, "2001:db8::", "2001:db8::/112"),
        ("3221226061", Form::Integer, "192.0.2.77", "192.0.2.77/32"),
        ("3221226061/24", Form::Prefix, "192.0.2.77", "192.0.2.0/24"),
        ("4294967296", Form::Integer, "::1:0:0", "::1:0:0/128"),
        ("0xC000024D", Form::Hex, "192.0.2.77", "192.0.2.77/32"),
        ("0x20010db8000000000000000000000001", Form::Hex, "2001:db8::1", "2001:db8::1/128"),
        ("0x000000001", Form::Hex, "::1", "::1/128"),
        (
            "340282366920938463463374607431768211455/0",
            Form::Prefix,
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "::/0",
        ),
    ] {
        let question = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let told = (question.form, question.address.to_string(), question.network.to_string());
        assert_eq!(told, (form, address.to_owned(), network.to_owned()), "{text}");
    }
}

#[test]
fn nonsense_is_refused_with_what_would_be_right() {
    for (text, part) in [
        ("", "it is empty"),
        ("example.org", "must be an address, a prefix"),
        ("192.0.2.256", "got '192.0.2.256'"),
        ("192.0.2.077", "octal"),
        ("192.0.2.1/33", "from 0 to 32, got '33'"),
        ("2001:db8::/129", "from 0 to 128, got '129'"),
        ("192.0.2.1/-1", "got '192.0.2.1/'"),
        ("192.0.2.1/", "from 0 to 32, got ''"),
        ("192.0.2.1/255.0.255.0", "ones followed by zeros"),
        ("192.0.2.1/ffff::", "from 0 to 32"),
        ("2001:db8::/255.255.255.0", "from 0 to 128"),
        ("192.0.2.9-192.0.2.1", "begins before it ends"),
        ("192.0.2.9-5", "begins before it ends"),
        ("192.0.2.9-::1", "within one family"),
        ("0x", "got '0x'"),
        ("0x100000000000000000000000000000000", "got '0x1000"),
        ("340282366920938463463374607431768211456", "got '3402"),
        ("10.1.2.3.4/8", "got '10.1.2.3.4'"),
        ("+5", "got '+5'"),
        ("１", "got '１'"),
        ("\u{1b}[2Jx", "got '[2Jx'"),
    ] {
        let told = refused(text);
        assert!(told.contains(part), "{text}: {told}");
    }
    assert!(refused(&"9".repeat(LONGEST + 1)).contains("at most 120"));
    assert!(refused(&"é".repeat(LONGEST)).ends_with("…'"));
}

#[test]
fn an_ipv4_answer() {
    let answer = json("192.0.2.77/24");
    for (field, value) in [
        ("/binary/address", "11000000.00000000.00000010.01001101"),
        ("/binary/mask", "11111111.11111111.11111111.00000000"),
        ("/addresses", "256"),
        ("/integer", "3221226061"),
        ("/hex", "0xc000024d"),
        ("/kind", "Documentation (TEST-NET-1)"),
        ("/special/rfc", "RFC 5737"),
        ("/previous", "192.0.1.0/24"),
        ("/next", "192.0.3.0/24"),
        ("/parent", "192.0.2.0/23"),
        ("/ipv4/wildcard", "0.0.0.255"),
        ("/ipv4/netmask_hex", "0xffffff00"),
        ("/ipv4/class", "C"),
        ("/ipv4/mapped", "::ffff:192.0.2.77"),
        ("/ipv4/six_to_four", "2002:c000:24d::/48"),
        ("/ipv4/nat64", "64:ff9b::c000:24d"),
        ("/reverse/name", "77.2.0.192.in-addr.arpa"),
    ] {
        assert_eq!(answer.pointer(field).and_then(|told| told.as_str()), Some(value), "{field}");
    }
    assert_eq!(answer["public"], false);
    for (address, class) in
        [("127.0.0.1", 'A'), ("128.0.0.1", 'B'), ("192.0.0.1", 'C'), ("224.0.0.1", 'D'), ("240.0.0.1", 'E')]
    {
        assert_eq!(calculate(address).unwrap().ipv4.unwrap().class, class, "{address}");
    }
    assert_eq!(calculate("255.255.240.0").unwrap().ipv4.unwrap().as_netmask, Some(20));
    assert_eq!(calculate("224.0.0.251").unwrap().multicast_mac.unwrap(), "01:00:5e:00:00:fb");
}

#[test]
fn an_ipv6_answer() {
    let answer = json("2001:db8::5eff:fe00:5301/64");
    for (field, value) in [
        ("/kind", "Documentation"),
        ("/hex", "0x20010db800000000000000005efffe0053"),
        ("/ipv6/solicited_node", "ff02::1:ff00:5301"),
        ("/previous", "2001:db7:ffff:ffff::/64"),
        ("/next", "2001:db8:0:1::/64"),
        ("/parent", "2001:db8::/63"),
    ] {
        let told = answer.pointer(field).and_then(|told| told.as_str()).unwrap_or_default();
        assert!(told.starts_with(value) || field == "/hex", "{field}: {told}");
    }
    assert_eq!(calculate("::1").unwrap().hex, format!("0x{}1", "0".repeat(31)));
    assert_eq!(calculate("ff02::fb").unwrap().multicast_mac.unwrap(), "33:33:00:00:00:fb");
    assert_eq!(calculate("::1").unwrap().binary.address.len(), 128 + 7);
    let with_mac = answer_with_mac("2001:db8::/64", "00:00:5e:00:53:01");
    assert_eq!(with_mac.ipv6.unwrap().eui64.unwrap().address.to_string(), "2001:db8::200:5eff:fe00:5301");
}

fn answer_with_mac(question: &str, mac: &str) -> Answer {
    super::answer(&read(question).unwrap(), Some(mac.parse().unwrap()))
}

#[test]
fn kinds() {
    for (question, kind, parts) in [
        ("10.1.2.3/16", "Private-Use", 0),
        ("8.8.8.8", "Global Unicast", 0),
        ("198.0.0.0/8", "Several kinds", 2),
        ("2620::/16", "Several kinds", 1),
        ("2a00::/12", "Global Unicast", 0),
        ("2001:db8::/32", "Documentation", 0),
        ("8000::/3", "Reserved by IETF", 0),
        ("224.0.0.1", "Multicast", 0),
        ("::/0", "Several kinds", 27),
    ] {
        let answer = calculate(question).unwrap();
        assert_eq!((answer.kind, answer.special_parts.len()), (kind, parts), "{question}");
    }
}

#[test]
fn a_range_is_told_by_its_prefixes() {
    let answer = calculate("192.0.2.1-192.0.2.6").unwrap();
    assert_eq!(answer.prefix.to_string(), "192.0.2.0/29");
    let range = answer.range.unwrap();
    assert_eq!((range.addresses.as_str(), range.prefixes.len()), ("6", 4));
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,40}") {
        let _ = read(&text).map(|question| super::answer(&question, None));
    }

    #[test]
    fn no_likely_text_is_too_odd(text in "[0-9a-fx.:/% \\[\\]-]{0,50}", mac in any::<[u8; 6]>()) {
        let _ = read(&text).map(|question| super::answer(&question, Some(Mac::new(mac))));
    }

    #[test]
    fn what_is_told_is_read_again(bits in any::<u128>(), length in 0..=128_u8) {
        let address = Family::V6.address(bits);
        let answer = calculate(&format!("{address}/{length}")).unwrap();
        prop_assert_eq!(calculate(&answer.prefix.to_string()).unwrap().prefix, answer.prefix);
        prop_assert_eq!(calculate(&answer.hex).unwrap().address, address);
        prop_assert!(answer.prefix.contains(&answer.first_ip) && answer.prefix.contains(&answer.last_ip));
        for (near, distance) in [(answer.previous, -1_i8), (answer.next, 1)] {
            if let Some(near) = near {
                prop_assert!(!answer.prefix.contains(&near), "{} at {}", near, distance);
            }
        }
    }
}
