//! What people decide about channels, checked field by field.

use std::collections::BTreeMap;

use netwark_model::channels::{ChannelConfig, Secret, Secrets};
use netwark_model::error::FieldError;
use netwark_store::channels::{ChannelDraft, StoredChannel};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::secrets;
use crate::auth::secret_key::SecretKey;
use crate::error::Problem;
use crate::watch::line;

/// Most characters of a name.
pub(super) const LONGEST_NAME: usize = 100;
/// Most secrets that are given.
const MOST_SECRETS: usize = 10;
/// The secret that says where a channel leads.
const URL: &str = "url";
/// The secret that requests are signed with.
const SIGNING_KEY: &str = "signing_key";

/// What people decide about a channel. When one is changed, what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelFields {
    /// Its name, unique. A new channel needs one.
    #[schema(value_type = Option<String>, example = "On-call mail", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// How it is set up, as a whole. A new channel needs it; its kind stays.
    #[schema(value_type = Option<ChannelConfig>)]
    config: Option<ChannelConfig>,
    /// Secrets by name; those that are left out stay, `null` removes one. They are kept sealed and never shown. Whoever
    /// lets a channel lead elsewhere has to give them again. A `signing_key` that is needed and not given is made.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>, example = json!({"password": "correct horse"}))]
    secrets: Option<BTreeMap<String, Option<Secret>>>,
}

/// A channel as it is to be, and the signing key that was made for it when none was given.
pub(super) type Checked = (ChannelDraft, Option<Secret>);

impl ChannelFields {
    /// What a new channel of this id is.
    pub(super) fn create(self, key: Option<&SecretKey>, id: Uuid) -> Result<Checked, Problem> {
        let mut errors = Vec::new();
        let name = match &self.name {
            Some(name) => named(name, &mut errors),
            None => missing("name", &mut errors),
        };
        let mut given = Secrets::default();
        give(self.secrets.unwrap_or_default(), &mut given, &mut errors);
        let Some(config) = self.config else {
            missing::<()>("config", &mut errors);
            return Err(Problem::fields(errors));
        };
        let made = signing_key(&config, &mut given);
        errors.extend(netwark_notify::check(&config, &given));
        match name {
            Some(name) if errors.is_empty() => Ok((sealed(key, id, name, config, &given)?, made)),
            _ => Err(Problem::fields(errors)),
        }
    }

    /// What a channel is with these changes.
    pub(super) fn change(self, key: Option<&SecretKey>, channel: &StoredChannel) -> Result<Checked, Problem> {
        let mut errors = Vec::new();
        let name = match &self.name {
            Some(name) => named(name, &mut errors),
            None => Some(channel.name.clone()),
        };
        let config = self.config.unwrap_or_else(|| channel.config.clone());
        if config.kind() != channel.config.kind() {
            let (is, asked) = (channel.config.kind().as_str(), config.kind().as_str());
            let text = format!("must be {is}, as before, got {asked}; make another channel for that");
            return Err(FieldError::body("config.kind", text).into());
        }
        let given = self.secrets.unwrap_or_default();
        // A URL that no longer opens leads nowhere that could be compared.
        let url = |sealed: &String| {
            let sealed = BTreeMap::from([(URL.to_owned(), sealed.clone())]);
            secrets::open(key, channel.id, &sealed).unwrap_or_default()
        };
        let led = channel.secrets.get(URL).map(url).unwrap_or_default();
        let mut leads = led.clone();
        if let Some(Some(url)) = given.get(URL) {
            leads.set(URL, url.clone());
        }
        let (from, to) = (channel.config.destination(&led), config.destination(&leads));
        if from != to {
            errors.extend(left_behind(&config, channel, &given, (&from, &to)));
        }
        let mut kept = BTreeMap::new();
        for field in config.secrets().iter().filter(|field| !given.contains_key(field.name)) {
            if let Some(sealed) = channel.secrets.get(field.name) {
                kept.insert(field.name.to_owned(), sealed.clone());
            }
        }
        let mut all =
            secrets::open(key, channel.id, &kept).map_err(|error| Problem::conflict(error.to_string()))?;
        give(given, &mut all, &mut errors);
        let made = signing_key(&config, &mut all);
        if errors.is_empty() {
            errors.extend(netwark_notify::check(&config, &all));
        }
        match name {
            Some(name) if errors.is_empty() => Ok((sealed(key, channel.id, name, config, &all)?, made)),
            _ => Err(Problem::fields(errors)),
        }
    }
}

/// Takes over the secrets that were given.
fn give(given: BTreeMap<String, Option<Secret>>, to: &mut Secrets, errors: &mut Vec<FieldError>) {
    if given.len() > MOST_SECRETS {
        let text = format!("must be at most {MOST_SECRETS}, got {}", given.len());
        errors.push(FieldError::body("secrets", text));
        return;
    }
    for (name, secret) in given {
        if let Some(secret) = secret {
            to.set(name, secret);
        }
    }
}

/// Secrets that would be shown to somebody else than before without being given again.
fn left_behind(
    config: &ChannelConfig,
    channel: &StoredChannel,
    given: &BTreeMap<String, Option<Secret>>,
    (from, to): (&str, &str),
) -> Vec<FieldError> {
    let kept = config
        .secrets()
        .iter()
        .filter(|field| channel.secrets.contains_key(field.name) && !given.contains_key(field.name));
    kept.map(|field| {
        let text = format!("has to be given again, since the channel leads to {to} instead of {from}");
        FieldError::body(format!("secrets.{}", field.name), text)
    })
    .collect()
}

/// Makes the key to sign with where one is needed and there is none.
fn signing_key(config: &ChannelConfig, secrets: &mut Secrets) -> Option<Secret> {
    let needed = config.secrets().iter().any(|field| field.needed && field.name == SIGNING_KEY);
    if !needed || secrets.get(SIGNING_KEY).is_some() {
        return None;
    }
    let made = netwark_notify::new_signing_key();
    secrets.set(SIGNING_KEY, made.clone());
    Some(made)
}

fn sealed(
    key: Option<&SecretKey>,
    id: Uuid,
    name: String,
    config: ChannelConfig,
    secrets: &Secrets,
) -> Result<ChannelDraft, Problem> {
    let secrets = match key {
        _ if secrets.is_empty() => BTreeMap::new(),
        Some(key) => secrets::seal(key, id, secrets),
        None => return Err(Problem::conflict("this server has no key to seal secrets with")),
    };
    Ok(ChannelDraft { name, config, secrets })
}

fn missing<T>(field: &str, errors: &mut Vec<FieldError>) -> Option<T> {
    errors.push(FieldError::body(field, "is missing"));
    None
}

/// A name, or the error in it.
pub(super) fn named(name: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    line(name, LONGEST_NAME).map_err(|wrong| errors.push(FieldError::body("name", wrong))).ok()
}
