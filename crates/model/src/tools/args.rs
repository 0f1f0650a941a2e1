//! Argument parsers and bounds that several tools share.

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::mtr::Protocol;
use crate::error::FieldError;

/// The longest a single measurement may take, in milliseconds. Brokers close the channel of a
/// consumer that holds work unacknowledged for 30 minutes; 20 leave room for delivery.
pub const LONGEST_MS: u64 = 20 * 60 * 1000;

/// Which addresses of a name are measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Family {
    /// One address: IPv6 where the worker has it, else IPv4.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// IPv4 only.
    #[serde(rename = "4")]
    V4,
    /// IPv6 only.
    #[serde(rename = "6")]
    V6,
    /// Every address of the name, side by side.
    #[serde(rename = "all")]
    All,
}

impl clap::Args for Family {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new("v4")
                    .short('4')
                    .long("ipv4")
                    .action(ArgAction::SetTrue)
                    .conflicts_with_all(["v6", "all_addresses"])
                    .help("IPv4 only"),
            )
            .arg(
                Arg::new("v6")
                    .short('6')
                    .long("ipv6")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("all_addresses")
                    .help("IPv6 only"),
            )
            .arg(
                Arg::new("all_addresses")
                    .long("all-addresses")
                    .action(ArgAction::SetTrue)
                    .help("Every address of a name, side by side"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Family {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(if matches.get_flag("v4") {
            Self::V4
        } else if matches.get_flag("v6") {
            Self::V6
        } else if matches.get_flag("all_addresses") {
            Self::All
        } else {
            Self::Auto
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Protocol {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new("udp")
                    .short('u')
                    .long("udp")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("tcp")
                    .help("Probe with UDP datagrams instead of ICMP echo"),
            )
            .arg(
                Arg::new("tcp")
                    .short('T')
                    .long("tcp")
                    .action(ArgAction::SetTrue)
                    .help("Probe with TCP SYN segments instead of ICMP echo"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Protocol {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(if matches.get_flag("udp") {
            Self::Udp
        } else if matches.get_flag("tcp") {
            Self::Tcp
        } else {
            Self::Icmp
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Seconds with a fraction, as ping and mtr take them, in milliseconds.
pub fn seconds(text: &str) -> Result<u32, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("'{text}' is no number of seconds"))?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err(format!("{text} seconds is out of range, at most a day"));
    }
    // In range by the check above, so the cast is exact to the millisecond.
    Ok((seconds * 1000.0).round() as u32)
}

/// Bits, as a number with k, M or G for thousands, millions and thousand millions behind it.
pub fn bits(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['k', 'K', 'M', 'G']);
    let factor = match text.strip_prefix(digits) {
        Some("") => 1,
        Some("k" | "K") => 1_000,
        Some("M") => 1_000_000,
        Some("G") => 1_000_000_000,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().filter(|_| factor > 0);
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| format!("'{text}' is no number of bits such as 64000, 500k or 2M"))
}

/// The DSCP in a TOS byte given in decimal or `0x` hexadecimal.
pub fn dscp_of_tos(text: &str) -> Result<u8, String> {
    let tos = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u8::from_str_radix(hex, 16),
        None => text.parse(),
    }
    .map_err(|_| format!("'{text}' is no TOS byte, 0 to 255"))?;
    Ok(tos >> 2)
}

/// `do` forbids fragmentation, `dont` and `want` allow it, as `ping -M` has it.
pub fn dont_fragment(text: &str) -> Result<bool, String> {
    match text {
        "do" | "probe" => Ok(true),
        "dont" | "want" => Ok(false),
        _ => Err(format!("'{text}' is none of do, dont, want")),
    }
}

/// Refuses a measurement that would take longer than [`LONGEST_MS`].
pub fn check_longest(field: &str, longest_ms: u64) -> Option<FieldError> {
    (longest_ms > LONGEST_MS).then(|| {
        FieldError::body(
            field,
            format!(
                "the measurement would take {} s, at most {} s are allowed: lower the count, the interval or the timeout",
                longest_ms.div_ceil(1000),
                LONGEST_MS / 1000
            ),
        )
    })
}

/// What clap found wrong, as one line without its usage block.
pub(super) fn clap_message(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => "help is not an option of a measurement".into(),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::bits;

    #[test]
    fn bits_are_counted_in_thousands_too() {
        for (text, number) in [("64000", 64_000), ("500k", 500_000), ("2M", 2_000_000), ("1G", 1_000_000_000)]
        {
            assert_eq!(bits(text), Ok(number));
        }
        for wrong in ["", "k", "-1", "1.5M", "2MM", "2m", "99999999999G"] {
            assert!(bits(wrong).is_err(), "{wrong}");
        }
    }
}
