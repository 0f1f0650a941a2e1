//! The table that is compiled in, made-up ones, and everything people type.

use std::fs;

use netwark_model::mac::Mac;
use proptest::prelude::*;

use super::answer::{Kind, Slap, looks_like_an_address};
use super::*;
use crate::fetch::Location;
use crate::update::{Asked, Kept, Outcome, directory, update};

fn answer(typed: &str) -> Answer {
    Table::built_in().answer(typed).unwrap()
}

fn orgname(typed: &str) -> String {
    answer(typed).orgname.unwrap_or_default()
}

#[test]
fn the_table_that_comes_with_the_program_is_whole_and_small() {
    let table = Table::built_in();
    let count = |registry| table.iter().filter(|entry| entry.registry == registry).count();
    assert_eq!(Registry::ALL.map(count), [40_010, 6_565, 7_155, 4_575, 178]);
    assert_eq!(table.about().date, Some("2026-08-26".parse().unwrap()));
    assert!(include_bytes!("vendors.bin").len() < 1_000_000);
    let told = table.iter().filter(|entry| !entry.address.is_empty()).count();
    assert!(told > table.len() * 95 / 100, "{told}");
    assert!(table.iter().all(|entry| !entry.name.is_empty()));
}

#[test]
fn the_smallest_block_wins() {
    let cases = [
        ("00:00:0c:12:34:56", "00000C", Registry::MaL, "Cisco Systems, Inc"),
        ("70:B3:D5:F2:F1:23", "70B3D5F2F", Registry::MaS, "TELEPLATFORMS"),
        ("00:50:C2:7D:51:23", "0050C27D5", Registry::Iab, "DEUTA-WERKE GmbH"),
        ("C0:D3:91:91:23:45", "C0D3919", Registry::MaM, "xxter bv"),
        ("DA:A1:19:01:02:03", "DAA119", Registry::Cid, "Google, Inc."),
        // Nobody has this part of a block that is divided further.
        ("C0:D3:91:F1:23:45", "C0D391", Registry::MaL, "IEEE Registration Authority"),
    ];
    for (mac, assignment, registry, name) in cases {
        let answer = answer(mac);
        assert_eq!(answer.assignment.as_deref(), Some(assignment), "{mac}");
        assert_eq!((answer.registry, answer.orgname.as_deref()), (Some(registry), Some(name)), "{mac}");
    }
    let twice = answer("08:00:30:00:00:00");
    assert_eq!(twice.assignment.as_deref(), Some("080030"));
}

#[test]
fn every_assignment_is_found_by_its_first_and_last_address() {
    let table = Table::built_in();
    for entry in table.iter() {
        let found = table.find(entry.first).unwrap();
        assert!(found.first <= entry.first && found.registry.bits() >= entry.registry.bits());
        let size = 1_u64 << (48 - entry.registry.bits());
        let last = table.find(Mac::from_bits(entry.first.bits() + size - 1)).unwrap();
        assert!(last.first >= entry.first, "{}", entry.assignment());
    }
}

#[test]
fn all_usual_notations_mean_the_same() {
    for written in [
        "00:1a:2b:03:04:05",
        "00-1A-2B-03-04-05",
        "001a.2b03.0405",
        "001a-2b03-0405",
        "001a:2b03:0405",
        "001a2b030405",
        "001A2B-030405",
        "001a2b:030405",
        "00 1a 2b 03 04 05",
        "0:1a:2b:3:4:5",
        "0x001A2B030405",
        "  00:1a:2b:03:04:05\n",
    ] {
        let prefix = Prefix::parse(written).unwrap_or_else(|| panic!("{written}"));
        assert_eq!(prefix.mac(), Some(Mac::from_bits(0x001a_2b03_0405)), "{written}");
        assert_eq!(prefix.to_string(), "00:1a:2b:03:04:05", "{written}");
    }
    for eui64 in ["00:1a:2b:ff:fe:03:04:05", "001a.2bff.fe03.0405", "001a2bfffe030405"] {
        assert!(Prefix::parse(eui64).unwrap().is_eui64(), "{eui64}");
        assert_eq!(answer(eui64).mac.as_deref(), Some("00:1a:2b:ff:fe:03:04:05"));
    }
    for (beginning, start, digits) in [
        ("00:1a:2b", 0x001a_2b00_0000, 6),
        ("00-1A-2B-", 0x001a_2b00_0000, 6),
        ("001a.2b", 0x001a_2b00_0000, 6),
        ("00:1a:2b:0", 0x001a_2b00_0000, 7),
        ("001a2b03f", 0x001a_2b03_f000, 9),
        ("00:50:c2:7d:50:00/36", 0x0050_c27d_5000, 9),
        ("00:50:c2:7d:5f:ff/24", 0x0050_c200_0000, 6),
    ] {
        let prefix = Prefix::parse(beginning).unwrap_or_else(|| panic!("{beginning}"));
        assert_eq!((prefix.start(), prefix.digits()), (start, digits), "{beginning}");
    }
    for wrong in [
        "",
        ":",
        "00:1a:2b:03:04:05:06",
        "00:1a:2b:03:04:0g",
        "001a2b0304056",
        "00::1a",
        "00:1a-2b:03:04:05",
        "001a.2b03.040",
        "00:1a:2b/99",
        "00:1a:2b/",
        "1.2.3.4.5.6.7",
        "0x",
        "é",
    ] {
        assert_eq!(Prefix::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn beginnings_are_answered_by_who_has_all_of_them() {
    assert_eq!(orgname("00000c"), "Cisco Systems, Inc");
    assert_eq!(orgname("00:00:0c:1"), "Cisco Systems, Inc");
    assert_eq!(orgname("70b3d5f2f"), "TELEPLATFORMS");
    assert_eq!(orgname("70b3d5f2f1"), "TELEPLATFORMS");
    // The first of the parts has another owner than the whole.
    assert_eq!(orgname("70b3d5"), "IEEE Registration Authority");
    assert_eq!(answer("52:54:00").known.unwrap().name, "QEMU/KVM");
    assert_eq!(answer("00:00:5e:00:01").known.unwrap().detail, None);
}

#[test]
fn names_are_found_and_ranked() {
    let sony = answer("sony corporation");
    assert_eq!((sony.kind, sony.orgname.as_deref()), (Kind::Name, Some("Sony Corporation")));
    assert!(sony.assignments.unwrap() > 10);
    assert_eq!(orgname("CISCO SYSTEMS INC"), "Cisco Systems, Inc");
    let nobody = answer("no such company at all");
    assert_eq!((nobody.orgname, nobody.assignments), (None, None));

    let table = Table::built_in();
    let found = table.search("raspberry pi");
    assert!(found[0].name(table).starts_with("Raspberry Pi"));
    let ranks: Vec<&str> = table.search("apple").iter().map(|found| found.name(table)).take(1).collect();
    assert_eq!(ranks, ["Apple, Inc."]);
    assert!(table.search(" .,- ").is_empty());
}

#[test]
fn lists_are_filtered() {
    let table = Table::built_in();
    let list = |filter: Filter| table.list(&filter);
    let all = list(Filter { assignment: Prefix::parse("0050c2"), ..Filter::default() });
    assert!(all.len() > 1000 && all.iter().all(|entry| entry.assignment().starts_with("0050C2")));
    let whole = list(Filter { assignment: Prefix::parse("0050C27D5"), ..Filter::default() });
    assert_eq!(whole.len(), 1, "the block around it does not begin with these digits");
    let named = list(Filter { orgname: Some("CISCO s".into()), ..Filter::default() });
    assert!(named.len() > 1000 && named.iter().all(|entry| entry.name.to_lowercase().starts_with("cisco s")));
    let both = Filter {
        orgname: Some("cisco s".into()),
        assignment: Prefix::parse("0"),
        registry: Some(Registry::MaL),
        ..Filter::default()
    };
    assert!(!list(both.clone()).is_empty() && list(both.clone()).len() < named.len());
    let searched = list(Filter { q: Some("systems cisco".into()), ..both });
    assert!(searched.iter().all(|entry| entry.name.contains("Cisco")), "{searched:?}");
    assert_eq!(list(Filter::default()).len(), table.len());
}

#[test]
fn bits_of_an_address_are_told() {
    let phone = answer("da:a1:1a:01:02:03");
    assert_eq!((phone.local, phone.multicast, phone.randomised), (Some(true), Some(false), Some(true)));
    assert_eq!(phone.slap, Some(Slap::Eli));
    assert_eq!(answer("92:01:02:03:04:05").slap, Some(Slap::Aai));
    assert_eq!(answer("9e:01:02:03:04:05").slap, Some(Slap::Sai));
    assert_eq!(answer("96:01:02:03:04:05").slap, Some(Slap::Reserved));
    let cisco = answer("00:00:0c:01:02:03");
    assert_eq!((cisco.local, cisco.randomised, cisco.slap), (Some(false), Some(false), None));
    assert_eq!(answer("52:54:00:01:02:03").randomised, Some(false), "a virtual machine hides nothing");
    let broadcast = answer("ff:ff:ff:ff:ff:ff");
    assert_eq!((broadcast.multicast, broadcast.local), (Some(true), Some(false)));
    assert_eq!(orgname("01:00:0c:cc:cc:cc"), "Cisco Systems, Inc", "a group of Cisco");
}

#[test]
fn known_addresses_are_explained() {
    for (mac, name, detail) in [
        ("00:00:5e:00:01:0a", "VRRP or CARP, IPv4", Some("virtual router 10")),
        ("00:00:5e:00:02:ff", "VRRP, IPv6", Some("virtual router 255")),
        ("00:00:0c:07:ac:05", "HSRP version 1", Some("group 5")),
        ("00:00:0c:9f:f1:02", "HSRP version 2, IPv4", Some("group 258")),
        ("00:05:73:a0:00:0a", "HSRP version 2, IPv6", Some("group 10")),
        ("00:07:b4:00:01:02", "GLBP", Some("group 1, forwarder 2")),
        ("02:42:ac:11:00:02", "Docker", Some("made from 172.17.0.2")),
        (
            "01:00:5e:00:00:fb",
            "IPv4 multicast",
            Some("224.0.0.251 (mDNS), or one of the 31 other groups with the same last 23 bits"),
        ),
        (
            "01:00:5e:7f:ff:fa",
            "IPv4 multicast",
            Some("239.255.255.250 (SSDP), or one of the 31 other groups with the same last 23 bits"),
        ),
        (
            "33:33:00:01:00:02",
            "IPv6 multicast",
            Some("ff02::1:2 (DHCPv6 servers and relays), or another group that ends in the same 32 bits"),
        ),
        (
            "33:33:ff:12:34:56",
            "IPv6 multicast",
            Some("ff02::1:ff12:3456 (neighbours whose address ends in these 24 bits)"),
        ),
        ("01:80:c2:00:00:0e", "LLDP, PTP between neighbours", None),
        ("01:80:c2:00:00:07", "Reserved for bridges, not forwarded", None),
        ("08:00:27:01:02:03", "VirtualBox", None),
        ("00:15:5d:01:02:03", "Hyper-V", None),
    ] {
        let known = answer(mac).known.unwrap_or_else(|| panic!("{mac}"));
        assert_eq!((known.name.as_str(), known.detail.as_deref()), (name, detail), "{mac}");
    }
    for mac in ["00:07:b4:ff:01:02", "02:42:08:08:08:08", "01:00:5e:c0:00:01", "00:1b:21:00:00:00"] {
        assert_eq!(answer(mac).known, None, "{mac}");
    }
}

#[test]
fn nonsense_is_refused_with_what_was_expected() {
    let long = "x".repeat(201);
    for wrong in [
        "",
        "  ",
        "00:1a",
        "zz:zz",
        "00:0g",
        "zz:zz:zz:zz:zz:zz",
        "00:00:0c:12:34:567",
        "00:00:0g:12:34:56",
        "00-00-0g-12-34-56",
        "zz-zz-zz",
        "0000.0g12.3456",
        "00000g123456",
        "fe80::1%eth0",
        "12345",
        "001122334455667",
        "::",
        "\0",
        &long,
    ] {
        let error = Table::built_in().answer(wrong).unwrap_err().to_string();
        assert!(error.contains("no MAC address such as 00:00:0c:12:34:56"), "{wrong}: {error}");
    }
    // Bytes may lack their leading zero.
    assert_eq!(answer("00:00:0c:12:34:5").kind, Kind::Mac);
}

#[test]
fn organisations_are_found_whatever_signs_are_in_their_names() {
    for (typed, name) in [
        ("byd:sign", "byd:sign Corporation"),
        ("e:cue", "e:cue"),
        ("B:TECH", "B:TECH, a. s."),
        ("T:mi", "T:mi Ytti"),
        ("FLUX::", "FLUX::"),
        ("u::Lux GmbH", "u::Lux GmbH"),
        ("Applied Research Laboratories: UT", "Applied Research Laboratories: UT"),
        ("E-T-A", "E-T-A Elektrotechnische Apparate GmbH"),
    ] {
        assert_eq!(orgname(typed), name, "{typed}");
    }
    let table = Table::built_in();
    for organisation in 0..u32::try_from(table.organisations()).unwrap() {
        let name = table.name(organisation);
        // A few are called by a number.
        let has_letters = name.chars().any(|c| c.is_alphanumeric() && !c.is_ascii_hexdigit());
        assert!(!(has_letters && looks_like_an_address(name)), "{name}");
    }
}

#[test]
fn words_of_hexadecimal_digits_are_names_where_somebody_has_them() {
    assert!(orgname("abb").starts_with("ABB"), "{}", orgname("abb"));
    assert_eq!(answer("deadbeefcafe").mac.as_deref(), Some("de:ad:be:ef:ca:fe"));
    assert_eq!(answer("deadbeefcafe").kind, Kind::Mac);
    // Of an assignment that does not exist, and no name.
    assert_eq!(answer("facade").kind, Kind::Prefix);
    Table::built_in().answer("dbdbd").unwrap_err();
}

#[test]
fn addresses_are_found_in_the_output_of_other_programs() {
    let text = "\
? (192.0.2.1) at 0:1a:2b:3:4:5 [ether] on eth0
192.0.2.7 dev eth0 lladdr 00:00:0c:01:02:03 REACHABLE
Vlan  10   0011.2233.4455   DYNAMIC   Gi1/0/1   12:34:56
10.20.30.40 08-00-27-AA-BB-CC 2001:db8::1 00:00:0c:01:02:03";
    let found: Vec<String> = find_all(text, 10).iter().map(ToString::to_string).collect();
    let expected = ["00:1a:2b:03:04:05", "00:00:0c:01:02:03", "00:11:22:33:44:55", "08:00:27:aa:bb:cc"];
    assert_eq!(found, expected);
    assert_eq!(find_all(text, 2).len(), 2);
}

const HEADER: &str = "Registry,Assignment,Organization Name,Organization Address\n";

#[test]
fn files_of_ieee_are_read() {
    let text = format!(
        "\u{feff}{HEADER}MA-L,00000C,\"Cisco  \"\"Systems\"\", Inc\r\n\",\"a\nb \"\r\nMA-S,70B3D5F2F,Ö,\n\n"
    );
    let rows = read_csv(&text).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].name.as_str(), rows[0].address.as_str()), ("Cisco \"Systems\", Inc", "a b"));
    assert_eq!((rows[1].prefix, rows[1].address.as_str()), (0x7_0b3d_5f2f, ""));
    for (wrong, expected) in [
        ("<html>".into(), "it does not begin with"),
        (format!("{HEADER}MA-L,00000,x,y\n"), "line 2: '00000' is no assignment of MA-L"),
        (format!("{HEADER}MA-L,00000G,x,y\n"), "line 2: '00000G'"),
        (format!("{HEADER}MA-X,00000C,x,y\n"), "line 2: 'MA-X' is no registry"),
        (format!("{HEADER}\n\nMA-L,00000C,x\n"), "line 4: a row has 4 fields, this one has 3"),
        (format!("{HEADER}MA-L,00000C, ,y\n"), "00000C has no organization"),
        (format!("{HEADER}MA-L,00000C,\"x,y\n"), "line 2: it ends in the middle of a row"),
        (format!("{HEADER}MA-L,00000C,{},y\n", "x".repeat(1001)), "longer than 1000"),
    ] {
        let error = read_csv(&wrong).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn small() -> Vec<u8> {
    let rows = read_csv(&format!("{HEADER}MA-L,00000C,Cisco,x\nMA-M,C0D3919,xxter,\nMA-L,00000D,Cisco,x\n"));
    write_table(&About { date: None, origin: "test".into() }, &rows.unwrap())
}

#[test]
fn a_table_comes_back_as_it_was_written() {
    let table = format::read(&small()).unwrap();
    let entries: Vec<_> = table.iter().map(|entry| (entry.assignment(), entry.name.to_owned())).collect();
    let expected = [("00000C", "Cisco"), ("00000D", "Cisco"), ("C0D3919", "xxter")];
    assert_eq!(entries, expected.map(|(digits, name)| (digits.to_owned(), name.to_owned())));
    assert_eq!(table.find(Mac::from_bits(0xc0d3_9180_0000)), None);
}

proptest! {
    #[test]
    fn a_damaged_table_is_refused(at in 0..200_usize, bit in 0..8_u32, cut in 0..200_usize) {
        let mut file = small();
        let at = at % file.len();
        file[at] ^= 1 << bit;
        prop_assert!(format::read(&file).is_err());
        file[at] ^= 1 << bit;
        file.truncate(cut % file.len());
        prop_assert!(format::read(&file).is_err());
    }

    #[test]
    fn what_is_shown_is_understood(bits in 0..1_u64 << 48, digits in 1..=12_usize) {
        let mac = Mac::from_bits(bits);
        prop_assert_eq!(Prefix::parse(&mac.to_string()).unwrap().mac(), Some(mac));
        // With colons eleven digits are a whole address, of which the last byte lacks its leading zero.
        let digits = if digits == 11 { 10 } else { digits };
        let beginning = &format!("{bits:012x}")[..digits];
        let prefix = Prefix::parse(beginning).unwrap();
        prop_assert_eq!(Prefix::parse(&prefix.to_string()), Some(prefix));
    }

    #[test]
    fn any_bytes_are_a_table_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = format::read(&bytes);
        let mut headed = small()[..17].to_vec();
        headed.extend(bytes);
        let _ = format::read(&headed);
    }

}

proptest! {
    // Each case goes through the whole table.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn anything_may_be_typed(text in "\\PC{0,60}") {
        let _ = Table::built_in().answer(&text);
        let _ = find_all(&text, 5);
        let _ = read_csv(&text);
        let _ = Table::built_in().list(&Filter { q: Some(text), ..Filter::default() });
    }

    #[test]
    fn the_longest_match_is_the_one_that_looking_at_all_finds(at in 0..58_483_usize, low in 0..1_u64 << 24) {
        let table = Table::built_in();
        let mac = Mac::from_bits(table.at(at).unwrap().first.bits() ^ low);
        let contains = |entry: &Entry<'_>| (entry.first.bits() ^ mac.bits()) >> (48 - entry.registry.bits()) == 0;
        let slow = table.iter().filter(contains).max_by_key(|entry| entry.registry.bits());
        prop_assert_eq!(table.find(mac).map(|entry| entry.assignment()), slow.map(|entry| entry.assignment()));
    }
}

/// The whole table as files of IEEE, with rows of one's own before them.
fn csv_of(registry: Registry, more: &str) -> String {
    let mut text = format!("{HEADER}{more}");
    for entry in Table::built_in().iter().filter(|entry| entry.registry == registry) {
        let name = entry.name.replace('"', "\"\"");
        text += &format!("{},{},\"{name}\",somewhere\n", registry.as_str(), entry.assignment());
    }
    text
}

#[tokio::test]
async fn an_update_replaces_what_it_brings_and_tells_what_changed() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let kept = Kept::new(Some(directory(data.path(), NAME)), Vendors::BuiltIn, load);
    let source = Ieee::source(None);
    let path = files.path().join("mam.csv");
    let from = || Asked { from: Some(Location::File(path.clone())), dry_run: false };
    fs::write(&path, csv_of(Registry::MaM, "MA-M,0000001,Netwark Test,Here\n")).unwrap();
    let report = update(&source, data.path(), &from()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Updated);
    assert_eq!((report.changes.added, report.changes.removed, report.changes.changed), (1, 0, 0));
    assert_eq!(report.changes.examples, ["+ 0000001 Netwark Test"]);
    assert_eq!(report.entries, Table::built_in().len() as u64 + 1);
    assert!(kept.refresh());
    let table = kept.get();
    assert_eq!(table.answer("00:00:00:12:34:56").unwrap().orgname.as_deref(), Some("Netwark Test"));
    assert_eq!(table.answer("00000c").unwrap().orgname.as_deref(), Some("Cisco Systems, Inc"), "kept");

    fs::write(&path, csv_of(Registry::MaM, "MA-M,0000001,Netwark Other,Here\n")).unwrap();
    let report = update(&source, data.path(), &from()).await.unwrap();
    assert_eq!(report.changes.examples, ["~ 0000001 Netwark Other, before Netwark Test"]);
    fs::write(&path, csv_of(Registry::MaM, "MA-M,0000001,Netwark Other,There\n")).unwrap();
    let report = update(&source, data.path(), &from()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn files_that_lack_something_do_not_count() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = Ieee::source(None);
    let whole = csv_of(Registry::Iab, "");
    let half: String = whole.lines().take(2000).map(|line| format!("{line}\n")).collect();
    for (text, expected) in [
        (half.as_str(), "it has 1999 assignments of IAB, and there were 4575: some are missing"),
        (&whole[..whole.len() / 2], "line"),
        (HEADER, "has no assignments"),
        ("<html>moved</html>", "it does not begin with Registry"),
    ] {
        let path = files.path().join("oui.csv");
        fs::write(&path, text).unwrap();
        let from = Asked { from: Some(Location::File(path)), dry_run: false };
        let error = update(&source, data.path(), &from).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn places_are_mirrors_directories_and_files() {
    let source = Ieee::source(None);
    let parts = |from: &str| source.parts_from(&from.parse().unwrap());
    let named = |from: &str| -> Vec<String> {
        parts(from).unwrap().iter().flat_map(|part| part.locations.iter().map(ToString::to_string)).collect()
    };
    let all = named("https://mirror.example/ieee/");
    assert_eq!(all[..2], ["https://mirror.example/ieee/oui/oui.csv", "https://mirror.example/ieee/oui.csv"]);
    assert_eq!(all.len(), 10);
    assert_eq!(named("https://mirror.example/all.csv"), ["https://mirror.example/all.csv"]);
    assert_eq!(named("/usr/share/ieee-data")[1], "/usr/share/ieee-data/oui.csv");
    assert_eq!(named("/tmp/some.csv"), ["/tmp/some.csv"]);
    assert!(parts(env!("CARGO_MANIFEST_DIR")).is_ok());
    assert!(parts(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).is_err());
    assert_eq!(source.parts()[0].locations[0].to_string(), "https://standards-oui.ieee.org/oui/oui.csv");
}
