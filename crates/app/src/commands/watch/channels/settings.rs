//! How a channel is set up, as flags.

use std::path::{Path, PathBuf};

use netwark_model::channels::ChannelKind;
use netwark_model::channels::check::LONGEST_TEMPLATE;
use serde_json::{Map, Value};

use super::super::input;
use crate::failure::Failure;

/// What a channel of some kind is set up with; each flag says which kinds have it.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Settings {
    /// The server it leads to: of mail and syslog a name or an address, of Telegram, ntfy, Gotify and PagerDuty a URL
    #[arg(long)]
    host: Option<String>,
    /// The port, of mail and syslog; none for the usual
    #[arg(long, value_parser = input::number_or_none)]
    port: Option<Value>,
    /// How mail is kept private: tls, starttls or none
    #[arg(long)]
    security: Option<String>,
    /// Who signs in to the mail server; none for nobody
    #[arg(long, value_parser = input::text_or_none)]
    username: Option<Value>,
    /// Who mail is from, as 'Netwark <netwark@example.org>'
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Who mail goes to; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,
    /// The template of the subject of mail; none for the usual
    #[arg(long, value_name = "TEMPLATE", value_parser = input::text_or_none)]
    subject: Option<Value>,
    /// A file with the template of the plain text of mail; none for the usual
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// A file with the template of the HTML of mail; none for the usual
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// A file with the template of the JSON of a webhook; none for the whole notice
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A further header of a webhook; may be given more than once, none for no header
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Sign what is sent to a webhook; a key that is not given is made and shown once
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    sign: Option<bool>,
    /// The chat of Telegram: its number, or @name of a public channel
    #[arg(long, allow_hyphen_values = true)]
    chat_id: Option<String>,
    /// The topic of a forum of Telegram, by its number, or none
    #[arg(long, value_parser = input::number_or_none)]
    thread_id: Option<Value>,
    /// The home server of Matrix
    #[arg(long, value_name = "URL")]
    homeserver: Option<String>,
    /// The room of Matrix: its id, or one of its names
    #[arg(long)]
    room: Option<String>,
    /// The topic of ntfy
    #[arg(long)]
    topic: Option<String>,
    /// How syslog travels: udp, tcp or tls
    #[arg(long)]
    transport: Option<String>,
    /// What syslog says it comes from: user, daemon, auth, authpriv, local0 to local7
    #[arg(long)]
    facility: Option<String>,
}

impl Settings {
    /// Puts what was named into the set-up of a channel; true when there was something.
    ///
    /// # Errors
    /// When a file cannot be read, or a header is none.
    pub fn apply(self, config: &mut Map<String, Value>) -> Result<bool, Failure> {
        let headers = match self.headers.as_slice() {
            [] => None,
            [only] if only == input::NONE => Some(Value::Null),
            headers => {
                Some(Value::Object(headers.iter().map(|text| header(text)).collect::<Result<_, _>>()?))
            }
        };
        let text = |text: Option<String>| text.map(Value::from);
        let file = |path: Option<PathBuf>| path.map(|path| template(&path)).transpose();
        let to = (!self.to.is_empty()).then(|| self.to.into());
        let named = [
            ("server", text(self.host)),
            ("port", self.port),
            ("security", text(self.security)),
            ("username", self.username),
            ("from", text(self.from)),
            ("to", to),
            ("subject", self.subject),
            ("text", file(self.text)?),
            ("html", file(self.html)?),
            ("template", file(self.template)?),
            ("headers", headers),
            ("sign", self.sign.map(Value::from)),
            ("chat_id", text(self.chat_id)),
            ("thread_id", self.thread_id),
            ("homeserver", text(self.homeserver)),
            ("room", text(self.room)),
            ("topic", text(self.topic)),
            ("transport", text(self.transport)),
            ("facility", text(self.facility)),
        ];
        let mut any = false;
        for (name, value) in named {
            let Some(value) = value else { continue };
            any = true;
            match value {
                Value::Null => drop(config.remove(name)),
                value => drop(config.insert(name.to_owned(), value)),
            }
        }
        Ok(any)
    }
}

/// A kind of channel.
pub(super) fn kind(text: &str) -> Result<ChannelKind, String> {
    ChannelKind::from_word(text).ok_or_else(|| {
        let known: Vec<&str> = ChannelKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("must be one of {}", known.join(", "))
    })
}

fn header(text: &str) -> Result<(String, Value), Failure> {
    let wrong = || Failure::Usage(format!("--header '{text}': write a name and a value, as 'X-Team: noc'"));
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    Ok((name.trim().to_owned(), value.trim().into()))
}

/// The template in a file, or null for `none`.
fn template(path: &Path) -> Result<Value, Failure> {
    if path.as_os_str() == input::NONE {
        return Ok(Value::Null);
    }
    super::secrets::read_file(path, LONGEST_TEMPLATE).map(Value::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_named_is_set_and_none_takes_it_back() {
        let mut config = json!({"kind": "webhook", "headers": {"X-Old": "a"}, "sign": true});
        let config = config.as_object_mut().unwrap();
        let headers = vec!["X-Team: noc: day".to_owned(), "X-B:c".to_owned()];
        let set = Settings { headers, ..Settings::default() };
        assert!(set.apply(config).unwrap());
        assert_eq!(config["headers"], json!({"X-Team": "noc: day", "X-B": "c"}));
        let set = Settings { headers: vec!["none".to_owned()], sign: Some(false), ..Settings::default() };
        assert!(set.apply(config).unwrap());
        assert_eq!(*config, *json!({"kind": "webhook", "sign": false}).as_object().unwrap());
        assert!(!Settings::default().apply(config).unwrap());
        let wrong = Settings { headers: vec!["X-Team".to_owned()], ..Settings::default() };
        assert!(wrong.apply(config).is_err());
    }
}
