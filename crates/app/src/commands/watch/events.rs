//! `netwark events`: the timeline, and what joins it.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::events::{Event, Severity};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::table::{Table, plain};
use super::{counted, done, find, input, number, text, typed};
use crate::api::sse::Parser;
use crate::api::{Api, At};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// How often a broken connection is made again before giving up.
const ATTEMPTS: u32 = 10;
/// Before a broken connection is made again.
const PAUSE: Duration = Duration::from_secs(1);
/// Most events that are read at once when some came: more than that come only after a long break.
const MOST_NEW: u64 = 1_000;

/// Show the timeline, the newest last; through a server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: netwark events --severity warning,alert --since 24h\n          \
                  netwark events --follow --json | jq .text\n          \
                  netwark events --network Office --acknowledge")]
pub struct Args {
    /// Only with this in the text
    text: Option<String>,
    /// Only of these severities: ok, info, warning, alert
    #[arg(long, value_name = "SEVERITY,SEVERITY", value_delimiter = ',', value_parser = input::severity)]
    severity: Vec<Severity>,
    /// Only of these kinds, such as device_new,device_down
    #[arg(long, value_name = "KIND,KIND", value_delimiter = ',')]
    kind: Vec<String>,
    /// Only about the network of this name or id
    #[arg(long)]
    network: Option<String>,
    /// Only about the device of this id, name, hardware address or address
    #[arg(long)]
    device: Option<String>,
    /// Only since then: a time, a day, or how long ago, as 2h
    #[arg(long, value_name = "TIME", value_parser = input::when)]
    since: Option<Timestamp>,
    /// Only before then
    #[arg(long, value_name = "TIME", value_parser = input::when)]
    until: Option<Timestamp>,
    /// Only those that nobody has acknowledged
    #[arg(long)]
    open: bool,
    /// How many, the newest of them
    #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u64).range(0..=1000))]
    limit: u64,
    /// Go on with what happens, until it is interrupted
    #[arg(long, short)]
    follow: bool,
    /// Say that those that are shown were seen to
    #[arg(long, conflicts_with = "follow")]
    acknowledge: bool,
    #[command(flatten)]
    at: At,
}

/// Shows the timeline.
///
/// # Errors
/// Those of the server, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let api = args.at.api()?;
    let query = query(&api, &args).await?;
    // Who follows is told once of what is there, whether it is shown or the limit leaves it out.
    let mut events = newest(&api, &query, if args.follow { MOST_NEW } else { args.limit }).await?;
    let mut shown = Shown { as_json: args.at.json, known: events.iter().filter_map(id).collect() };
    events.truncate(usize::try_from(args.limit).unwrap_or(usize::MAX));
    events.reverse();
    if args.acknowledge {
        acknowledge(&api, &events, args.at.json).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.follow {
        match args.at.json {
            true => output::json(&events),
            false => table(&events)?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    for event in &events {
        shown.print(event)?;
    }
    let followed = tokio::select! {
        followed = follow(&api, &query, &mut shown) => followed,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    followed.map(|()| ExitCode::SUCCESS)
}

/// The filters, with ids for what was named.
async fn query(api: &Api, args: &Args) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut query = Vec::new();
    let severities: Vec<&str> = args.severity.iter().map(|severity| severity.as_str()).collect();
    let words = [("severity", severities.join(",")), ("kind", args.kind.join(","))];
    query.extend(words.into_iter().filter(|(_, words)| !words.is_empty()));
    query.extend(args.text.clone().map(|text| ("q", text)));
    query.extend(args.since.map(|since| ("since", since.to_string())));
    query.extend(args.until.map(|until| ("until", until.to_string())));
    if args.open {
        query.push(("acknowledged", "false".into()));
    }
    if let Some(named) = &args.network {
        query.push(("network", find::network(api, named).await?.id.to_string()));
    }
    if let Some(named) = &args.device {
        query.push(("device", find::device(api, named).await?.id.to_string()));
    }
    Ok(query)
}

/// The newest events that fit, the latest first.
async fn newest(api: &Api, query: &[(&str, String)], most: u64) -> Result<Vec<Value>, Failure> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let request = api.request(Method::GET, "events").query(query);
    api.answer(request.query(&[("per_page", most)])).await
}

fn id(event: &Value) -> Option<Uuid> {
    Uuid::try_parse(text(event, "id")).ok()
}

/// An event in the columns of the table.
fn cells(event: &Event) -> [String; 3] {
    [format!("{:.0}", event.at), event.severity.as_str().into(), event.text.clone()]
}

fn table(events: &[Value]) -> Result<(), Failure> {
    let mut table = Table::new(["AT", "SEVERITY", "WHAT"]);
    for event in events {
        table.row(cells(&typed(event)?));
    }
    table.print();
    Ok(())
}

async fn acknowledge(api: &Api, events: &[Value], as_json: bool) -> Result<(), Failure> {
    let ids: Vec<Uuid> = events.iter().filter_map(id).collect();
    let answer: Value = match ids.is_empty() {
        true => json!({ "changed": 0 }),
        false => api.post("events/acknowledge", &json!({ "ids": ids })).await?,
    };
    let changed = counted(number(&answer, "changed"), "event", "events");
    done(as_json, &answer, &format!("{changed} acknowledged"));
    Ok(())
}

/// What was printed so far.
struct Shown {
    as_json: bool,
    known: HashSet<Uuid>,
}

impl Shown {
    fn print(&self, event: &Value) -> Result<(), Failure> {
        if self.as_json {
            output::json_line(event);
            return Ok(());
        }
        let [at, severity, what] = cells(&typed(event)?);
        output::line(format!("{at}  {severity:8}  {}", plain(&what)));
        Ok(())
    }

    /// Prints those that are new; they come the latest first.
    fn take(&mut self, events: &[Value]) -> Result<(), Failure> {
        for event in events.iter().rev() {
            if id(event).is_some_and(|id| self.known.insert(id)) {
                self.print(event)?;
            }
        }
        // What is not among the newest any more cannot come again.
        let still: HashSet<Uuid> = events.iter().filter_map(id).collect();
        if self.known.len() > 4 * still.len().max(1_000) {
            self.known.retain(|id| still.contains(id));
        }
        Ok(())
    }
}

/// Prints what happens, across connections that break.
async fn follow(api: &Api, query: &[(&str, String)], shown: &mut Shown) -> Result<(), Failure> {
    let mut failures = 0;
    loop {
        match listen(api, query, shown, &mut failures).await {
            // The server ends each stream after a while.
            Ok(()) => {}
            Err(Failure::Failed(text)) if failures >= ATTEMPTS => return Err(Failure::Failed(text)),
            Err(Failure::Failed(_)) => failures += 1,
            Err(other) => return Err(other),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints what happens during one connection.
async fn listen(
    api: &Api,
    query: &[(&str, String)],
    shown: &mut Shown,
    failures: &mut u32,
) -> Result<(), Failure> {
    let request = api.request(Method::GET, "events/stream").header("Accept", "text/event-stream");
    let mut response = api.send(request).await?;
    // What happened while nobody listened.
    shown.take(&newest(api, query, MOST_NEW).await?)?;
    *failures = 0;
    let mut parser = Parser::default();
    while let Some(bytes) = response.chunk().await.map_err(|error| api.unreachable(&error))? {
        let told = parser.push(&bytes).map_err(Failure::Failed)?;
        if told.iter().any(|event| event.kind == "events") {
            shown.take(&newest(api, query, MOST_NEW).await?)?;
        }
    }
    Ok(())
}
