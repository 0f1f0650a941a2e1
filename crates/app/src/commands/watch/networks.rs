//! `netwark networks`: the networks that are watched.

use std::process::ExitCode;

use netwark_model::watch::network::{Network, Sweep};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::table::{Table, first};
use super::{confirm, counted, done, find, input, network_text, number, typed};
use crate::api::{Api, At};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// List, make, change and sweep the networks that are watched; through a server.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List networks
    List(At),
    /// Show a network: its state, its settings, the link of its worker and what it has learned
    Show(Named),
    /// Watch another network; it is swept at once
    #[command(alias = "create")]
    Add(Box<Add>),
    /// Change a network; what is not named stays
    Edit(Box<Edit>),
    /// Watch a network from now on
    Start(Named),
    /// Watch a network no more; nobody goes down because of it
    Stop(Named),
    /// Sweep a network now
    Sweep(Named),
    /// Show the latest sweeps of a network
    Sweeps(Sweeps),
    /// Delete a network; says what goes with it and asks
    #[command(alias = "delete")]
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// Its name or id
    network: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its name, unique
    name: String,
    /// What is swept: prefixes such as 192.0.2.0/24
    #[arg(required = true, value_name = "PREFIX")]
    prefixes: Vec<String>,
    /// Do not sweep it yet
    #[arg(long)]
    stopped: bool,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Edit {
    #[command(flatten)]
    named: Named,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    /// What is swept, instead of what was; may be given more than once
    #[arg(long = "prefix", value_name = "PREFIX")]
    prefixes: Vec<String>,
    #[command(flatten)]
    settings: Settings,
}

/// What people decide about a network.
#[derive(Debug, clap::Args)]
struct Settings {
    /// Who may sweep it: a worker, a queue or a selector, of which the server chooses one worker
    #[arg(long, value_name = "SELECTOR")]
    from: Option<String>,
    /// What is left out; may be given more than once, none leaves out nothing
    #[arg(long, value_name = "PREFIX")]
    exclude: Vec<String>,
    /// The interface, when not the one that leads there; none for that one
    #[arg(long, value_parser = input::text_or_none)]
    interface: Option<Value>,
    /// The VLAN whose tag the packets bear, from 1 to 4094, or none
    #[arg(long, value_parser = input::number_or_none)]
    vlan: Option<Value>,
    /// From one sweep to the next, as 90s, 7m or 1h
    #[arg(long, value_name = "TIME", value_parser = input::milliseconds)]
    every: Option<i64>,
    /// Packets a second at most; none for the usual
    #[arg(long, value_name = "PACKETS", value_parser = input::number_or_none)]
    rate: Option<Value>,
    /// Bits a second at most, as 500k or 2M; none for as many as the packets take
    #[arg(long, value_name = "BITS", value_parser = input::bits_or_none)]
    rate_bps: Option<Value>,
    /// Part of the link's speed that is used at most, in percent; none for the usual
    #[arg(long, value_name = "PERCENT", value_parser = input::number_or_none)]
    share: Option<Value>,
    /// Sweeps in a row that may miss a device before it is down
    #[arg(long, value_name = "SWEEPS")]
    grace: Option<i64>,
    /// See devices that speak without a sweep
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    passive: Option<bool>,
    /// Ask devices and name servers for names; they are asked unless this is false
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    names: Option<bool>,
    /// Sweep more addresses than those of a /16
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    large: Option<bool>,
    /// Who may hand out addresses; may be given more than once, none for those that are learned
    #[arg(long = "dhcp-server", value_name = "ADDRESS")]
    dhcp_servers: Vec<String>,
    /// Who may say it is a router, by its link-local address; may be given more than once, none for those that are
    /// learned
    #[arg(long = "router", value_name = "ADDRESS")]
    routers: Vec<String>,
    /// How much a situation matters, as known_down=alert; usual takes it back; may be given more than once
    #[arg(long = "severity", value_name = "SITUATION=SEVERITY", value_parser = input::situation)]
    severities: Vec<(String, Value)>,
}

#[derive(Debug, clap::Args)]
struct Sweeps {
    #[command(flatten)]
    named: Named,
    /// How many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
}

#[derive(Debug, clap::Args)]
struct Remove {
    #[command(flatten)]
    named: Named,
    /// Keep its events, sweeps and devices to be read
    #[arg(long)]
    keep_history: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only say what would go
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

impl Settings {
    /// The fields of the API that were named.
    fn fields(self) -> Map<String, Value> {
        let mut fields = Map::new();
        let named = [
            ("from", self.from.map(Value::from)),
            ("interface", self.interface),
            ("vlan", self.vlan),
            ("interval_ms", self.every.map(Value::from)),
            ("rate_pps", self.rate),
            ("rate_bps", self.rate_bps),
            ("share", self.share),
            ("grace_sweeps", self.grace.map(Value::from)),
            ("passive", self.passive.map(Value::from)),
            ("names", self.names.map(Value::from)),
            ("large", self.large.map(Value::from)),
        ];
        fields.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let lists =
            [("exclude", self.exclude), ("dhcp_servers", self.dhcp_servers), ("routers", self.routers)];
        for (name, entries) in lists.iter().filter(|(_, entries)| !entries.is_empty()) {
            fields.insert((*name).to_owned(), input::list(entries));
        }
        fields
    }
}

/// Lists, makes, changes and sweeps networks.
///
/// # Errors
/// Those of the server, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    match args.action {
        Action::List(at) => list(&at).await,
        Action::Show(named) => show(&named).await,
        Action::Add(args) => add(*args).await,
        Action::Edit(args) => edit(*args).await,
        Action::Start(named) => switch(&named, "start", "is watched from now on").await,
        Action::Stop(named) => switch(&named, "stop", "is not watched any more").await,
        Action::Sweep(named) => sweep(&named).await,
        Action::Sweeps(args) => sweeps(&args).await,
        Action::Remove(args) => remove(&args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn list(at: &At) -> Result<(), Failure> {
    let answer: Value = at.api()?.get("networks").await?;
    if at.json {
        output::json(&answer);
        return Ok(());
    }
    let mut table =
        Table::new(["NAME", "STATUS", "PREFIXES", "WORKER", "UP", "NOT ALLOWED", "LAST SWEEP", "ID"]);
    for network in typed::<Vec<Network>>(&answer)? {
        let last = network.last_sweep.as_ref();
        table.row([
            network.name.clone(),
            network_text::status(network.status).into(),
            first(&network.prefixes),
            network.worker.clone().unwrap_or_default(),
            format!("{}/{}", network.up, network.devices),
            network.not_allowed.to_string(),
            last.map_or_else(|| "never".into(), |sweep| format!("{:.0}", sweep.started_at)),
            network.id.to_string(),
        ]);
    }
    table.print();
    Ok(())
}

async fn show(named: &Named) -> Result<(), Failure> {
    let api = named.at.api()?;
    let network = find::network(&api, &named.network).await?;
    match named.at.json {
        true => output::json(&api.get::<Value>(&format!("networks/{}", network.id)).await?),
        false => network_text::print(&network),
    }
    Ok(())
}

async fn add(args: Add) -> Result<(), Failure> {
    let api = args.at.api()?;
    let severities = Map::from_iter(args.settings.severities.clone());
    let mut fields = args.settings.fields();
    fields.insert("name".into(), args.name.into());
    fields.insert("prefixes".into(), args.prefixes.into());
    fields.insert("start".into(), (!args.stopped).into());
    if !severities.is_empty() {
        fields.insert("severities".into(), severities.into());
    }
    let answer: Value = api.post("networks", &fields).await?;
    let network: Network = typed(&answer)?;
    let told = match (&network.worker, network.running) {
        (_, false) => format!("{} is there; 'netwark networks start' has it swept", network.name),
        (Some(worker), true) => format!("{} is watched by {worker}", network.name),
        (None, true) => {
            format!("{} is there, but no worker that is online fits '{}'", network.name, network.from)
        }
    };
    done(args.at.json, &answer, &told);
    Ok(())
}

async fn edit(args: Edit) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let network = find::network(&api, &args.named.network).await?;
    let severities = args.settings.severities.clone();
    let mut fields = args.settings.fields();
    fields.extend(args.name.map(|name| ("name".to_owned(), name.into())));
    if !args.prefixes.is_empty() {
        fields.insert("prefixes".into(), args.prefixes.into());
    }
    if !severities.is_empty() {
        // They are one field of the API, and those that are not named stay.
        let mut all = json!(network.severities);
        if let Value::Object(all) = &mut all {
            all.extend(severities);
        }
        fields.insert("severities".into(), all);
    }
    if fields.is_empty() {
        return Err(Failure::Usage("nothing to change was named; --help tells what can be".into()));
    }
    let request = api.request(Method::PATCH, &format!("networks/{}", network.id)).json(&fields);
    let answer: Value = api.answer(request).await?;
    let changed: Network = typed(&answer)?;
    done(args.named.at.json, &answer, &format!("{} is changed", changed.name));
    Ok(())
}

async fn switch(named: &Named, how: &str, told: &str) -> Result<(), Failure> {
    let api = named.at.api()?;
    let network = find::network(&api, &named.network).await?;
    let answer: Value = api.post(&format!("networks/{}/{how}", network.id), &json!({})).await?;
    done(named.at.json, &answer, &format!("{} {told}", network.name));
    Ok(())
}

async fn sweep(named: &Named) -> Result<(), Failure> {
    let api = named.at.api()?;
    let network = find::network(&api, &named.network).await?;
    let answer: Value = api.post(&format!("networks/{}/sweeps", network.id), &json!({})).await?;
    let worker = answer.get("worker").and_then(Value::as_str).unwrap_or("its worker");
    let told = format!(
        "{worker} was told to sweep {}; 'netwark networks sweeps' shows it when it has ended",
        network.name
    );
    done(named.at.json, &answer, &told);
    Ok(())
}

async fn sweeps(args: &Sweeps) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let network = find::network(&api, &args.named.network).await?;
    let request = api.request(Method::GET, &format!("networks/{}/sweeps", network.id));
    let answer: Value = api.answer(request.query(&[("per_page", args.limit)])).await?;
    if args.named.at.json {
        output::json(&answer);
        return Ok(());
    }
    let mut table = Table::new(["BEGAN", "TOOK", "WORKER", "ASKED", "FOUND", "NEW", "GONE", "ERROR"]);
    for sweep in typed::<Vec<Sweep>>(&answer)? {
        let incomplete = if sweep.complete { "" } else { "not completed" };
        table.row([
            format!("{:.0}", sweep.started_at),
            network_text::took(sweep.took_ms),
            sweep.worker,
            sweep.probed.to_string(),
            sweep.hosts.to_string(),
            sweep.newcomers.to_string(),
            sweep.gone.to_string(),
            sweep.error.unwrap_or_else(|| incomplete.into()),
        ]);
    }
    table.print();
    Ok(())
}

async fn remove(args: &Remove) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let network = find::network(&api, &args.named.network).await?;
    let would = ask_removal(&api, &network, args.keep_history, true).await?;
    let goes = leavings(&would, args.keep_history);
    if args.dry_run {
        done(args.named.at.json, &would, &format!("{} would be deleted, and with it {goes}", network.name));
        return Ok(());
    }
    confirm(&format!("Delete {}, and with it {goes}?", network.name), args.yes)?;
    let answer = ask_removal(&api, &network, args.keep_history, false).await?;
    let goes = leavings(&answer, args.keep_history);
    done(args.named.at.json, &answer, &format!("{} is deleted, and with it {goes}", network.name));
    Ok(())
}

async fn ask_removal(api: &Api, network: &Network, keep: bool, dry_run: bool) -> Result<Value, Failure> {
    let request = api.request(Method::DELETE, &format!("networks/{}", network.id));
    api.answer(request.query(&[("keep_history", keep), ("dry_run", dry_run)])).await
}

/// What goes with a network, in words.
fn leavings(answer: &Value, keep_history: bool) -> String {
    let all = [
        ("events", "event", "events"),
        ("devices", "device", "devices"),
        ("sightings", "sighting", "sightings"),
        ("sessions", "time of presence", "times of presence"),
        ("sweeps", "sweep", "sweeps"),
        ("access_entries", "entry of the access list", "entries of the access list"),
    ];
    let goes = all.into_iter().filter(|(name, ..)| !keep_history || *name == "access_entries");
    let goes = goes.map(|(name, one, several)| (number(answer, name), one, several));
    let told: Vec<String> =
        goes.filter(|(many, ..)| *many > 0).map(|(many, one, several)| counted(many, one, several)).collect();
    let goes = if told.is_empty() { "nothing else".to_owned() } else { told.join(", ") };
    if keep_history { format!("{goes}; its history stays") } else { goes }
}
