//! `netwark ipcalc`: addresses, networks and ranges, without a server.

mod lines;

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;

use netwark_lookup::ipcalc::{self, ListAnswer, MOST_AT_ONCE, Question, SplitBy};
use netwark_model::mac::Mac;
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::output;
use lines::Paint;

/// Most bytes that are read from standard input.
const LARGEST_INPUT: u64 = 64 << 20;

/// Calculate addresses, networks and ranges; cut and summarise them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An address may be written as 192.0.2.77, 3221226061 or 0xc000024d; a network as 192.0.2.77/24, \
                        192.0.2.77/255.255.255.0, '192.0.2.77 0.0.0.255' or 10/8; a range as 192.0.2.1-192.0.2.6 or \
                        192.0.2.1-6. Exit code 2 when one is not understood.\n\
                        Examples: netwark ipcalc 192.0.2.77/24\n          netwark ipcalc 192.0.2.0/24 --split /26\n          \
                        netwark ipcalc 192.0.2.0/24 --hosts 50,20,10\n          netwark ipcalc --summarise < networks"
)]
pub struct Args {
    /// Addresses, networks and ranges; - or none reads them from standard input
    #[arg(value_name = "NETWORK")]
    networks: Vec<String>,
    /// Cut each into N networks of one size, or into networks of a prefix length
    #[arg(long, value_name = "N|/LENGTH", value_parser = split_by, group = "what")]
    split: Option<SplitBy>,
    /// Cut each into one network for each of these numbers of hosts: a /30 for 2, as every kind of link takes it; for
    /// links between two routers, which can do with a /31 (RFC 3021), see --split /31
    #[arg(long, value_name = "N,N", value_delimiter = ',', group = "what")]
    hosts: Vec<u128>,
    /// Print the fewest prefixes that hold the addresses of all
    #[arg(long, visible_alias = "summarize", group = "what")]
    summarise: bool,
    /// Tell which hold or overlap others
    #[arg(long, group = "what")]
    compare: bool,
    /// Tell the address that a MAC address makes in an IPv6 network by EUI-64
    #[arg(long, value_name = "MAC", group = "what")]
    mac: Option<Mac>,
    /// Print JSON: one answer, or a line for each of several
    #[arg(long)]
    json: bool,
}

fn split_by(text: &str) -> Result<SplitBy, String> {
    let wrong = "write a number of networks, such as 4, or a prefix length, such as /26";
    let by = match text.strip_prefix('/') {
        Some(length) => length.parse().ok().map(SplitBy::Length),
        None => text.parse().ok().map(SplitBy::Parts),
    };
    by.ok_or_else(|| wrong.to_owned())
}

/// Calculates.
///
/// # Errors
/// Names what is not understood.
pub fn run(args: Args) -> Outcome {
    let texts = texts(&args.networks)?;
    if args.summarise || args.compare {
        return together(&args, &texts);
    }
    let by = match args.split {
        Some(by) => Some(by),
        None => (!args.hosts.is_empty()).then_some(SplitBy::Hosts(args.hosts)),
    };
    let mut printer = Printer { json: args.json, several: texts.len() > 1, began: false };
    let mut wrong = false;
    for text in &texts {
        let told = ipcalc::read(text).map_err(|error| error.to_string()).and_then(|question| match &by {
            Some(by) => cut(&mut printer, &question, by),
            None => calculate(&mut printer, &question, args.mac),
        });
        if let Err(error) = told {
            output::complain(&format!("netwark: '{}' {error}", output::shown(text)));
            wrong = true;
        }
    }
    Ok(if wrong { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

/// What is asked about: the arguments, or what stands on standard input.
fn texts(arguments: &[String]) -> Result<Vec<String>, Failure> {
    if arguments.is_empty() && io::stdin().is_terminal() {
        let told =
            "name an address, a network or a range, such as 192.0.2.0/24, or - to read from standard input";
        return Err(Failure::Usage(told.into()));
    }
    if !arguments.is_empty() && arguments != ["-"] {
        return Ok(match arguments {
            // As other calculators take it: an address, a blank and its mask.
            [address, mask] if is_mask(mask) && ipcalc::address(address).is_ok() => {
                vec![format!("{address} {mask}")]
            }
            _ => arguments.to_vec(),
        });
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(LARGEST_INPUT + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::Failed(format!("standard input cannot be read: {error}")))?;
    if text.len() as u64 > LARGEST_INPUT {
        return Err(Failure::Usage(format!("standard input has more than {LARGEST_INPUT} bytes")));
    }
    Ok(ipcalc::words(&text).map(str::to_owned).collect())
}

/// True for what is hardly an address of its own.
fn is_mask(text: &str) -> bool {
    let is_wildcard = text.starts_with("0.") && text != "0.0.0.0";
    (text.starts_with("255.") || is_wildcard) && ipcalc::mask(text, ipcalc::Family::V4).is_ok()
}

/// Summarises, or compares.
fn together(args: &Args, texts: &[String]) -> Outcome {
    let read = ipcalc::list(texts.iter().map(String::as_str)).map_err(|error| {
        let wrong = error.0.iter().map(|(at, error)| {
            let text = texts.get(*at).map(|text| output::shown(text)).unwrap_or_default();
            format!("entry {} '{text}' {error}", at + 1)
        });
        Failure::Usage(wrong.collect::<Vec<_>>().join("\n"))
    })?;
    if args.json {
        output::json(&ListAnswer::new(&read));
    } else if args.summarise {
        ListAnswer::summary(&read).for_each(|prefix| output::line(prefix.to_string()));
    } else {
        output::lines(lines::relations(&ListAnswer::new(&read)));
    }
    Ok(ExitCode::SUCCESS)
}

fn calculate(printer: &mut Printer, question: &Question, mac: Option<Mac>) -> Result<(), String> {
    let network = question.network;
    if mac.is_some() && (network.addr().is_ipv4() || network.prefix_len() > 64) {
        return Err("must be an IPv6 network of at most 64 bits for --mac".into());
    }
    let answer = ipcalc::answer(question, mac);
    printer.print(&answer, |paint| lines::answer(&answer, paint));
    Ok(())
}

/// Cuts a network, and lists all parts: as many at once as the API gives.
fn cut(printer: &mut Printer, question: &Question, by: &SplitBy) -> Result<(), String> {
    if question.range.is_some() {
        return Err("must be one network, not a range, to be cut".into());
    }
    let mut offset = 0;
    loop {
        let split =
            ipcalc::split(question.network, by, offset, MOST_AT_ONCE).map_err(|error| error.to_string())?;
        offset += split.subnets.len() as u128;
        let more = split.subnets.len() == MOST_AT_ONCE && offset.to_string() != split.total;
        printer.several |= more;
        printer.print(&split, |paint| lines::split(&split, paint));
        if !more {
            return Ok(());
        }
    }
}

/// How answers are printed.
#[derive(Clone, Copy, Debug)]
struct Printer {
    json: bool,
    several: bool,
    began: bool,
}

impl Printer {
    fn print<T: Serialize>(&mut self, answer: &T, lines: impl FnOnce(Paint) -> Vec<String>) {
        match (self.json, self.several) {
            (true, false) => output::json(answer),
            (true, true) => output::json_line(answer),
            (false, _) => {
                let lines = lines(Paint::of_output());
                // What has more than a line is set apart from what stands above it.
                if self.began && lines.first().is_some_and(|line| !line.starts_with(' ')) {
                    output::line("");
                }
                output::lines(lines);
            }
        }
        self.began = true;
    }
}
