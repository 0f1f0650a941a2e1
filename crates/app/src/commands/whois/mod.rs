//! `netwark whois`: who holds something, asked of the registries from here or through a server.

pub mod text;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use futures::StreamExt;
use netwark_lookup::dns::Resolver;
use netwark_lookup::outbound::Outbound;
use netwark_lookup::whois::{Outcome as Registered, Question, Whois, WhoisAnswer};
use netwark_model::tools::ToolDefinition;
use serde_json::json;

use super::input;
use super::tool::{self, Job};
use crate::config::lookups::REGISTRIES_FILE;
use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Questions under way at once; each registry is asked at its own pace.
const AT_ONCE: usize = 8;

/// The subcommand: that of the tool, for many things at once.
pub fn command(tool: &ToolDefinition) -> Command {
    let command = tool::command(tool)
        .mut_arg("target", |target| {
            target.required(false).num_args(0..).action(ArgAction::Append).help(
                "Domains, addresses, prefixes and AS numbers; - or none reads them from standard input, one a line",
            )
        })
        .mut_arg("report", |report| report.hide(true))
        .mut_arg("numeric", |numeric| numeric.hide(true))
        .mut_arg("json", |json| json.help("Print JSON: one answer, or a line for each of several"))
        .arg(
            Arg::new("raw")
                .long("raw")
                .action(ArgAction::SetTrue)
                .help("Print what the registries answered, as it came"),
        )
        .arg(
            Arg::new("registries")
                .long("registries")
                .value_name("FILE")
                .help("Registries of your own, which win over all others"),
        );
    // The flags bring the description of their type, which is not that of the command.
    Flags::augment_args(command).about(tool.text.summary.trim_end_matches('.')).long_about(None).after_help(
        "Exit codes: 0 all is known, 1 something is not or could not be asked, 2 not understood.\n\
             Examples: netwark whois example.com\n          netwark whois 193.0.6.139 AS3333\n          \
             netwark whois --from paris example.com\n          netwark whois --json < domains",
    )
}

/// Asks the registries.
///
/// # Errors
/// When nothing is asked about, or the server refuses.
pub fn run(tool: &ToolDefinition, matches: &ArgMatches) -> Outcome {
    logging::start_quiet();
    let given: Vec<String> = matches.get_many::<String>("target").into_iter().flatten().cloned().collect();
    let missing = "name a domain, an address, a prefix or an AS number, or - to read from standard input";
    let texts = input::texts(&given, missing)?;
    let fresh = matches.get_flag("fresh");
    if let Some(from) = tool::selector(matches)? {
        let job = |text: &String| Job::new(tool.text.name, text, json!({ "fresh": fresh }), matches);
        let jobs: Vec<Job> = texts.iter().map(job).collect();
        return super::wait(async move {
            match jobs.as_slice() {
                [job] => tool::run_from(job, from).await,
                _ => tool::run_many(jobs, &from).await,
            }
        });
    }
    let whois = client(matches)?;
    let show =
        Show { json: matches.get_flag("json"), raw: matches.get_flag("raw"), several: texts.len() > 1 };
    super::wait(here(whois, texts, fresh, show))
}

/// A client that goes out from this machine, with the registries of the configuration and those that updates brought.
fn client(matches: &ArgMatches) -> Result<Whois, Failure> {
    let mut flags = Flags::from_arg_matches(matches).map_err(|error| Failure::Usage(error.to_string()))?;
    let own = matches.get_one::<String>("registries").cloned();
    flags.more.extend(own.map(|path| ("--registries", &REGISTRIES_FILE, path)));
    let config = Config::load(&flags)?;
    let outbound = Outbound::new(Resolver::system()).with_allowed(&config.lookups.registry_places);
    Ok(Whois::following(outbound, config.lookups.kept_registries(&config.data_dir)))
}

#[derive(Clone, Copy)]
struct Show {
    json: bool,
    raw: bool,
    several: bool,
}

async fn here(whois: Whois, texts: Vec<String>, fresh: bool, show: Show) -> Outcome {
    let asked = texts.into_iter().map(|text| {
        let whois = whois.clone();
        async move {
            let answer = match Question::parse(&text) {
                Ok(question) => Ok(whois.look_up(&question, fresh).await),
                Err(error) => Err(error.to_string()),
            };
            (text, answer)
        }
    });
    // In the order of the questions, as they come.
    let mut answers = futures::stream::iter(asked).buffered(AT_ONCE);
    let mut code = 0;
    while let Some((text, answer)) = answers.next().await {
        match answer {
            Ok(answer) => {
                print(&answer, show);
                if !matches!(answer.outcome, Registered::Found | Registered::Special) {
                    code = code.max(1);
                }
            }
            Err(why) => {
                output::complain(&input::complaint(&text, &why));
                code = 2;
            }
        }
    }
    Ok(ExitCode::from(code))
}

fn print(answer: &WhoisAnswer, show: Show) {
    match show {
        Show { json: true, several: false, .. } => output::json(answer),
        Show { json: true, .. } => output::line(serde_json::to_string(answer).unwrap_or_default()),
        Show { raw: true, .. } => output::lines(text::raw(answer)),
        Show { .. } => output::lines(text::lines(answer)),
    }
    if show.several && !show.json {
        output::line("");
    }
}

/// An answer that came from a worker, as it is printed.
pub fn lines(payload: &serde_json::Value) -> Option<(Vec<String>, bool)> {
    let answer: WhoisAnswer = serde_json::from_value(payload.clone()).ok()?;
    let fine = matches!(answer.outcome, Registered::Found | Registered::Special);
    Some((text::lines(&answer), fine))
}
