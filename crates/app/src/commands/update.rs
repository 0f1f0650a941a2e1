//! `netwark update`: newer data for look-ups.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use netwark_lookup::fetch::Location;
use netwark_lookup::update::{Asked, Outcome as Ended, Report, Source, State, directory, update};
use netwark_server::auth::secret_key::SecretKey;
use netwark_server::lookups::updates::account;
use serde_json::{Value, json};

use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Fetch newer data for look-ups; works beside a running server, which takes it over within seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Without a source: what there is and how old it is.\n\
    Examples: netwark update oui\n          netwark update oui --from /usr/share/ieee-data\n          \
    netwark update --all --json")]
pub struct Args {
    /// What to fetch, such as oui
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// Fetch everything
    #[arg(long, conflicts_with = "sources")]
    all: bool,
    /// Fetch from a mirror, a directory or a file instead of where the configuration says
    #[arg(long, value_name = "URL|PATH", conflicts_with = "all")]
    from: Option<String>,
    /// Fetch and check, tell what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Fetches what is asked for. When one source fails the others are fetched nevertheless.
///
/// # Errors
/// Those of the configuration and of the data directory, and sources that there are not.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let config = Config::load(&args.flags)?;
    let all = || config.updates.sources.iter().map(|configured| Arc::clone(&configured.source));
    let sources: Vec<Arc<dyn Source>> = match (args.all, args.sources.as_slice()) {
        (true, _) => all().collect(),
        (false, []) if args.from.is_some() => {
            return Err(Failure::Usage("--from needs the source that is there".into()));
        }
        (false, []) => {
            list(&config, args.json);
            return Ok(ExitCode::SUCCESS);
        }
        (false, names) => names.iter().map(|name| named(&config, name)).collect::<Result<_, _>>()?,
    };
    if args.from.is_some() && sources.len() > 1 {
        return Err(Failure::Usage("--from is about one source".into()));
    }
    let from = args.from.as_deref().map(place).transpose()?;
    let asked = Asked { from, dry_run: args.dry_run };
    super::make_data_dir(&config)?;
    let sources = match asked.from {
        Some(_) => sources,
        None => with_accounts(&config, sources).await?,
    };
    let mut reports = Vec::new();
    let mut failed = 0;
    for source in &sources {
        match update(source, &config.data_dir, &asked).await {
            Ok(report) => {
                if !args.json {
                    tell(&report);
                }
                reports.push(json!(report));
            }
            Err(error) => {
                failed += 1;
                output::complain(&format!("netwark: {}: {error}", source.name()));
                reports.push(
                    json!({ "source": source.name(), "outcome": "failed", "error": error.to_string() }),
                );
            }
        }
    }
    hand_over(&config.data_dir);
    if args.json {
        output::json(&reports);
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn named(config: &Config, name: &str) -> Result<Arc<dyn Source>, Failure> {
    config.updates.source(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = config.updates.sources.iter().map(|known| known.source.name()).collect();
        Failure::Usage(format!("there is no source '{name}'; there are {}", known.join(", ")))
    })
}

/// The sources as the server of this machine asks them: with the accounts that it was given.
async fn with_accounts(
    config: &Config,
    sources: Vec<Arc<dyn Source>>,
) -> Result<Vec<Arc<dyn Source>>, Failure> {
    let has_server = config.database.file().is_none_or(Path::exists) && config.secret_key_file().exists();
    if !has_server || sources.iter().all(|source| source.as_with_account().is_none()) {
        return Ok(sources);
    }
    let store = super::open_store(config).await?;
    let applied = async {
        let secret = SecretKey::open(&config.secret_key_file(), &store).await.map_err(Failure::failed)?;
        let mut applied = Vec::new();
        for source in &sources {
            let with_stored = account::with_stored(&store, Some(&secret), source).await;
            applied.push(with_stored.map_err(Failure::failed)?);
        }
        Ok(applied)
    };
    let applied = applied.await;
    store.close().await;
    applied
}

/// Gives what root has fetched to whose data directory it is, which is the server that has to read it.
fn hand_over(data_dir: &Path) {
    let Ok(owner) = std::fs::metadata(data_dir) else { return };
    let mut waiting = vec![data_dir.join("lookups")];
    while let Some(path) = waiting.pop() {
        let Ok(found) = std::fs::symlink_metadata(&path) else { continue };
        if found.uid() != owner.uid()
            && let Err(error) = std::os::unix::fs::lchown(&path, Some(owner.uid()), Some(owner.gid()))
        {
            output::complain(&format!("netwark: {} stays that of another user: {error}", path.display()));
        }
        if found.is_dir() {
            waiting
                .extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
}

/// A place as it is typed in a shell: a path may be relative there.
fn place(text: &str) -> Result<Location, Failure> {
    let path = std::path::absolute(text).unwrap_or_else(|_| text.into());
    if !text.contains("://") {
        return match path.exists() {
            true => Ok(Location::File(path)),
            false => {
                Err(Failure::Usage(format!("--from: {} does not exist, and it is no URL", path.display())))
            }
        };
    }
    text.parse().map_err(|wrong| Failure::Usage(format!("--from: {wrong}")))
}

fn tell(report: &Report) {
    let date = report.date.map_or_else(String::new, |date| format!(" of {date}"));
    let data = format!("{} entries{date}", report.entries);
    let changes = &report.changes;
    let counts = format!("{} added, {} changed, {} removed", changes.added, changes.changed, changes.removed);
    output::line(match report.outcome {
        Ended::Unchanged => format!("{}: nothing new; {data}", report.source),
        Ended::Updated => format!("{}: updated; {data}; {counts}", report.source),
        Ended::Available => format!("{}: an update would bring {data}; {counts}", report.source),
    });
    output::lines(changes.examples.iter().map(|example| format!("  {example}")));
    let named = changes.examples.len() as u64;
    let total = changes.added + changes.changed + changes.removed;
    if named > 0 && total > named {
        output::line(format!("  and {} more", total - named));
    }
}

/// What there is and how old it is.
fn list(config: &Config, as_json: bool) {
    let mut rows: Vec<Value> = Vec::new();
    for configured in &config.updates.sources {
        let source = &configured.source;
        let state = State::read(&directory(&config.data_dir, source.name()));
        let built_in = source.built_in();
        if as_json {
            rows.push(json!({
                "source": source.name(),
                "title": source.title(),
                "schedule": configured.schedule.to_string(),
                "built_in": built_in,
                "date": state.date,
                "entries": state.entries,
                "fetched_at": state.fetched_at,
                "checked_at": state.checked_at,
                "failure": state.failure,
            }));
            continue;
        }
        let data = match (state.fetched_at, &built_in) {
            (Some(at), _) => {
                let of = state.date.map_or_else(String::new, |date| format!(" of {date}"));
                format!("{} entries{of}, fetched {}", state.entries, ago(at))
            }
            (None, Some(data)) => {
                format!("{} entries of {}, as they came with the program", data.entries, data.date)
            }
            (None, None) => "nothing yet".into(),
        };
        output::line(format!(
            "{}: {}: {data}; schedule {}",
            source.name(),
            source.title(),
            configured.schedule
        ));
        if let Some(failure) = state.failure {
            output::line(format!("  the last attempt failed {}: {}", ago(failure.at), failure.why));
        }
    }
    if as_json {
        output::json(&rows);
    }
}

fn ago(at: Timestamp) -> String {
    match (Timestamp::now().as_second() - at.as_second()) / 3600 {
        ..1 => "within the hour".into(),
        1 => "an hour ago".into(),
        hours @ 2..48 => format!("{hours} hours ago"),
        hours => format!("{} days ago", hours / 24),
    }
}
