//! Which registry knows which part of the Internet.
//!
//! A table is compiled in. The bootstrap files of IANA (RFC 9224) win over it, and rows of a file of one's own over both.

mod table;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use ipnet::IpNet;
use reqwest::Url;

use self::table::Table;
pub(super) use self::table::base;
use super::question::Question;

/// Read when something is asked of it for the first time: most programs that could look something up do not.
static BUILT_IN: LazyLock<Table> = LazyLock::new(Table::built_in);

/// The server of IANA, which knows every registry.
pub const IANA: &str = "whois.iana.org";

/// Who knows something, by protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    /// Base of its RDAP service, with the slash at the end.
    pub rdap: Option<String>,
    /// Its server of WHOIS, with a port when it is not 43.
    pub whois: Option<String>,
}

impl Registry {
    fn or(self, other: Option<&Self>) -> Self {
        let other = other.cloned().unwrap_or_default();
        Self { rdap: self.rdap.or(other.rdap), whois: self.whois.or(other.whois) }
    }
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Registries {
    /// Until something is added, the table that is compiled in.
    changed: Option<Box<Table>>,
}

impl Registries {
    /// A table without rows, whose last resort is this server.
    pub fn empty(iana: &str) -> Self {
        Self { changed: Some(Box::new(Table::empty(iana))) }
    }

    /// The table that is compiled in.
    pub fn built_in() -> Self {
        Self::default()
    }

    fn table(&self) -> &Table {
        self.changed.as_deref().unwrap_or(&BUILT_IN)
    }

    fn table_mut(&mut self) -> &mut Table {
        self.changed.get_or_insert_with(|| Box::new(BUILT_IN.clone()))
    }

    /// The server that is asked when no row fits.
    pub fn iana(&self) -> &str {
        self.table().iana()
    }

    /// Adds rows of one's own, which win over all others: `rdap https://rdap.example/ example 192.0.2.0/24`,
    /// `whois whois.example AS64500-AS64510`, or `iana whois.example` for the last resort. `#` begins a comment.
    ///
    /// # Errors
    /// Names the line that is not understood; those before it count.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        self.table_mut().add(text)
    }

    /// Adds a bootstrap file of IANA: `dns.json`, `ipv4.json`, `ipv6.json` or `asn.json` (RFC 9224). It wins over what
    /// is compiled in and over files that were added before, but not over rows of one's own.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn add_bootstrap(&mut self, json: &str) -> Result<usize, String> {
        self.table_mut().add_bootstrap(json)
    }

    /// The places that rows of one's own name by address: whoever wrote them wants them to be asked, public or not. A
    /// server that is named by a host must have a public address.
    pub fn named_places(text: &str) -> Vec<SocketAddr> {
        let target = |line: &str| {
            let mut words = line.split('#').next()?.split_whitespace();
            match (words.next()?, words.next()?) {
                ("rdap", url) => {
                    let url = Url::parse(url).ok()?;
                    let host = url.host_str()?.trim_matches(['[', ']']).parse().ok()?;
                    Some(SocketAddr::new(host, url.port_or_known_default()?))
                }
                (_, server) => {
                    let address = server.parse::<IpAddr>().map(|address| SocketAddr::new(address, 43));
                    server.parse().or(address).ok()
                }
            }
        };
        text.lines().filter_map(target).collect()
    }

    /// Everything of which an RDAP service is known, spelled as in rows, with the base of the service.
    pub(super) fn over_rdap(&self) -> BTreeMap<String, &str> {
        self.table().over_rdap()
    }

    /// Who knows what is asked about; empty when nobody is known to.
    pub fn of(&self, question: &Question) -> Registry {
        self.table().of(question)
    }

    /// True when a row speaks of the very thing rather than of all that is around it: of a network within this block,
    /// of a name or of a number.
    pub(super) fn has_row_within(&self, question: &Question, block: Option<IpNet>) -> bool {
        self.table().has_row_within(question, block)
    }

    /// The RDAP service of whoever has this server of WHOIS.
    pub fn rdap_of(&self, whois: &str) -> Option<&str> {
        self.table().rdap_of(whois)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(table: &Registries, text: &str) -> (Option<String>, Option<String>) {
        let row = table.of(&Question::parse(text).unwrap());
        (row.rdap, row.whois)
    }

    #[test]
    fn who_knows_what() {
        let table = Registries::built_in();
        let pair = |rdap: &str, whois: &str| {
            (
                Some(rdap.to_owned()).filter(|r| !r.is_empty()),
                Some(whois.to_owned()).filter(|w| !w.is_empty()),
            )
        };
        for (asked, rdap, whois) in [
            ("example.com", "https://rdap.verisign.com/com/v1/", "whois.verisign-grs.com"),
            ("example.co.uk", "https://rdap.nominet.uk/uk/", "whois.nic.uk"),
            ("example.nowhere", "", ""),
            ("com", "", ""),
            ("193.0.6.139", "https://rdap.db.ripe.net/", "whois.ripe.net"),
            ("2a00:1450::1", "https://rdap.db.ripe.net/", "whois.ripe.net"),
            ("2001:4200::/32", "https://rdap.afrinic.net/rdap/", "whois.afrinic.net"),
            ("200.3.14.10", "https://rdap.lacnic.net/rdap/", "whois.lacnic.net"),
            ("1.1.1.0/24", "https://rdap.apnic.net/", "whois.apnic.net"),
            ("0.0.0.0/0", "", ""),
            ("AS3333", "https://rdap.db.ripe.net/", "whois.ripe.net"),
            ("AS15169", "https://rdap.arin.net/registry/", "whois.arin.net"),
            ("AS197000", "https://rdap.db.ripe.net/", "whois.ripe.net"),
            ("AS999999999", "", ""),
        ] {
            assert_eq!(of(&table, asked), pair(rdap, whois), "{asked}");
        }
        assert_eq!(table.rdap_of("whois.apnic.net"), Some("https://rdap.apnic.net/"));
    }

    #[test]
    fn ones_own_rows_win() {
        let mut table = Registries::built_in();
        table
            .add("whois whois.corp.example com 10.0.0.0/8 AS64512-AS64600 # ours\n\niana 192.0.2.1:4343")
            .unwrap();
        assert_eq!(of(&table, "a.com").1.as_deref(), Some("whois.corp.example"));
        assert_eq!(of(&table, "a.com").0.as_deref(), Some("https://rdap.verisign.com/com/v1/"));
        assert_eq!(of(&table, "10.1.2.3").1.as_deref(), Some("whois.corp.example"));
        assert_eq!(of(&table, "AS64512").1.as_deref(), Some("whois.corp.example"));
        assert_eq!(table.iana(), "192.0.2.1:4343");
        for (rows, why) in [
            ("whois", "line 1: there must be a server"),
            ("\nftp x y", "line 2: 'ftp' is neither"),
            ("rdap rdap.example x", "no URL"),
            ("whois x 10.0.0.0/99", "no prefix"),
            ("whois x ASx", "no AS number"),
        ] {
            let told = table.add(rows).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn places_are_named_by_their_address() {
        let rows = "whois 10.0.0.5 a\nwhois 10.0.0.6:4343 b\nrdap http://[fd00::1]:8080/x c\nwhois whois.example d # 1.2.3.4\n";
        let places: Vec<String> = Registries::named_places(rows).iter().map(ToString::to_string).collect();
        assert_eq!(places, ["10.0.0.5:43", "10.0.0.6:4343", "[fd00::1]:8080"]);
    }

    #[test]
    fn bootstrap_files_win_over_what_is_built_in_and_not_over_ones_own() {
        let mut table = Registries::built_in();
        table.add("rdap https://own.test/ own\nwhois whois.own.test AS3333").unwrap();
        let file = |services: &str| format!(r#"{{"version":"1.0","services":[{services}]}}"#);
        let names = r#"[["com","newtld","own"],["http://rdap.test/","https://rdap.test/x"]], [["odd"],["gopher://x"]]"#;
        assert_eq!(table.add_bootstrap(&file(names)), Ok(3));
        assert_eq!(table.add_bootstrap(&file(r#"[["193.0.0.0/16"],["https://more.test/"]]"#)), Ok(1));
        let numbers = r#"[["64496-64511","3333"],["https://as.test/"]]"#;
        assert_eq!(table.add_bootstrap(&file(numbers)), Ok(2));
        let some = |text: &str| Some(text.to_owned());
        for (asked, rdap, whois) in [
            ("a.com", some("https://rdap.test/x/"), some("whois.verisign-grs.com")),
            ("a.newtld", some("https://rdap.test/x/"), None),
            ("a.own", some("https://own.test/"), None),
            ("a.odd", None, None),
            ("193.0.6.139", some("https://more.test/"), some("whois.ripe.net")),
            ("AS3333", some("https://as.test/"), some("whois.own.test")),
            ("AS64500", some("https://as.test/"), None),
        ] {
            assert_eq!(of(&table, asked), (rdap, whois), "{asked}");
        }
        assert!(table.add_bootstrap("{}").is_err());
        assert!(table.add_bootstrap(&file("")).is_err());
        assert_eq!(table.over_rdap().get("AS3333"), Some(&"https://as.test/"));
    }
}
