//! `netwark devices`: what was seen on the watched networks.

use std::process::ExitCode;

use jiff::Timestamp;
use netwark_model::watch::device::{Access, Criticality, Device, DeviceChange, DeviceDetail};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::table::{Table, facts, first};
use super::{confirm, counted, done, find, input, typed};
use crate::api::At;
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// List, name, allow, deny and merge devices; through a server. A device is named by its id, name, hardware address or
/// address.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List devices
    List(List),
    /// Show a device with its interfaces, addresses and names
    Show(Show),
    /// Change what people say of a device; what is not named stays
    Edit(Box<Edit>),
    /// Allow a device on all networks
    Allow(Listing),
    /// Deny a device on all networks: it is an alert when it comes
    Deny(Listing),
    /// Take a device off the access list
    Unlist(Named),
    /// Say that devices are the same: the others become part of the first
    Merge(Merge),
    /// Make some interfaces of a device a device of their own
    Split(Split),
    /// Delete a device with what was seen of it; asks. When it is seen again, it is a new one
    #[command(aliases = ["forget", "delete"])]
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// Its id, name, hardware address or address
    device: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only with this in a name, note, owner, vendor, tag or type, or with this address, prefix or hardware address
    text: Option<String>,
    /// Only on the network of this name or id
    #[arg(long)]
    network: Option<String>,
    /// Only of whom the access list says this
    #[arg(long, alias = "standing", value_parser = ["worker", "known", "unknown", "denied"])]
    access: Option<String>,
    /// Only those that are there, are not, or of which nobody knows
    #[arg(long, value_parser = ["up", "down", "unknown"])]
    presence: Option<String>,
    /// Only of this type; - for those of which nobody knows it
    #[arg(long = "type", value_name = "TYPE", allow_hyphen_values = true)]
    kind: Option<String>,
    /// Only with this in the name of the vendor
    #[arg(long)]
    vendor: Option<String>,
    /// Only of this owner
    #[arg(long)]
    owner: Option<String>,
    /// Only with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only on which this much depends
    #[arg(long, value_parser = criticality)]
    criticality: Option<Criticality>,
    /// Only first seen since then: a time, a day, or how long ago, as 7d
    #[arg(long, value_name = "TIME", value_parser = input::when)]
    new_since: Option<Timestamp>,
    /// In this order
    #[arg(long, default_value = "label", value_parser = ["label", "last_seen", "first_seen", "address", "vendor", "type"])]
    sort: String,
    /// The other way around
    #[arg(long)]
    descending: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    named: Named,
    /// Show instead what changed about it, the latest first
    #[arg(long)]
    history: bool,
}

#[derive(Debug, clap::Args)]
struct Edit {
    #[command(flatten)]
    named: Named,
    /// Its name; none gives it back to what is heard
    #[arg(long, value_parser = input::text_or_none)]
    name: Option<Value>,
    /// What it is; none gives that back to the rules
    #[arg(long = "type", value_name = "TYPE", value_parser = input::text_or_none)]
    kind: Option<Value>,
    /// Whose it is
    #[arg(long)]
    owner: Option<String>,
    /// What people should know of it
    #[arg(long)]
    notes: Option<String>,
    /// A word to find it by, instead of those there were; may be given more than once, none for no word
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// How much depends on it
    #[arg(long, value_parser = criticality)]
    criticality: Option<Criticality>,
    /// How much it matters that it comes, or usual
    #[arg(long, value_name = "SEVERITY", value_parser = input::severity_or_usual)]
    when_up: Option<Value>,
    /// How much it matters that it goes, or usual
    #[arg(long, value_name = "SEVERITY", value_parser = input::severity_or_usual)]
    when_down: Option<Value>,
}

#[derive(Debug, clap::Args)]
struct Listing {
    #[command(flatten)]
    named: Named,
    /// Why; what the device is called when left out
    #[arg(long)]
    note: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Merge {
    #[command(flatten)]
    named: Named,
    /// Those that become part of it
    #[arg(required = true, value_name = "OTHER")]
    others: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Split {
    #[command(flatten)]
    named: Named,
    /// Hardware addresses or ids of its interfaces
    #[arg(required = true, value_name = "INTERFACE")]
    interfaces: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Remove {
    #[command(flatten)]
    named: Named,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

fn criticality(word: &str) -> Result<Criticality, String> {
    let words = Criticality::ALL.map(Criticality::as_str).join(", ");
    Criticality::from_word(word).ok_or_else(|| format!("must be one of {words}"))
}

/// Lists and manages devices.
///
/// # Errors
/// Those of the server, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    match args.action {
        Action::List(args) => list(args).await,
        Action::Show(args) => show(&args).await,
        Action::Edit(args) => edit(*args).await,
        Action::Allow(args) => {
            set_access(&args.named, json!({"action": "allow", "note": args.note}), "is allowed").await
        }
        Action::Deny(args) => {
            set_access(&args.named, json!({"action": "deny", "note": args.note}), "is denied").await
        }
        Action::Unlist(named) => {
            set_access(&named, json!({"action": null}), "is on the access list no more").await
        }
        Action::Merge(args) => merge(&args).await,
        Action::Split(args) => split(&args).await,
        Action::Remove(args) => remove(&args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn list(args: List) -> Result<(), Failure> {
    let api = args.at.api()?;
    let network = match &args.network {
        Some(named) => Some(find::network(&api, named).await?.id.to_string()),
        None => None,
    };
    let asked = [
        ("q", args.text),
        ("network", network),
        ("access", args.access),
        ("presence", args.presence),
        ("type", args.kind),
        ("vendor", args.vendor),
        ("owner", args.owner),
        ("tag", args.tag),
        ("criticality", args.criticality.map(|word| word.as_str().to_owned())),
        ("first_seen_after", args.new_since.map(|time| time.to_string())),
        ("sort", Some(args.sort)),
        ("descending", Some(args.descending.to_string())),
    ];
    let query: Vec<_> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let answer = api.list("devices", &query).await?;
    if args.at.json {
        output::json(&answer);
        return Ok(());
    }
    let mut table =
        Table::new(["NAME", "PRESENCE", "ACCESS", "TYPE", "ADDRESS", "MAC", "VENDOR", "LAST SEEN"]);
    for device in &answer {
        let device: Device = typed(device)?;
        table.row([
            device.label,
            device.presence.as_str().into(),
            device.access.as_str().into(),
            device.kind,
            first(&device.addresses),
            first(&device.macs),
            device.vendor.unwrap_or_default(),
            format!("{:.0}", device.last_seen_at),
        ]);
    }
    table.print();
    Ok(())
}

/// The word of the API for a value.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

async fn show(args: &Show) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let id = find::device(&api, &args.named.device).await?.id;
    let path =
        if args.history { format!("devices/{id}/history?per_page=1000") } else { format!("devices/{id}") };
    let answer: Value = api.get(&path).await?;
    match (args.named.at.json, args.history) {
        (true, _) => output::json(&answer),
        (false, true) => print_history(&typed::<Vec<DeviceChange>>(&answer)?),
        (false, false) => print(&typed(&answer)?),
    }
    Ok(())
}

fn print_history(changes: &[DeviceChange]) {
    let mut table = Table::new(["AT", "WHAT", "BEFORE", "AFTER", "SOURCE"]);
    for change in changes {
        table.row([
            format!("{:.0}", change.at),
            change.field.clone(),
            change.old.clone().unwrap_or_default(),
            change.new.clone().unwrap_or_default(),
            change.source.clone(),
        ]);
    }
    table.print();
}

fn print(detail: &DeviceDetail) {
    let device = &detail.device;
    let severity = |what: &str, severity: Option<netwark_model::events::Severity>| {
        severity.map(|severity| format!("{what}: {}", severity.as_str()))
    };
    let matters: Vec<String> =
        [severity("up", device.severities.up), severity("down", device.severities.down)]
            .into_iter()
            .flatten()
            .collect();
    facts(
        &device.label,
        &[
            ("presence", device.presence.as_str().into()),
            ("access", device.access.as_str().into()),
            ("type", device.kind.clone()),
            ("vendor", device.vendor.clone().unwrap_or_default()),
            ("owner", device.owner.clone()),
            ("notes", device.notes.clone()),
            ("tags", device.tags.join(", ")),
            ("criticality", device.criticality.as_str().into()),
            ("severities", matters.join(", ")),
            ("first seen", format!("{:.0}", device.first_seen_at)),
            ("last seen", format!("{:.0}", device.last_seen_at)),
            ("id", device.id.to_string()),
        ],
    );
    for interface in &detail.interfaces {
        let head = interface.mac.map_or_else(|| "no hardware address".to_owned(), |mac| mac.to_string());
        let names = interface.names.iter().map(|name| format!("{} ({})", name.text, word(&name.source)));
        let addresses = interface.addresses.iter().map(|seen| {
            let before = if seen.current { "" } else { ", before" };
            format!("{} ({}{before})", seen.address, format_args!("{:.0}", seen.last_seen_at))
        });
        facts(
            &format!("{head} on {}", interface.network),
            &[
                ("presence", format!("{} since {:.0}", interface.presence.as_str(), interface.since)),
                ("access", interface.access.as_str().into()),
                ("vendor", interface.vendor.clone().unwrap_or_default()),
                ("addresses", addresses.collect::<Vec<_>>().join("\n")),
                ("names", names.collect::<Vec<_>>().join("\n")),
                ("id", interface.id.to_string()),
            ],
        );
    }
    for proposal in &detail.proposals {
        output::line(super::table::plain(&format!(
            "May be the same as {} ({}): {}",
            proposal.label, proposal.device_id, proposal.reason
        )));
    }
}

async fn edit(args: Edit) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let device = find::device(&api, &args.named.device).await?;
    let mut fields = Map::new();
    let named = [
        ("name", args.name),
        ("type", args.kind),
        ("owner", args.owner.map(Value::from)),
        ("notes", args.notes.map(Value::from)),
        ("criticality", args.criticality.map(|word| word.as_str().into())),
    ];
    fields.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    if !args.tags.is_empty() {
        fields.insert("tags".into(), input::list(&args.tags));
    }
    if args.when_up.is_some() || args.when_down.is_some() {
        let up = args.when_up.unwrap_or_else(|| json!(device.severities.up));
        let down = args.when_down.unwrap_or_else(|| json!(device.severities.down));
        fields.insert("severities".into(), json!({ "up": up, "down": down }));
    }
    if fields.is_empty() {
        return Err(Failure::Usage("nothing to change was named; --help tells what can be".into()));
    }
    let request = api.request(Method::PATCH, &format!("devices/{}", device.id)).json(&fields);
    let answer: Value = api.answer(request).await?;
    let changed: Device = typed(&answer)?;
    done(args.named.at.json, &answer, &format!("{} is changed", output::shown(&changed.label)));
    Ok(())
}

async fn set_access(named: &Named, body: Value, told: &str) -> Result<(), Failure> {
    let api = named.at.api()?;
    let device = find::device(&api, &named.device).await?;
    let answer: Value = api.post(&format!("devices/{}/access", device.id), &body).await?;
    done(named.at.json, &answer, &format!("{} {told}", output::shown(&device.label)));
    Ok(())
}

async fn merge(args: &Merge) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let stays = find::device(&api, &args.named.device).await?;
    let mut others = Vec::new();
    for named in &args.others {
        others.push(find::device(&api, named).await?.id);
    }
    let body = json!({ "devices": others });
    let answer: Value = api.post(&format!("devices/{}/merge", stays.id), &body).await?;
    let merged: DeviceDetail = typed(&answer)?;
    let interfaces = counted(merged.interfaces.len() as u64, "interface", "interfaces");
    done(
        args.named.at.json,
        &answer,
        &format!("{} has {interfaces} now", output::shown(&merged.device.label)),
    );
    Ok(())
}

async fn split(args: &Split) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let device = find::device(&api, &args.named.device).await?;
    let detail: DeviceDetail = api.get(&format!("devices/{}", device.id)).await?;
    let mut interfaces = Vec::new();
    for named in &args.interfaces {
        let mac = named.parse().ok();
        let fits: Vec<_> = detail
            .interfaces
            .iter()
            .filter(|interface| interface.id.to_string() == *named || (mac.is_some() && interface.mac == mac))
            .map(|interface| interface.id)
            .collect();
        if fits.is_empty() {
            return Err(Failure::Failed(format!(
                "{} has no interface '{}'; 'netwark devices show' shows them",
                output::shown(&device.label),
                output::shown(named)
            )));
        }
        interfaces.extend(fits);
    }
    let body = json!({ "interfaces": interfaces });
    let answer: Value = api.post(&format!("devices/{}/split", device.id), &body).await?;
    let other: Device = typed(&answer)?;
    let told = format!("{} is a device of its own now, {}", output::shown(&other.label), other.id);
    done(args.named.at.json, &answer, &told);
    Ok(())
}

async fn remove(args: &Remove) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let device = find::device(&api, &args.named.device).await?;
    let label = output::shown(&device.label);
    let listed = match device.access {
        Access::Known | Access::Denied => " Its entries in the access list stay.",
        _ => "",
    };
    let question = format!(
        "With {label} go its addresses, names, history and times of presence, since {:.0}.{listed} Delete it?",
        device.first_seen_at
    );
    confirm(&question, args.yes)?;
    api.send(api.request(Method::DELETE, &format!("devices/{}", device.id))).await?;
    let answer = json!({ "id": device.id, "label": device.label, "deleted": true });
    done(
        args.named.at.json,
        &answer,
        &format!("{label} is deleted; when it is seen again, it is a new device"),
    );
    Ok(())
}
