//! `netwark oui`: to whom MAC addresses are assigned.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use netwark_lookup::oui::{self, Answer, Kind, Table, Vendors, find_all};
use netwark_lookup::update::{Loaded, State, directory};
use serde_json::{Value, json};

use super::input;
use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Longest line of standard input, in bytes.
const LONGEST_LINE: usize = 4096;

/// Say to whom MAC addresses are assigned; asks nobody else.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads standard input when it is told '-', or when nothing is asked and it is no terminal;\n\
    lines such as those of 'ip neigh' and 'arp -a' are searched for addresses.\n\n\
    Examples: netwark oui 00:00:0c:12:34:56 5254.0012.3456\n          netwark oui 'Raspberry Pi' --all\n          \
    ip neigh | netwark oui"
)]
pub struct Args {
    /// Addresses in any notation, beginnings of addresses, or names of organisations; '-' for standard input
    #[arg(value_name = "MAC|PREFIX|NAME")]
    asked: Vec<String>,
    /// List every assignment that fits a name or begins so
    #[arg(long)]
    all: bool,
    /// Print JSON: one document for each question, on a line of its own
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Answers; exit code 1 when somebody is not known.
///
/// # Errors
/// Those of the configuration and of standard input.
pub fn run(args: &Args) -> Outcome {
    logging::start_quiet();
    let config = Config::load(&args.flags)?;
    let place = directory(&config.data_dir, oui::NAME);
    let vendors = match oui::load(&place, &State::read(&place)) {
        Loaded::Data(vendors) => vendors,
        Loaded::Nothing => Vendors::BuiltIn,
        Loaded::Broken(why) => {
            output::complain(&format!("netwark: {why}; the table that comes with the program is used"));
            Vendors::BuiltIn
        }
    };
    let mut teller = Teller { table: &vendors, args, unknown: false, wrong: false };
    let from_input = args.asked.is_empty() && !io::stdin().is_terminal();
    if args.asked.is_empty() && !from_input {
        return Err(Failure::Usage("say which MAC address, or hand them over on standard input".into()));
    }
    for asked in &args.asked {
        match asked.as_str() {
            "-" => teller.read()?,
            asked => teller.answer(asked),
        }
    }
    if from_input {
        teller.read()?;
    }
    Ok(match (teller.wrong, teller.unknown) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

struct Teller<'a> {
    table: &'a Table,
    args: &'a Args,
    /// Nobody was known for something.
    unknown: bool,
    /// Something was not understood.
    wrong: bool,
}

impl Teller<'_> {
    /// Answers standard input, line by line as it comes.
    fn read(&mut self) -> Result<(), Failure> {
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = io::Read::take(&mut input, LONGEST_LINE as u64).read_until(b'\n', &mut line);
            if read.map_err(|error| Failure::Failed(format!("standard input: {error}")))? == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line);
            let text = input::without_remark(&text);
            if text.is_empty() {
                continue;
            }
            // A whole line is a question, unless it has blanks and an address between other words.
            let found = if text.contains(char::is_whitespace) { find_all(text, 64) } else { Vec::new() };
            match found.as_slice() {
                [] => self.answer(text),
                macs => macs.iter().for_each(|mac| self.tell(&self.table.answer_mac(*mac))),
            }
        }
    }

    fn answer(&mut self, asked: &str) {
        match self.table.answer(asked) {
            Ok(answer) if self.args.all && matches!(answer.kind, Kind::Name | Kind::Prefix) => {
                self.list(&answer);
            }
            Ok(answer) => {
                self.unknown |= is_unknown(&answer);
                self.tell(&answer);
            }
            Err(error) => {
                self.wrong = true;
                if self.args.json {
                    self.print(&json!({ "query": asked, "error": error.to_string() }));
                } else {
                    output::complain(&format!("netwark: {error}"));
                }
            }
        }
    }

    /// Every assignment that fits.
    fn list(&mut self, answer: &Answer) {
        let filter = match answer.kind {
            Kind::Name => oui::Filter { q: Some(answer.query.clone()), ..oui::Filter::default() },
            _ => oui::Filter { assignment: oui::Prefix::parse(&answer.query), ..oui::Filter::default() },
        };
        let entries = self.table.list(&filter);
        self.unknown |= entries.is_empty();
        for entry in entries {
            if self.args.json {
                self.print(&json!({
                    "assignment": entry.assignment(),
                    "orgname": entry.name,
                    "orgaddr": entry.address,
                    "registry": entry.registry,
                }));
            } else {
                let registry = entry.registry.as_str();
                output::line(format!("{:9}  {registry:4}  {}", entry.assignment(), entry.name));
            }
        }
    }

    fn tell(&self, answer: &Answer) {
        match self.args.json {
            true => self.print(&json!(answer)),
            false => output::line(words(answer)),
        }
    }

    fn print(&self, value: &Value) {
        output::line(value.to_string());
    }
}

/// True when nothing at all is known.
fn is_unknown(answer: &Answer) -> bool {
    answer.orgname.is_none() && answer.known.is_none() && answer.local != Some(true)
}

/// An answer in a line.
pub fn words(answer: &Answer) -> String {
    let asked = answer.mac.as_ref().unwrap_or(&answer.query);
    let mut parts = Vec::new();
    if let (Some(name), Some(assignment), Some(registry)) =
        (&answer.orgname, &answer.assignment, &answer.registry)
    {
        parts.push(format!("{name} ({} {assignment})", registry.as_str()));
    }
    if let Some(known) = &answer.known {
        let detail = known.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
        parts.push(format!("{}{detail}", known.name));
    }
    match (answer.randomised, answer.local) {
        (Some(true), _) => parts.push("locally administered, probably randomised".into()),
        (_, Some(true)) => parts.push("locally administered".into()),
        _ => {}
    }
    if answer.multicast == Some(true) && answer.known.is_none() {
        parts.push("multicast".into());
    }
    if let Some(count) = answer.assignments.filter(|count| *count > 1) {
        parts.push(format!("{count} assignments, --all lists them"));
    }
    if parts.is_empty() {
        parts.push("nobody is known".into());
    }
    format!("{asked:17}  {}", parts.join("; "))
}
