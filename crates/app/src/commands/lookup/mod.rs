//! `netwark lookup`: everything that is known about anything, asked from this machine.

mod text;

use std::process::ExitCode;

use futures::StreamExt;
use netwark_lookup::geoip::Hold;
use netwark_lookup::resource::{Known, PartName, Parts, Resource, Sources, Subject, gather};
use netwark_server::lookups::Lookups;

use super::input;
use crate::config::{Config, Flags};
use crate::failure::Outcome;
use crate::{logging, output};

/// Questions under way at once.
const AT_ONCE: usize = 8;

/// Tell everything that is known about anything
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks the name servers of this machine and the registries; --offline asks nobody. Exit code 1 when \
                  something could not be found out, 2 when something was not understood.\n\
                  Examples: netwark lookup example.org\n          \
                  netwark lookup 192.0.2.1 AS64500 00:00:5e:00:53:01\n          \
                  netwark lookup --parts dns,whois < domains\n          netwark lookup --json --offline < addresses"
)]
pub struct Args {
    /// Addresses, prefixes, ranges, names, AS numbers, MAC addresses and URLs; - or none reads them from standard
    /// input, one a line
    #[arg(value_name = "RESOURCE")]
    resources: Vec<String>,
    /// Only these parts, such as dns,whois
    #[arg(long, value_name = "PART,PART", value_delimiter = ',')]
    parts: Vec<PartName>,
    /// Ask nobody: tell what is known on this machine
    #[arg(long)]
    offline: bool,
    /// Print JSON: one answer, or a line for each of several
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Looks things up.
///
/// # Errors
/// Those of the configuration, and when nothing is asked about.
pub fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let missing = "name an address, a prefix, a name, an AS number, a MAC address or a URL, or - to read from \
                   standard input";
    let texts = input::texts(&args.resources, missing)?;
    let config = Config::load(&args.flags)?;
    super::wait(async move {
        let lookups = Lookups::new(&config.lookup_settings(Hold::Itself));
        lookups.geoip.refresh();
        // Whoever asks in the shell stands in the network whose names these are.
        let sources = Sources { inside: true, ..lookups.sources() };
        ask(&args, &sources, texts).await
    })
}

async fn ask(args: &Args, sources: &Sources, texts: Vec<String>) -> Outcome {
    let several = texts.len() > 1;
    let asked = texts.into_iter().map(|text| async move {
        match text.parse::<Resource>() {
            Ok(resource) => Ok(everything(args, sources, &text, &resource).await),
            Err(error) => Err(input::complaint(&text, &error.to_string())),
        }
    });
    // In the order of the questions, as they come.
    let mut answers = futures::stream::iter(asked).buffered(AT_ONCE);
    let mut code = 0;
    let mut attributions = Vec::new();
    let mut began = false;
    while let Some(answer) = answers.next().await {
        let known = match answer {
            Ok(known) => known,
            Err(wrong) => {
                output::complain(&wrong);
                code = 2;
                continue;
            }
        };
        code = code.max(u8::from(text::has_errors(&known)));
        match (args.json, several) {
            (true, false) => output::json(&known),
            (true, true) => output::json_line(&known),
            (false, _) => {
                if began {
                    output::line("");
                }
                output::lines(text::lines(&known));
                text::attributions(&known, &mut attributions);
            }
        }
        began = true;
    }
    // Not part of what a script reads, but shown wherever the data is.
    attributions.iter().for_each(|line| output::complain(line));
    Ok(ExitCode::from(code))
}

/// All parts of one resource.
async fn everything(args: &Args, sources: &Sources, text: &str, resource: &Resource) -> Known {
    let mut expected = resource.parts();
    let wanted = |name: &PartName| args.parts.is_empty() || args.parts.contains(name);
    expected.retain(|name| wanted(name) && !(args.offline && name.asks_others()));
    let parts = gather(resource, &expected, sources, true);
    let mut parts = parts
        .fold(Parts::default(), |mut all, part| {
            all.merge(part);
            std::future::ready(all)
        })
        .await;
    parts.settle();
    Known { subject: Subject::new(text, resource, expected), parts }
}
