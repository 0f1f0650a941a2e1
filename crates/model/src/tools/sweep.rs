//! `sweep`: who is there, of a network.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::args;
use super::verdict::Verdict;
use super::{Tool, ToolText};
use crate::error::FieldError;
use crate::mac::Mac;
use crate::target::TargetKind;
use crate::watch::ranges::{LARGE, Ranges};
use crate::watch::report::{Fact, LinkFacts};
use crate::watch::sighting::{Name, Source};

/// How long names are waited for, in milliseconds.
pub const NAMES_WITHIN_MS: u64 = 2_000;
/// Ports that are tried where a ping has no answer, or cannot be sent.
pub const USUAL_PORTS: [u16; 6] = [443, 80, 22, 445, 3389, 8080];
/// How long each of them is waited for, in milliseconds: less than the second after which a SYN is sent again (RFC 6298),
/// which would exceed the rate.
pub const PORT_WITHIN_MS: u64 = 950;

/// What the shortest frame takes on the wire with preamble, check sequence and gap, in bytes (IEEE 802.3).
pub const SHORTEST_ON_WIRE: u64 = 84;
/// Part of a link's speed that is used at most when nothing else is said, in percent.
pub const USUAL_SHARE: u8 = 10;

/// The `sweep` tool.
#[derive(Debug)]
pub struct Sweep;

/// Options of `sweep`. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SweepOptions {
    /// Packets a second at most.
    #[arg(short = 'r', long, default_value_t = 2_000, value_name = "PACKETS")]
    #[schema(minimum = 1, maximum = 1_000_000, default = 2000)]
    pub rate: u32,
    /// Bits a second at most, as they are counted on the wire; with k, M or G in the shell.
    #[arg(long, value_name = "BITS", value_parser = args::bits)]
    #[schema(minimum = 1_000, maximum = 100_000_000_000_u64)]
    pub rate_bps: Option<u64>,
    /// Part of the link's speed that is used at most, in percent; it counts where the speed is known.
    #[arg(long, default_value_t = USUAL_SHARE, value_name = "PERCENT")]
    #[schema(minimum = 1, maximum = 100, default = 10)]
    pub share: u8,
    /// How often an address is asked that does not answer.
    #[arg(short = 't', long, default_value_t = 2, value_name = "N")]
    #[schema(minimum = 1, maximum = 10, default = 2)]
    pub tries: u8,
    /// How long answers are waited for after each try; `-W` takes seconds.
    #[arg(short = 'W', long = "timeout", default_value = "0.25", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 10, maximum = 10_000, default = 250)]
    pub timeout_ms: u32,
    /// Addresses, prefixes and ranges that are left out.
    #[arg(short = 'x', long, value_name = "RANGES")]
    #[schema(max_length = 2000, example = "192.168.1.1, 192.168.1.200-254")]
    pub exclude: Option<String>,
    /// The interface whose link is asked, when not the one that leads to the addresses.
    #[arg(short = 'I', long, value_name = "NAME")]
    #[schema(max_length = 15)]
    pub interface: Option<String>,
    /// The VLAN whose tag the packets bear; the interface must be named, too.
    #[arg(long, value_name = "ID", requires = "interface")]
    #[schema(minimum = 1, maximum = 4094)]
    pub vlan: Option<u16>,
    /// Beyond the link, addresses without an answer to a ping are also tried by TCP on some usual ports.
    #[arg(short = 'T', long)]
    #[schema(default = false)]
    pub tcp: bool,
    /// Do not ask name servers and devices for names.
    #[arg(long = "no-names")]
    #[schema(default = false)]
    pub no_names: bool,
    /// Sweep more addresses than those of a /16, too.
    #[arg(long)]
    #[schema(default = false)]
    pub large: bool,
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self {
            rate: 2_000,
            rate_bps: None,
            share: USUAL_SHARE,
            tries: 2,
            timeout_ms: 250,
            exclude: None,
            interface: None,
            vlan: None,
            tcp: false,
            no_names: false,
            large: false,
        }
    }
}

impl SweepOptions {
    /// Packets a second at most, each of so many bytes on the wire, on a link of this speed in Mbit/s; at least 1.
    pub fn most_packets(&self, speed_mbps: Option<u32>, bytes: u64) -> u32 {
        let share = speed_mbps.map(|speed| u64::from(speed) * 1_000_000 * u64::from(self.share) / 100);
        let Some(bits) = share.into_iter().chain(self.rate_bps).min() else { return self.rate.max(1) };
        let packets = u32::try_from(bits / (bytes.max(1) * 8)).unwrap_or(u32::MAX);
        packets.min(self.rate).max(1)
    }

    /// How long it takes when nothing answers in so many addresses of a link, in milliseconds.
    pub fn takes_ms(&self, addresses: u64) -> u64 {
        let tries = u64::from(self.tries);
        let rate = u64::from(self.most_packets(None, SHORTEST_ON_WIRE));
        let sending = addresses.saturating_mul(tries).saturating_mul(1000) / rate;
        let names = if self.no_names { 0 } else { NAMES_WITHIN_MS };
        sending.saturating_add(tries * u64::from(self.timeout_ms) + names)
    }

    /// What is left out.
    ///
    /// # Errors
    /// Says what is wrong with it, for the field `options.exclude`.
    pub fn excluded(&self) -> Result<Option<Ranges>, FieldError> {
        let Some(text) = self.exclude.as_deref().filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        let wrong = |description: &str| FieldError::body("options.exclude", description);
        let ranges = Ranges::parse(text).map_err(|error| wrong(&error.description))?;
        if ranges.is_local() || ranges.names().next().is_some() {
            return Err(wrong("must hold addresses, prefixes and ranges only"));
        }
        Ok(Some(ranges))
    }
}

/// Words for a time in milliseconds, rounded.
fn about(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    }
}

impl Tool for Sweep {
    type Options = SweepOptions;
    const TEXT: ToolText = ToolText {
        name: "sweep",
        title: "Sweep",
        summary: "Find who is there in a network, with hardware addresses, vendors and names.",
        target: "Prefixes, ranges and names, such as 192.168.1.0/24, 10.0.0-3.1-254 or 192.168.1.10-20, with commas between them; local for the networks of the worker itself.",
    };
    const TARGET: TargetKind = TargetKind::Ranges;

    fn check(options: &SweepOptions) -> Vec<FieldError> {
        let mut errors: Vec<FieldError> = options.excluded().err().into_iter().collect();
        if options.vlan.is_some() && options.interface.is_none() {
            let why = "needs the interface that is to bear its tag: options.interface";
            errors.push(FieldError::body("options.vlan", why));
        }
        errors
    }

    fn longest_ms(options: &SweepOptions) -> u64 {
        // The target is not known here; what would take longer is refused with it.
        let many = if options.large { u64::MAX } else { LARGE };
        (options.takes_ms(many).saturating_mul(2) + 10_000).min(args::LONGEST_MS)
    }

    fn check_target(target: &str, options: &SweepOptions) -> Option<FieldError> {
        let many = Ranges::parse(target).ok()?.count();
        let takes = options.takes_ms(many);
        if many > LARGE && !options.large {
            return Some(FieldError::body(
                "options.large",
                format!(
                    "must be set to sweep more than {LARGE} addresses; these are {many} and take about {} at {} packets a second",
                    about(takes),
                    options.most_packets(None, SHORTEST_ON_WIRE)
                ),
            ));
        }
        (takes > args::LONGEST_MS).then(|| {
            FieldError::body(
                "options.rate",
                format!(
                    "is too low: {many} addresses would take about {}, at most {} are allowed",
                    about(takes),
                    about(args::LONGEST_MS)
                ),
            )
        })
    }
}

/// Who was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SweepOutcome {
    /// What was swept, normalised.
    #[schema(example = "192.168.1.0/24")]
    pub targets: String,
    /// Everything was asked; false when it was stopped or a part could not be asked.
    pub complete: bool,
    /// Addresses that are asked one by one.
    pub total: u64,
    /// Addresses that have been asked so far.
    pub probed: u64,
    /// Packets that were sent, without those for names.
    pub sent: u64,
    /// Addresses that were found, also those that [`Self::hosts`] leaves out.
    pub found: u64,
    /// Who was found, by address.
    pub hosts: Vec<SweepHost>,
    /// Hosts that were left out because the result would have become too large.
    pub left_out: u64,
    /// What was seen besides.
    pub facts: Vec<Fact>,
    /// The links that were asked.
    pub links: Vec<LinkFacts>,
    /// What could not be done, and why, in sentences.
    pub notes: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// How long it took until everybody was found, without names, in milliseconds.
    pub found_ms: f64,
    /// What it means.
    pub verdict: Verdict,
    /// The outcome as lines of text.
    pub raw: Vec<String>,
}

/// One address that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SweepHost {
    /// The address.
    #[schema(value_type = String, example = "192.168.1.20")]
    pub address: IpAddr,
    /// The hardware address of who answered first; none beyond the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Others that answered for the same address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_macs: Vec<Mac>,
    /// To whom the hardware address is assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// How it was found.
    pub source: Source,
    /// From the question to the answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<f64>,
    /// The VLAN it was found in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// It is a router.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub router: bool,
    /// It is the worker itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Its names, each with its source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Name>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_said_to_be_and_how_long_it_takes() {
        let options = SweepOptions::default();
        assert_eq!(Sweep::check_target("10.0.0.0/16", &options), None);
        let error = Sweep::check_target("10.0.0.0/15", &options).unwrap();
        assert_eq!(error.name, "options.large");
        assert!(error.description.contains("131070 and take about 2 minutes at 2000 packets"), "{error}");
        let large = SweepOptions { large: true, ..options };
        assert_eq!(Sweep::check_target("10.0.0.0/15", &large), None);
        let error = Sweep::check_target("10.0.0.0/8", &large).unwrap();
        assert_eq!(error.name, "options.rate");
        assert!(error.description.contains("4 hours"), "{error}");
        assert_eq!(Sweep::check_target("10.0.0.0/8", &SweepOptions { rate: 100_000, ..large }), None);
    }

    #[test]
    fn a_rate_is_in_packets_or_in_bits_and_keeps_to_a_share_of_the_link() {
        let options = SweepOptions { rate: 1_000_000, share: 100, ..SweepOptions::default() };
        assert_eq!(options.most_packets(Some(100), SHORTEST_ON_WIRE), 148_809);
        assert_eq!(options.most_packets(None, SHORTEST_ON_WIRE), 1_000_000);
        let gentle = SweepOptions { share: 10, ..options };
        assert_eq!(gentle.most_packets(Some(100), SHORTEST_ON_WIRE), 14_880);
        // The least of them counts, and a tenth of this link is more than that.
        let slow = SweepOptions { rate_bps: Some(64_000), ..gentle };
        assert_eq!(slow.most_packets(Some(1), SHORTEST_ON_WIRE), 95);
        assert_eq!(slow.most_packets(Some(1000), 110), 72);
        assert_eq!(SweepOptions { rate: 20, ..slow.clone() }.most_packets(Some(1000), 110), 20);
        assert_eq!(SweepOptions { rate_bps: Some(1), ..slow.clone() }.most_packets(None, 84), 1);
        assert_eq!(slow.takes_ms(950), 2 * 950 * 1000 / 95 + 2 * 250 + NAMES_WITHIN_MS);
    }

    #[test]
    fn what_is_left_out_has_no_names() {
        let with = |exclude: &str| SweepOptions { exclude: Some(exclude.into()), ..SweepOptions::default() };
        assert_eq!(with(" ").excluded(), Ok(None));
        assert_eq!(with("10.0.0.1, 10.0.0.8/29").excluded().unwrap().unwrap().count(), 7);
        for wrong in ["local", "printer.example", "10.0.0.0/33"] {
            assert_eq!(Sweep::check(&with(wrong)).first().unwrap().name, "options.exclude", "{wrong}");
        }
        let tagged = SweepOptions { vlan: Some(7), ..SweepOptions::default() };
        assert_eq!(Sweep::check(&tagged).first().unwrap().name, "options.vlan");
    }
}
