//! The command line of a tool: its own options, those that all tools share, and old habits.

use std::ffi::OsString;
use std::io::{BufRead, IsTerminal, Read};
use std::net::IpAddr;

use clap::{Arg, ArgAction, ArgMatches, Command};
use netwark_model::selector::Selector;
use netwark_model::target::TargetKind;
use netwark_model::tools::{CheckedOptions, LegacyFlag, Meaning, Registry, ToolDefinition, dns};
use netwark_model::watch::ranges::LOCAL;

use crate::api::SERVER;
use crate::commands::input;
use crate::failure::Failure;
use crate::output;

/// Most bytes that are read from standard input.
const LARGEST_INPUT: u64 = 16 * 1024 * 1024;

/// What is shared by all tools.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Address or name.
    pub target: String,
    /// Further targets; none of a question to one.
    pub more: Vec<String>,
    /// Some targets were not understood, which has been said.
    pub wrong: bool,
    /// Print only what was asked for.
    pub short: bool,
    /// Print JSON.
    pub json: bool,
    /// Print the finished report only.
    pub report: bool,
    /// Addresses only, no names.
    pub numeric: bool,
    /// Through a server, from whom this selector finds.
    pub from: Option<String>,
    /// The server.
    pub server: String,
}

/// The subcommand of a tool.
pub fn command(tool: &ToolDefinition) -> Command {
    // The options bring the description of their type, which is not meant for the shell.
    let mut command = tool.command().about(tool.text.summary.trim_end_matches('.')).long_about(None);
    let free = |command: &Command, letter: char| {
        !"hV".contains(letter) && command.get_arguments().all(|arg| arg.get_short() != Some(letter))
    };
    let mut json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON");
    if free(&command, 'j') {
        json = json.short('j');
    }
    let mut report = flag("report", "Print the finished report only, nothing while it is measured");
    if free(&command, 'r') {
        report = report.short('r');
    }
    let mut numeric = flag("numeric", "Show addresses only, do not look up names");
    if free(&command, 'n') {
        numeric = numeric.short('n');
    }
    let mut target = Arg::new("target").value_name("TARGET").help(tool.text.target);
    if tool.many {
        target = target.num_args(0..).help(format!(
            "{} More than one may follow; - or nothing reads them from standard input, one a line.",
            tool.text.target
        ));
        command = command.arg(flag("short", "Print only what was asked for, one a line"));
    } else if tool.target == TargetKind::Ranges {
        target = target
            .num_args(0..)
            .help(format!("{} Without one the networks of this machine.", tool.text.target));
    } else {
        target = target.required(true);
    }
    command = command
        .arg(target)
        .args([json, report, numeric])
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("SELECTOR")
                .action(ArgAction::Append)
                .help("Measure from other workers instead of this machine, through a server: queues, or a selector in quotes such as 'site:paris and not tag:lab limit 3'; NETWARK_TOKEN holds the token to use"),
        )
        .arg(
            Arg::new("server")
                .long("server")
                .env("NETWARK_URL")
                .default_value(SERVER)
                .value_name("URL")
                .help("The server that --from asks"),
        );
    for legacy in tool.legacy_flags {
        if free(&command, legacy.short) && legacy.meaning != Meaning::Parsed {
            command = command.arg(hidden(legacy));
        }
    }
    command
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// A flag of the program people know, which our tool has no option for.
fn hidden(legacy: &LegacyFlag) -> Arg {
    let arg = Arg::new(id(legacy)).short(legacy.short).hide(true);
    if legacy.value { arg.num_args(1) } else { arg.action(ArgAction::SetTrue) }
}

fn id(legacy: &LegacyFlag) -> String {
    format!("legacy-{}", legacy.short)
}

/// The arguments with old habits put right: `ping -I` takes an interface or a source address, which are two
/// options here, and `dig` has its own ways. The first argument is the name of the program.
pub fn habits(tools: &Registry, arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let tool = arguments.get(1).and_then(|name| name.to_str()).and_then(|name| tools.get(name));
    let binds =
        tool.into_iter().flat_map(|tool| tool.legacy_flags).filter(|flag| flag.meaning == Meaning::Bind);
    for flag in binds.map(|flag| format!("-{}", flag.short)) {
        for at in 2..arguments.len() {
            let follows = arguments.get(at + 1).and_then(|value| value.to_str());
            if arguments[at] == *flag && follows.is_some_and(|value| value.parse::<IpAddr>().is_ok()) {
                arguments[at] = "--source".into();
            }
        }
    }
    if tool.is_some_and(|tool| tool.text.name == "dns") {
        let own = arguments.split_off(2);
        arguments.extend(own.into_iter().filter_map(dig));
    }
    arguments
}

/// An argument of `dig` in our words: `@9.9.9.9`, `MX`, `+short`; `-x` says what an address says by itself.
fn dig(argument: OsString) -> Option<OsString> {
    let Some(text) = argument.to_str() else { return Some(argument) };
    if let Some(server) = text.strip_prefix('@') {
        return Some(format!("--nameserver={server}").into());
    }
    Some(match text {
        "-x" => return None,
        "+short" => "--short".into(),
        "+trace" => "--trace".into(),
        "+dnssec" => "--dnssec".into(),
        "+tcp" => "--transport=tcp".into(),
        "+norecurse" | "+norec" => "--no-recursion".into(),
        "+cdflag" | "+cd" => "--checking-disabled".into(),
        "+nsid" => "--nsid".into(),
        "ANY" => "--type=ANY".into(),
        name if dns::TYPES.contains(&name) => format!("--type={name}").into(),
        _ => return Some(argument),
    })
}

/// What was given of the shared flags. The target must go with the options, where these are known.
///
/// # Errors
/// Names each flag of the program people know that is refused here, with the reason.
pub fn read(
    tool: &ToolDefinition,
    matches: &ArgMatches,
    options: Option<&CheckedOptions>,
) -> Result<Shared, Failure> {
    let refused: Vec<_> =
        tool.legacy_flags.iter().filter_map(|legacy| refusal(tool, legacy, matches)).collect();
    if !refused.is_empty() {
        return Err(Failure::Usage(refused.join("\n")));
    }
    let targets = targets(tool, matches)?;
    let from = selector(matches)?;
    let mut understood = Vec::new();
    for target in &targets {
        match tool.check_target(target, options) {
            Ok(target) => understood.push(target),
            Err(e) if e.name != "target" => {
                return Err(Failure::Usage(format!("{} {}", super::flag_of(&e.name), e.description)));
            }
            Err(e) => {
                let why = format!("the target '{}' {}", output::shown(target), e.description);
                if targets.len() == 1 {
                    return Err(Failure::Usage(why));
                }
                output::complain(&format!("netwark: {why}"));
            }
        }
    }
    let wrong = understood.len() < targets.len();
    let mut understood = understood.into_iter();
    let target = understood.next().ok_or_else(|| Failure::Usage("no target is understood".into()))?;
    let short = tool.many && matches.get_flag("short");
    Ok(Shared { more: understood.collect(), wrong, short, ..Shared::new(target, from, matches) })
}

impl Shared {
    /// The shared flags of a command line, for this target.
    pub fn new(target: String, from: Option<String>, matches: &ArgMatches) -> Self {
        let server = matches.get_one::<String>("server").map_or(SERVER, String::as_str);
        Self {
            target,
            more: Vec::new(),
            wrong: false,
            short: false,
            json: matches.get_flag("json"),
            report: matches.get_flag("report"),
            numeric: matches.get_flag("numeric"),
            from,
            server: server.trim_end_matches('/').to_owned(),
        }
    }
}

/// The targets that were given, or stand on standard input.
fn targets(tool: &ToolDefinition, matches: &ArgMatches) -> Result<Vec<String>, Failure> {
    let given: Vec<String> = matches.get_many::<String>("target").unwrap_or_default().cloned().collect();
    if tool.target == TargetKind::Ranges {
        // All of them are one target.
        return Ok(vec![if given.is_empty() { LOCAL.to_owned() } else { given.join(", ") }]);
    }
    let piped = match given.as_slice() {
        [] => tool.many && !std::io::stdin().is_terminal(),
        [dash] => tool.many && dash == "-",
        _ => false,
    };
    if !piped {
        return match given.is_empty() {
            true => Err(Failure::Usage(format!("a target is missing; {}", tool.text.target))),
            false => Ok(given),
        };
    }
    let mut lines = Vec::new();
    for line in std::io::stdin().lock().take(LARGEST_INPUT).lines() {
        let line = line.map_err(|error| Failure::Usage(format!("standard input cannot be read: {error}")))?;
        let line = input::without_remark(&line);
        if !line.is_empty() {
            lines.push(line.to_owned());
        }
    }
    match lines.is_empty() {
        true => Err(Failure::Usage("there is no target on standard input".into())),
        false => Ok(lines),
    }
}

/// The selector that was given; given more than once, whoever fits one of them.
///
/// # Errors
/// Names what is not understood in it.
pub fn selector(matches: &ArgMatches) -> Result<Option<String>, Failure> {
    let Some(texts) = matches.get_many::<String>("from") else { return Ok(None) };
    let text = texts.map(String::as_str).collect::<Vec<_>>().join(", ");
    let selector = Selector::parse(&text).map_err(|error| Failure::Usage(format!("--from: {error}")))?;
    Ok(Some(selector.to_string()))
}

fn refusal(tool: &ToolDefinition, legacy: &LegacyFlag, matches: &ArgMatches) -> Option<String> {
    let Meaning::Refused(why) = legacy.meaning else { return None };
    let given = match legacy.value {
        // A flag whose letter is taken by an option of ours was never added.
        true => matches.try_get_one::<String>(&id(legacy)).ok().flatten().is_some(),
        false => matches.try_get_one::<bool>(&id(legacy)).ok().flatten().is_some_and(|given| *given),
    };
    given.then(|| format!("-{} of {} is refused: {why}", legacy.short, tool.text.name))
}
