//! Matrix: an `m.room.message` sent by the Client-Server API. The transaction id is the key of the notice, so the home
//! server itself drops one that it was sent before. Events have at most 65,536 bytes.

use netwark_model::channels::Secrets;
use netwark_model::channels::config::Matrix;
use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Http, Request, below};
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure};
use crate::text::html as escape;
use crate::view::{EventView, View};

const LONGEST_LINES: usize = 12_000;
const API: [&str; 3] = ["_matrix", "client", "v3"];

pub(crate) async fn deliver(
    config: &Matrix,
    secrets: &Secrets,
    view: &View,
    http: &Http,
) -> Result<Accepted, Failure> {
    let authorization = format!("Bearer {}", secret(secrets, "token")?);
    let room = match config.room.starts_with('#') {
        true => room_of(config, &authorization, http).await?,
        false => config.room.clone(),
    };
    let [a, b, c] = API;
    let url = below(&config.homeserver, &[a, b, c, "rooms", &room, "send", "m.room.message", &view.key])?;
    let request = Request::post(url, &body(view)).with_method(Method::PUT);
    let answer = http.send(request.with_secret("authorization", &authorization)?).await?;
    answer.accepted_if("Matrix", |answer| answer["event_id"].is_string())
}

/// The id of a room that was given by one of its names.
async fn room_of(config: &Matrix, authorization: &str, http: &Http) -> Result<String, Failure> {
    let [a, b, c] = API;
    let url = below(&config.homeserver, &[a, b, c, "directory", "room", &config.room])?;
    let request = Request::post_text(url, String::new()).with_method(Method::GET);
    let answer = http.send(request.with_secret("authorization", authorization)?).await?.json();
    let missing = || Failure::never(format!("the home server does not tell which room {} is", config.room));
    answer["room_id"].as_str().filter(|room| room.starts_with('!')).map(str::to_owned).ok_or_else(missing)
}

pub(super) fn body(view: &View) -> Value {
    let mut plain = vec![view.title.clone()];
    plain.extend(view.lines(LONGEST_LINES, EventView::line));
    plain.push(view.foot());
    plain.extend(view.link.clone());
    let mut rich = format!("<strong>{}</strong>", escape(&view.title));
    let lines = view.lines(LONGEST_LINES, |event| escape(&event.line()));
    if !lines.is_empty() {
        let items: String = lines.iter().map(|line| format!("<li>{line}</li>")).collect();
        rich.push_str(&format!("<ul>{items}</ul>"));
    } else {
        rich.push_str("<br>");
    }
    rich.push_str(&match &view.link {
        Some(link) => format!("<em>{}</em> · <a href=\"{}\">Open</a>", escape(&view.foot()), escape(link)),
        None => format!("<em>{}</em>", escape(&view.foot())),
    });
    json!({
        "msgtype": "m.text",
        "body": plain.join("\n"),
        "format": "org.matrix.custom.html",
        "formatted_body": rich,
        // So that nobody is called whose name stands in a text.
        "m.mentions": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn bodies() {
        insta::assert_json_snapshot!("matrix_one", body(&sample::one()));
        insta::assert_json_snapshot!("matrix_test", body(&sample::test()));
        insta::assert_json_snapshot!("matrix_mean", body(&sample::mean()));
    }

    #[test]
    fn a_storm_fits() {
        assert!(body(&sample::storm()).to_string().len() <= 48_000);
    }
}
