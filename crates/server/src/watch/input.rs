//! What people decide about networks, checked field by field.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use netwark_model::error::FieldError;
use netwark_model::selector::Selector;
use netwark_model::tools::sweep::SHORTEST_ON_WIRE;
use netwark_model::watch::network::{
    GRACE_SWEEPS, INTERVAL_MS, LEARN_MS, LONGEST_INTERVAL_MS, MOST_PREFIXES, Network, SHORTEST_INTERVAL_MS,
    Severities,
};
use netwark_store::watch::networks::NetworkSettings;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::extract;

/// Most characters of a name.
const LONGEST_NAME: usize = 100;
/// Most characters of the name of an interface; Linux has 15.
const LONGEST_INTERFACE: usize = 64;
/// Most servers or routers that are named.
const MOST_TRUSTED: usize = 64;
/// Most sweeps that may miss a device.
const MOST_GRACE: i64 = 100;
/// Most packets a second that can be asked for.
const FASTEST: i64 = 1_000_000;
/// Fewest and most bits a second that can be asked for.
const SLOWEST_BPS: i64 = 1_000;
const FASTEST_BPS: i64 = 100_000_000_000;
/// Addresses of a /16: more have to be asked for.
const LARGE: u128 = 65_536;
/// Addresses of a /8: more are never swept.
const MOST_ADDRESSES: u128 = 1 << 24;
/// Packets a second a sweep sends when nothing else is said, for telling how long one takes.
const USUAL_PPS: u128 = 500;

/// What people decide about a network. When one is made, what is left out is as usual; when one is changed, it stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NetworkFields {
    /// Its name, unique. A new network needs one.
    #[schema(value_type = Option<String>, example = "Office", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// What is swept, at most 32 prefixes. A new network needs one.
    #[schema(value_type = Option<Vec<String>>, example = json!(["192.0.2.0/24", "2001:db8::/64"]), max_items = 32)]
    prefixes: Option<Vec<String>>,
    /// What is left out of it, at most 32 prefixes.
    #[schema(value_type = Option<Vec<String>>, example = json!(["192.0.2.128/25"]), max_items = 32)]
    exclude: Option<Vec<String>>,
    /// Who may sweep it: a worker, a queue or a selector, of which the server chooses one worker. `all` when left out.
    #[schema(value_type = Option<String>, example = "worker:paris-1")]
    from: Option<String>,
    /// The interface, when not the one that leads there.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, example = "eth1")]
    interface: Option<Option<String>>,
    /// The VLAN whose tag the packets bear; it needs an interface.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 4094)]
    vlan: Option<Option<i64>>,
    /// From one sweep to the next, in milliseconds; 7 minutes when left out.
    #[schema(value_type = Option<u64>, minimum = 10000, maximum = 604800000)]
    interval_ms: Option<i64>,
    /// Packets a second at most, when not the usual.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000000)]
    rate_pps: Option<Option<i64>>,
    /// Bits a second at most, as they are counted on the wire.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<u64>, minimum = 1000, maximum = 100000000000_i64)]
    rate_bps: Option<Option<i64>>,
    /// Part of the link's speed that is used at most, in percent, when not the usual 10.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<u8>, minimum = 1, maximum = 100)]
    share: Option<Option<i64>>,
    /// Devices that speak are seen without a sweep.
    passive: Option<bool>,
    /// Devices and name servers are asked for names; true when left out.
    names: Option<bool>,
    /// More addresses than those of a /16 are swept.
    large: Option<bool>,
    /// Sweeps in a row that may miss a device before it is down; 2 when left out.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100)]
    grace_sweeps: Option<i64>,
    /// How much things matter, where that is not as usual.
    #[schema(value_type = Option<Severities>)]
    severities: Option<Severities>,
    /// Who may hand out addresses; when empty, those that are learned.
    #[schema(value_type = Option<Vec<String>>, example = json!(["192.0.2.1"]))]
    dhcp_servers: Option<Vec<String>>,
    /// Who may say it is a router, by its link-local address; when empty, those that are learned.
    #[schema(value_type = Option<Vec<String>>, example = json!(["fe80::1"]))]
    routers: Option<Vec<String>>,
    /// Until when DHCP servers and routers are learned; for a day when left out.
    #[serde(deserialize_with = "extract::given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    learn_until: Option<Option<String>>,
    /// Whether a new network is swept from now on; true when left out.
    #[schema(value_type = Option<bool>)]
    pub(super) start: Option<bool>,
}

type Errors = Vec<FieldError>;

/// What people have decided about a network, as it is shown.
pub(super) fn settings(network: Network) -> Result<NetworkSettings, Errors> {
    let selector = Selector::parse(&network.from);
    Ok(NetworkSettings {
        name: network.name,
        prefixes: network.prefixes,
        exclude: network.exclude,
        selector: selector.map_err(|error| vec![FieldError::body("from", error.to_string())])?,
        interface: network.interface,
        vlan: network.vlan,
        every_ms: network.interval_ms,
        rate_pps: network.rate_pps,
        rate_bps: network.rate_bps,
        share: network.share,
        passive: network.passive,
        names: network.names,
        large: network.large,
        grace_sweeps: network.grace_sweeps,
        severities: network.severities,
        dhcp_servers: network.dhcp_servers,
        routers: network.routers,
        learn_until: network.learn_until,
    })
}

impl NetworkFields {
    /// What a new network is.
    pub(super) fn create(self, now: Timestamp) -> Result<NetworkSettings, Errors> {
        let mut errors = Vec::new();
        if self.name.is_none() {
            errors.push(FieldError::body("name", "is missing"));
        }
        if self.prefixes.is_none() {
            errors.push(FieldError::body("prefixes", "is missing"));
        }
        let learn = SignedDuration::from_millis(i64::try_from(LEARN_MS).unwrap_or_default());
        let usual = NetworkSettings {
            name: String::new(),
            prefixes: Vec::new(),
            exclude: Vec::new(),
            selector: Selector::parse("all")
                .map_err(|error| vec![FieldError::body("from", error.to_string())])?,
            interface: None,
            vlan: None,
            every_ms: INTERVAL_MS,
            rate_pps: None,
            rate_bps: None,
            share: None,
            passive: false,
            names: true,
            large: false,
            grace_sweeps: GRACE_SWEEPS,
            severities: Severities::default(),
            dhcp_servers: Vec::new(),
            routers: Vec::new(),
            learn_until: now.checked_add(learn).ok(),
        };
        self.apply(usual, errors)
    }

    /// What a network is with these changes.
    pub(super) fn change(self, before: NetworkSettings) -> Result<NetworkSettings, Errors> {
        let mut errors = Vec::new();
        if self.start.is_some() {
            errors.push(FieldError::body("start", "is for new networks; POST to start or stop of this one"));
        }
        self.apply(before, errors)
    }

    fn apply(self, mut settings: NetworkSettings, mut errors: Errors) -> Result<NetworkSettings, Errors> {
        let e = &mut errors;
        set(&mut settings.name, self.name.map(|name| text(&name, LONGEST_NAME)), "name", e);
        if let Some(list) = self.prefixes {
            settings.prefixes = prefixes("prefixes", &list, e);
            if list.is_empty() {
                e.push(FieldError::body("prefixes", "must not be empty"));
            }
        }
        if let Some(list) = self.exclude {
            settings.exclude = prefixes("exclude", &list, e);
        }
        set(&mut settings.selector, self.from.map(|text| selector(&text)), "from", e);
        let interface =
            self.interface.map(|name| name.map(|name| text(&name, LONGEST_INTERFACE)).transpose());
        set(&mut settings.interface, interface, "interface", e);
        let vlan = self.vlan.map(|vlan| vlan.map(|vlan| within(vlan, 1, 4094)).transpose());
        let vlan = vlan.map(|vlan| vlan.map(|vlan| vlan.and_then(|vlan| u16::try_from(vlan).ok())));
        set(&mut settings.vlan, vlan, "vlan", e);
        if settings.vlan.is_some() && settings.interface.is_none() {
            let why = "needs the interface that is to bear its tag: interface";
            e.push(FieldError::body("vlan", why));
        }
        let bounds = (SHORTEST_INTERVAL_MS.cast_signed(), LONGEST_INTERVAL_MS.cast_signed());
        let every = self.interval_ms.map(|every| within(every, bounds.0, bounds.1).map(i64::unsigned_abs));
        set(&mut settings.every_ms, every, "interval_ms", e);
        let rate = self.rate_pps.map(|rate| rate.map(|rate| within(rate, 1, FASTEST)).transpose());
        let rate = rate.map(|rate| rate.map(|rate| rate.and_then(|rate| u32::try_from(rate).ok())));
        set(&mut settings.rate_pps, rate, "rate_pps", e);
        let rate =
            self.rate_bps.map(|rate| rate.map(|rate| within(rate, SLOWEST_BPS, FASTEST_BPS)).transpose());
        let rate = rate.map(|rate| rate.map(|rate| rate.map(i64::unsigned_abs)));
        set(&mut settings.rate_bps, rate, "rate_bps", e);
        let share = self.share.map(|share| share.map(|share| within(share, 1, 100)).transpose());
        let share = share.map(|share| share.map(|share| share.and_then(|share| u8::try_from(share).ok())));
        set(&mut settings.share, share, "share", e);
        let grace = self.grace_sweeps.map(|grace| within(grace, 1, MOST_GRACE));
        let grace = grace.map(|grace| grace.map(|grace| u32::try_from(grace).unwrap_or(GRACE_SWEEPS)));
        set(&mut settings.grace_sweeps, grace, "grace_sweeps", e);
        settings.passive = self.passive.unwrap_or(settings.passive);
        settings.names = self.names.unwrap_or(settings.names);
        settings.large = self.large.unwrap_or(settings.large);
        settings.severities = self.severities.unwrap_or(settings.severities);
        if let Some(list) = self.dhcp_servers {
            settings.dhcp_servers = addresses("dhcp_servers", &list, e);
        }
        if let Some(list) = self.routers {
            settings.routers = addresses("routers", &list, e);
        }
        let until = self.learn_until.map(|until| until.map(|until| time(&until)).transpose());
        set(&mut settings.learn_until, until, "learn_until", e);
        let left_out = |net: &IpNet| settings.exclude.iter().any(|exclude| exclude.contains(net));
        if !settings.prefixes.is_empty() && settings.prefixes.iter().all(left_out) {
            e.push(FieldError::body("exclude", "leaves nothing of the prefixes"));
        }
        if errors.is_empty() {
            extent(&settings).map_err(|wrong| vec![FieldError::body("prefixes", wrong)])?;
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

/// Takes over a value that was given; what is wrong with it is an error of the field.
fn set<T>(to: &mut T, value: Option<Result<T, String>>, field: &str, errors: &mut Errors) {
    match value {
        None => {}
        Some(Ok(value)) => *to = value,
        Some(Err(wrong)) => errors.push(FieldError::body(field, wrong)),
    }
}

/// A text of one line that is not empty.
pub(crate) fn text(text: &str, longest: usize) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("must not be empty".into()),
        n if n > longest => Err(format!("must be at most {longest} characters, got {n}")),
        _ if text.chars().any(char::is_control) => Err("must hold no control characters".into()),
        _ => Ok(text.to_owned()),
    }
}

fn within(number: i64, least: i64, most: i64) -> Result<i64, String> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("must be from {least} to {most}, got {number}"))
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    let shown: String = text.chars().take(60).collect();
    let wrong = |_| format!("must be a time such as 2027-01-31T00:00:00Z, got '{shown}'");
    text.trim().parse::<Timestamp>().map_err(wrong)
}

fn selector(text: &str) -> Result<Selector, String> {
    let selector = Selector::parse(text).map_err(|error| error.to_string())?;
    if selector.last().is_some() || !selector.operations().is_empty() {
        return Err("cannot name the workers of an operation; name workers, queues, sites or tags".into());
    }
    Ok(selector)
}

/// Prefixes without host bits, each once.
fn prefixes(field: &str, list: &[String], errors: &mut Errors) -> Vec<IpNet> {
    if list.len() > MOST_PREFIXES {
        errors.push(FieldError::body(
            field,
            format!("must have at most {MOST_PREFIXES} entries, got {}", list.len()),
        ));
        return Vec::new();
    }
    let mut read: Vec<IpNet> = Vec::new();
    for (at, text) in list.iter().enumerate() {
        let text = text.trim();
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let shown: String = text.chars().take(60).collect();
        let wrong = match net {
            Err(_) => Some(format!("must be a prefix such as 192.0.2.0/24 or 2001:db8::/64, got '{shown}'")),
            Ok(net) if net.addr().is_multicast() => Some(format!("'{shown}' is of groups, not of hosts")),
            Ok(net) if net.addr().is_loopback() => Some(format!("'{shown}' is the worker itself")),
            Ok(net) if net.prefix_len() == 0 => Some(format!("'{shown}' is everything there is")),
            Ok(net) => {
                if !read.contains(&net.trunc()) {
                    read.push(net.trunc());
                }
                None
            }
        };
        errors.extend(wrong.map(|wrong| FieldError::body(format!("{field}[{at}]"), wrong)));
    }
    read
}

fn addresses(field: &str, list: &[String], errors: &mut Errors) -> Vec<IpAddr> {
    if list.len() > MOST_TRUSTED {
        errors.push(FieldError::body(
            field,
            format!("must have at most {MOST_TRUSTED} entries, got {}", list.len()),
        ));
        return Vec::new();
    }
    let mut read = Vec::new();
    for (at, text) in list.iter().enumerate() {
        match text.trim().parse::<IpAddr>() {
            Ok(address) => read.push(address),
            Err(_) => {
                let shown: String = text.chars().take(60).collect();
                let wrong = format!("must be an address such as 192.0.2.1, got '{shown}'");
                errors.push(FieldError::body(format!("{field}[{at}]"), wrong));
            }
        }
    }
    read
}

/// Whether so many addresses are meant, and how long it takes to ask them.
fn extent(settings: &NetworkSettings) -> Result<(), String> {
    let bits = |net: &IpNet| match net {
        IpNet::V4(net) => Some(32 - net.prefix_len()),
        // Longer prefixes are asked address by address, of shorter ones only those that speak are.
        IpNet::V6(net) if net.prefix_len() >= 112 => Some(128 - net.prefix_len()),
        IpNet::V6(_) => None,
    };
    let addresses: u128 = settings.prefixes.iter().filter_map(bits).map(|bits| 1_u128 << bits).sum();
    if addresses > MOST_ADDRESSES {
        return Err(format!("have {addresses} addresses, and at most {MOST_ADDRESSES} can be swept"));
    }
    if addresses > LARGE && !settings.large {
        // As the worker has it: who says how many bits there may be means that many.
        let bits = settings.rate_bps.map(|bits| u128::from(bits / (8 * SHORTEST_ON_WIRE)).max(1));
        let packets = settings.rate_pps.map(u128::from);
        let rate = packets.into_iter().chain(bits).min().unwrap_or(USUAL_PPS);
        let minutes = addresses / rate / 60;
        return Err(format!(
            "have {addresses} addresses, more than a /16, and each sweep takes about {minutes} min at {rate} packets \
             a second; set large to true to sweep them all the same"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn create(body: serde_json::Value) -> Result<NetworkSettings, String> {
        let fields: NetworkFields = serde_json::from_value(body).map_err(|error| error.to_string())?;
        let told = |errors: Errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        fields.create(Timestamp::UNIX_EPOCH).map_err(told)
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let settings =
            create(json!({ "name": " Office ", "prefixes": ["192.0.2.7/24", "192.0.2.0/24"] })).unwrap();
        assert_eq!(settings.name, "Office");
        assert_eq!(settings.prefixes, ["192.0.2.0/24".parse().unwrap()]);
        assert_eq!((settings.every_ms, settings.grace_sweeps, settings.names), (420_000, 2, true));
    }

    #[test]
    fn a_vlan_needs_an_interface() {
        let tagged = json!({ "name": "x", "prefixes": ["192.0.2.0/24"], "interface": "eth0", "vlan": 7 });
        let settings = create(tagged.clone()).unwrap();
        let mut bare = tagged;
        bare["interface"] = json!(null);
        let why = "vlan: needs the interface that is to bear its tag: interface";
        assert_eq!(create(bare).unwrap_err(), why);
        let fields: NetworkFields = serde_json::from_value(json!({ "interface": null })).unwrap();
        assert_eq!(fields.change(settings).unwrap_err()[0].name, "vlan");
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let told = create(json!({
            "prefixes": ["x", "224.0.0.0/4"], "vlan": 5000, "interval_ms": 1, "rate_bps": 999, "share": 101, "from": "@last", "dhcp_servers": ["y"],
        }))
        .unwrap_err();
        let fields = "name prefixes[0] prefixes[1] vlan interval_ms rate_bps share from dhcp_servers[0]";
        for field in fields.split(' ') {
            assert!(told.contains(&format!("{field}: ")), "{field} is not in {told}");
        }
    }

    #[test]
    fn what_is_large_has_to_be_asked_for() {
        let told = create(json!({ "name": "x", "prefixes": ["10.0.0.0/12"] })).unwrap_err();
        assert!(told.contains("1048576 addresses") && told.contains("34 min at 500 packets"), "{told}");
        let told =
            create(json!({ "name": "x", "prefixes": ["10.0.0.0/12"], "rate_bps": 64_000 })).unwrap_err();
        assert!(told.contains("183 min at 95 packets"), "{told}");
        assert!(create(json!({ "name": "x", "prefixes": ["10.0.0.0/12"], "large": true })).is_ok());
        assert!(create(json!({ "name": "x", "prefixes": ["10.0.0.0/7"], "large": true })).is_err());
        assert!(create(json!({ "name": "x", "prefixes": ["2001:db8::/48", "10.0.0.0/16"] })).is_ok());
    }
}
