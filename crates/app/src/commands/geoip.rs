//! `netwark geoip`: where addresses are, from the files on this machine.

use std::io::{self, IsTerminal};
use std::net::IpAddr;
use std::process::ExitCode;

use netwark_lookup::geoip::{self, Finding, GeoAnswer, GeoIp, Hold, Place};

use super::input;
use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::output;

/// Width of the column of labels.
const LABEL: usize = 10;
/// Width of an address in a list.
const ADDRESS: usize = 16;

/// Tell where addresses are and whose they are.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads files on this machine and asks nobody. Exit code 1 when an address is not known.\n\
                  Examples: netwark geoip 192.0.2.1\n          sort -u addresses | netwark geoip --json"
)]
pub struct Args {
    /// Addresses; - or none reads them from standard input, one per line
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Print JSON: one answer, or a line for each of several
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Looks addresses up.
///
/// # Errors
/// Those of the configuration and of standard input, and when no address is named.
pub fn run(args: &Args) -> Outcome {
    let from_input = args.addresses.is_empty() || args.addresses == ["-"];
    if args.addresses.is_empty() && io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "name an address, such as 192.0.2.1, or - to read from standard input".into(),
        ));
    }
    let config = Config::load(&args.flags)?;
    let geoip = GeoIp::new(config.lookups.geoip_settings(&config.data_dir, Hold::Itself));
    geoip.refresh();
    for file in geoip.files() {
        if let Some(problem) = file.problem {
            output::complain(&format!("netwark: {} is not used: {problem}", file.path));
        }
    }
    let mut told =
        Told { json: args.json, several: from_input || args.addresses.len() > 1, ..Told::default() };
    if from_input {
        while let Some(line) = input::line()? {
            match input::without_remark(&line) {
                "" => {}
                text => told.tell(&geoip, text),
            }
        }
    } else {
        args.addresses.iter().for_each(|text| told.tell(&geoip, text));
    }
    Ok(told.end(&geoip))
}

/// What was told so far.
#[derive(Debug, Default)]
struct Told {
    json: bool,
    several: bool,
    attributions: Vec<String>,
    unknown: bool,
    wrong: bool,
}

impl Told {
    fn tell(&mut self, geoip: &GeoIp, text: &str) {
        let ip: IpAddr = match geoip::read(text) {
            Ok(ip) => ip,
            Err(wrong) => {
                output::complain(&format!("netwark: the address {wrong}"));
                self.wrong = true;
                return;
            }
        };
        let answer = geoip.lookup(ip);
        self.unknown |= answer.place.is_none() && answer.asn.is_none();
        for attribution in answer.sources.iter().filter_map(|source| source.attribution) {
            let line = format!("{} ({})", attribution.text, attribution.url);
            if !self.attributions.contains(&line) {
                self.attributions.push(line);
            }
        }
        match (self.json, self.several) {
            (true, false) => output::json(&answer),
            (true, true) => output::json_line(&answer),
            (false, false) => output::lines(details(&answer)),
            (false, true) => output::line(line(&answer)),
        }
    }

    /// Says whom the data is from, and how it went.
    fn end(self, geoip: &GeoIp) -> ExitCode {
        if geoip.is_empty() {
            output::complain(
                "netwark: there is no file of places or autonomous systems; get one with: netwark update geoip",
            );
        }
        if !self.json {
            // Not part of the list that a script reads, but shown wherever the data is.
            self.attributions.iter().for_each(|line| output::complain(line));
        }
        match (self.wrong, self.unknown) {
            (true, _) => ExitCode::from(2),
            (false, true) => ExitCode::FAILURE,
            (false, false) => ExitCode::SUCCESS,
        }
    }
}

/// One address in a line.
fn line(answer: &GeoAnswer) -> String {
    let place = answer.place.as_ref().map(Place::words).unwrap_or_else(|| missing(answer.place_state).into());
    format!("{:<ADDRESS$} {:<32} {place}", answer.ip.to_string(), system(answer))
}

/// One address in several lines.
fn details(answer: &GeoAnswer) -> Vec<String> {
    let mut lines = vec![answer.ip.to_string()];
    let mut add = |label: &str, text: String| lines.push(format!("  {label:<LABEL$}{text}"));
    if let Some(special) = answer.special {
        add("special", format!("{} ({}, {})", special.name, special.block, special.rfc));
    }
    match &answer.place {
        None => add("place", missing(answer.place_state).into()),
        Some(place) => {
            add("place", place.words());
            if let Some(at) = place.coordinates {
                let within = place.accuracy_km.map(|km| format!(", within {km} km")).unwrap_or_default();
                add("point", format!("{}, {}{within}", at.latitude, at.longitude));
            }
            if let Some(code) = place.registered_country.as_ref().and_then(|country| country.code.as_ref()) {
                add("registered", format!("in {code}"));
            }
            if let Some(zone) = &place.time_zone {
                add("time zone", zone.clone());
            }
            if let Some(network) = place.network {
                add("network", network.to_string());
            }
        }
    }
    add("AS", system(answer));
    for source in &answer.sources {
        add("data", format!("{}, {}", source.name, source.built.strftime("%Y-%m-%d")));
    }
    lines
}

fn system(answer: &GeoAnswer) -> String {
    match (answer.asn, &answer.as_name) {
        (Some(number), Some(name)) => format!("AS{number} {name}"),
        (Some(number), None) => format!("AS{number}"),
        (None, _) => missing(answer.as_state).into(),
    }
}

fn missing(state: Finding) -> &'static str {
    match state {
        Finding::Found => "",
        Finding::Unlisted => "not listed",
        Finding::Unreadable => "unreadable: the file is damaged",
        Finding::NoFile => "no file",
    }
}
