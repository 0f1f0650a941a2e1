//! The configuration: flag over environment over file over default.
//!
//! One section per file, each with its keys as the documentation shows them. Unknown keys are refused, and all
//! mistakes are reported at once.

pub mod auth;
pub mod broker;
pub mod database;
pub mod history;
pub mod layers;
pub mod log;
pub mod lookups;
pub mod queues;
pub mod server;
mod setting;
pub mod updates;
pub mod worker;

#[cfg(test)]
mod docs;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use netwark_lookup::geoip::Hold;
use netwark_model::queues::QueueDefinition;
use netwark_server::lookups::LookupSettings;

use self::layers::{Effective, Key, Layers, Mistakes, Origin};

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the SQLite file, the keys and what updates bring are kept.
    pub data_dir: PathBuf,
    /// Where the server listens and what it calls itself.
    pub server: server::Server,
    /// Where everything is stored.
    pub database: database::Database,
    /// What carries messages between servers and workers.
    pub broker: broker::Broker,
    /// What a worker is.
    pub worker: worker::Worker,
    /// Queues besides the built-in two, with their full names.
    pub queues: Vec<QueueDefinition>,
    /// Who gets in.
    pub auth: auth::Auth,
    /// What is written, and where.
    pub log: log::Log,
    /// Questions that the server answers.
    pub lookups: lookups::Lookups,
    /// Where newer data is from.
    pub updates: updates::Updates,
    /// How long what was measured is kept.
    pub history: history::History,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Every key with its value and where that comes from.
    pub effective: Vec<Effective>,
}

const DATA_DIR: Key = Key {
    name: "data_dir",
    takes: "the path of a directory",
    default: "$XDG_STATE_HOME/netwark, else ~/.local/state/netwark",
    about: "Where the SQLite file, the keys and what updates bring are kept.",
};

/// Flags that set keys. Every command that reads the configuration has them.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// The configuration file [default: ~/.config/netwark/netwark.toml, else /etc/netwark/netwark.toml]
    #[arg(long, env = "NETWARK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the SQLite file and the keys are kept [default: ~/.local/state/netwark]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the page and the API are served, set by the command that serves them
    #[arg(skip)]
    pub listen: Option<String>,
    /// What other flags of the command set, with the flag and the key
    #[arg(skip)]
    pub more: Vec<(&'static str, &'static Key, String)>,
}

/// Every key there is, in the order of the documentation.
pub fn keys() -> Vec<&'static Key> {
    let mut keys: Vec<&'static Key> = vec![&DATA_DIR];
    keys.extend(server::Server::KEYS);
    keys.extend(database::Database::KEYS);
    keys.extend(broker::Broker::KEYS);
    keys.extend(worker::Worker::KEYS);
    keys.push(&queues::QUEUES);
    keys.extend(auth::Auth::KEYS);
    keys.extend(log::Log::KEYS);
    keys.extend(lookups::Lookups::KEYS);
    keys.extend(updates::Updates::KEYS);
    keys.extend(history::History::KEYS);
    keys
}

impl Config {
    /// Reads flags, the environment of this process and the file.
    ///
    /// # Errors
    /// Every mistake there is, each with its key, where it stands and what is allowed.
    pub fn load(flags: &Flags) -> Result<Self, Mistakes> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_parts(flags, variables.collect(), find_file(flags))
    }

    /// What look-ups are made of, on a server or in the shell.
    pub fn lookup_settings(&self, hold: Hold) -> LookupSettings {
        LookupSettings {
            data_dir: Some(self.data_dir.clone()),
            allowed: self.lookups.allow.clone(),
            resolvers: self.lookups.resolvers.clone(),
            trust: Arc::clone(&self.lookups.trust),
            registries: self.lookups.registries.clone(),
            geoip: self.lookups.geoip_settings(&self.data_dir, hold),
            updates: self.updates.sources.clone(),
        }
    }

    /// The file with the key under which secrets are sealed.
    pub fn secret_key_file(&self) -> PathBuf {
        self.server.secret_key_file.clone().unwrap_or_else(|| self.data_dir.join("secret.key"))
    }

    fn from_parts(
        flags: &Flags,
        variables: Vec<(String, String)>,
        file: Option<PathBuf>,
    ) -> Result<Self, Mistakes> {
        let mut layers = Layers::default();
        if let Some(path) = &file {
            match std::fs::read_to_string(path) {
                Ok(text) => layers.add_file(path, &text),
                Err(error) => {
                    layers.mistake(
                        "file",
                        Origin::WholeFile(path.clone()),
                        format!("it cannot be read: {error}"),
                    );
                }
            }
        }
        layers.add_environment(variables.into_iter(), &[DATA_DIR.name]);
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        layers.add_flag("--data-dir", &DATA_DIR, flags.data_dir.as_ref().map(text));
        layers.add_flag("--listen", &server::LISTEN, flags.listen.clone());
        for (flag, key, text) in &flags.more {
            layers.add_flag(flag, key, Some(text.clone()));
        }
        Self::read(layers, file)
    }

    fn read(mut layers: Layers, file: Option<PathBuf>) -> Result<Self, Mistakes> {
        let data_dir = absolute(layers.value(&DATA_DIR, default_data_dir()));
        let server = server::Server::read(&mut layers);
        let database = database::Database::read(&mut layers, &data_dir);
        let broker = broker::Broker::read(&mut layers);
        let queues = queues::read(&mut layers);
        let worker = worker::Worker::read(&mut layers, broker.amqp.is_none());
        let auth = auth::Auth::read(&mut layers);
        let log = log::Log::read(&mut layers);
        let lookups = lookups::Lookups::read(&mut layers);
        let updates = updates::Updates::read(&mut layers);
        let history = history::History::read(&mut layers);
        let effective = layers.finish(&keys())?;
        Ok(Self {
            data_dir,
            server,
            database,
            broker,
            worker,
            queues,
            auth,
            log,
            lookups,
            updates,
            history,
            file,
            effective,
        })
    }
}

/// The file to read: the one that was named, else the first that exists where it belongs.
fn find_file(flags: &Flags) -> Option<PathBuf> {
    if flags.config.is_some() {
        return flags.config.clone();
    }
    let home = xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("netwark/netwark.toml"));
    home.into_iter().chain([PathBuf::from("/etc/netwark/netwark.toml")]).find(|path| path.exists())
}

fn default_data_dir() -> PathBuf {
    let home = xdg("XDG_STATE_HOME", ".local/state");
    home.map_or_else(|| "/var/lib/netwark".into(), |dir| dir.join("netwark"))
}

/// A directory of the XDG base directory specification; relative ones do not count there.
fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| {
        std::env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
            .map(|home| home.join(below_home))
    })
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
