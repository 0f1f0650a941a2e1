//! Mail, over a real mail server.

use std::time::Duration;

use jiff::SignedDuration;
use netwark_model::channels::{ChannelConfig, Notice, Secrets};
use netwark_notify::{FailureKind, Options, Sender};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::pki::Pki;
use crate::receiver::{nobody, raw};
use crate::setting::{KEY, config, hasty, notice, options, secrets, sender};
use crate::smtp::MailServer;

const LATER: FailureKind = FailureKind::Later { after: None };
const PASSWORD: &str = "pass word é";

fn channel(port: u16, more: &Value) -> ChannelConfig {
    let mut json = json!({
        "kind": "mail", "server": "localhost", "port": port, "security": "none",
        "from": "Netwark <netwark@example.org>", "to": ["Nöc <noc@example.org>", "boss@example.org"],
    });
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config(json)
}

fn password() -> Secrets {
    secrets(&[("password", PASSWORD)])
}

fn trusting(pki: &Pki) -> Sender {
    Sender::new(Options { authorities: vec![pki.root()], ..options() })
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let mut server = MailServer::start(json!({"mode": "plain"}), None).await;
    let accepted =
        sender().deliver(&channel(server.port, &json!({})), &secrets(&[]), &notice()).await.unwrap();
    assert_eq!(accepted.answer, "250 2.0.0 queued as 4711");
    let mail = server.mail().await;
    assert_eq!(mail["from"], "netwark@example.org");
    assert_eq!(mail["to"], json!(["noc@example.org", "boss@example.org"]));
    assert_eq!(mail["hello"], "netwark.example.org");
    let headers = &mail["headers"];
    assert_eq!(headers["message-id"], format!("<{KEY}@example.org>"));
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert_eq!(headers["importance"], "high");
    assert_eq!(headers["to"], "Nöc <noc@example.org>, boss@example.org");
    let subject = headers["subject"].as_str().unwrap();
    assert!(
        subject.starts_with("[Netwark] Alert: 5 events, among them: rogue DHCP server <script>"),
        "{subject}"
    );
    let (plain, html) = (mail["plain"].as_str().unwrap(), mail["html"].as_str().unwrap());
    assert!(plain.contains("rogue DHCP server <script>alert(1)</script> & co"), "{plain}");
    assert!(
        plain.contains("3 more events") && plain.contains("https://netwark.example.org/events"),
        "{plain}"
    );
    assert!(html.contains("rogue DHCP server &lt;script&gt;alert(1)&lt;"), "{html}");
    assert!(!html.contains("<script>") && !html.contains("<b>printer"), "{html}");
}

#[tokio::test]
async fn nobody_gets_a_header_in_by_a_name() {
    let mut server = MailServer::start(json!({"mode": "plain"}), None).await;
    let mut notice = notice();
    notice.events[0].text = "up\r\nBcc: all@example.org\r\n\r\nhello".into();
    notice.subscription = Some("a\nX-Evil: 1".into());
    sender().deliver(&channel(server.port, &json!({})), &secrets(&[]), &notice).await.unwrap();
    let mail = server.mail().await;
    let headers = mail["headers"].as_object().unwrap();
    assert!(!headers.contains_key("bcc") && !headers.contains_key("x-evil"), "{headers:?}");
    assert_eq!(mail["to"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn starttls_and_a_password() {
    let pki = Pki::new();
    let mut server = MailServer::start(json!({"mode": "starttls", "auth": true}), Some(&pki)).await;
    let channel = channel(server.port, &json!({"security": "starttls", "username": "netwark"}));
    trusting(&pki).deliver(&channel, &password(), &notice()).await.unwrap();
    let mail = server.mail().await;
    assert_eq!((&mail["tls"], &mail["user"]), (&json!(true), &json!("netwark")));
    let failure = sender().deliver(&channel, &password(), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("TLS cannot be started"), "{failure}");
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let pki = Pki::new();
    let mut server = MailServer::start(json!({"mode": "tls", "auth": true}), Some(&pki)).await;
    let channel = channel(server.port, &json!({"security": "tls", "username": "netwark"}));
    trusting(&pki).deliver(&channel, &password(), &notice()).await.unwrap();
    assert_eq!(server.mail().await["user"], "netwark");
    let failure = sender().deliver(&channel, &password(), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER, "{failure}");
    let failure = trusting(&Pki::new()).deliver(&channel, &password(), &notice()).await.unwrap_err();
    assert!(failure.text.contains("certificate"), "{failure}");
}

#[tokio::test]
async fn a_wrong_password() {
    let pki = Pki::new();
    let server = MailServer::start(json!({"mode": "tls", "auth": true}), Some(&pki)).await;
    let channel = channel(server.port, &json!({"security": "tls", "username": "netwark"}));
    let wrong = secrets(&[("password", "hunter2hunter2")]);
    let failure = trusting(&pki).deliver(&channel, &wrong, &notice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Never);
    assert!(failure.text.contains("535") && !failure.text.contains("hunter2"), "{failure}");
}

#[tokio::test]
async fn nothing_is_sent_where_starttls_is_missing() {
    let mut server = MailServer::start(json!({"mode": "plain"}), None).await;
    let starttls = channel(server.port, &json!({"security": "starttls", "username": "netwark"}));
    let failure = sender().deliver(&starttls, &password(), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Never);
    assert!(failure.text.contains("does not offer STARTTLS"), "{failure}");
    sender().deliver(&channel(server.port, &json!({})), &secrets(&[]), &notice()).await.unwrap();
    assert_eq!(server.mail().await["user"], json!(null));
}

#[tokio::test]
async fn a_server_that_wants_a_password() {
    let server = MailServer::start(json!({"mode": "plain", "auth": true}), None).await;
    let failure =
        sender().deliver(&channel(server.port, &json!({})), &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Never, "{failure}");
    assert!(failure.text.contains("530"), "{failure}");
}

#[tokio::test]
async fn one_refused_recipient_does_not_stop_the_others() {
    let mut server = MailServer::start(json!({"mode": "plain"}), None).await;
    let some = channel(server.port, &json!({"to": ["refused@example.org", "noc@example.org"]}));
    let accepted = sender().deliver(&some, &secrets(&[]), &notice()).await.unwrap();
    assert!(accepted.answer.contains("not sent to refused@example.org"), "{accepted:?}");
    assert!(accepted.answer.contains("5.1.1 no such user"), "{accepted:?}");
    assert_eq!(server.mail().await["to"], json!(["noc@example.org"]));
    let none = channel(server.port, &json!({"to": ["refused@example.org", "refused2@example.org"]}));
    let failure = sender().deliver(&none, &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Never, "{failure}");
}

#[tokio::test]
async fn greylisting_is_waited_for() {
    let mut server = MailServer::start(json!({"mode": "plain"}), None).await;
    let channel = channel(server.port, &json!({"to": ["grey@example.org", "noc@example.org"]}));
    let failure = sender().deliver(&channel, &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("grey@example.org") && failure.text.contains("4.7.1"), "{failure}");
    sender().deliver(&channel, &secrets(&[]), &notice()).await.unwrap();
    // The only mail, and both have it.
    assert_eq!(server.mail().await["to"], json!(["grey@example.org", "noc@example.org"]));
}

#[tokio::test]
async fn a_full_mailbox_does_not_stop_the_others_for_ever() {
    let mut server = MailServer::start(json!({"mode": "plain"}), None).await;
    let channel = channel(server.port, &json!({"to": ["full@example.org", "noc@example.org"]}));
    let mut notice: Notice = notice();
    assert_eq!(sender().deliver(&channel, &secrets(&[]), &notice).await.unwrap_err().kind, LATER);
    notice.made_at = jiff::Timestamp::now() - SignedDuration::from_hours(2);
    let accepted = sender().deliver(&channel, &secrets(&[]), &notice).await.unwrap();
    assert!(accepted.answer.contains("not sent to full@example.org"), "{accepted:?}");
    assert_eq!(server.mail().await["to"], json!(["noc@example.org"]));
}

#[tokio::test]
async fn what_the_server_says_of_the_mail_itself() {
    for (answer, kind) in
        [("554 5.7.1 looks like spam", FailureKind::Never), ("451 4.3.0 try again later", LATER)]
    {
        let server = MailServer::start(json!({"mode": "plain", "data": answer}), None).await;
        let failure =
            sender().deliver(&channel(server.port, &json!({})), &secrets(&[]), &notice()).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.text.contains(&answer[4..]), "{failure}");
    }
}

#[tokio::test]
async fn a_template_of_ones_own() {
    let mut server = MailServer::start(json!({"mode": "plain"}), None).await;
    let channel = channel(
        server.port,
        &json!({
            "subject": "{{ severity }}: {{ events[0].device }}\nX-Evil: 1",
            "text": ".\n..\n{% for event in events %}{{ event.text }}\n{% endfor %}.\n",
            "html": "<p>{{ events[0].device }}</p>",
        }),
    );
    sender().deliver(&channel, &secrets(&[]), &notice()).await.unwrap();
    let mail = server.mail().await;
    assert_eq!(mail["headers"]["subject"], "alert: <b>printer</b> X-Evil: 1");
    assert_eq!(mail["html"].as_str().unwrap().trim(), "<p>&lt;b&gt;printer&lt;&#x2f;b&gt;</p>");
    let plain = mail["plain"].as_str().unwrap();
    assert!(
        plain.starts_with(".\r\n..\r\nrogue") && plain.ends_with("known device is up\r\n.\r\n"),
        "{mail}"
    );
}

#[tokio::test]
async fn servers_that_are_not_there_or_silent() {
    let failure = sender()
        .deliver(&channel(nobody().await.port(), &json!({})), &secrets(&[]), &notice())
        .await
        .unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("cannot connect to localhost"), "{failure}");
    let url = raw(|stream| async move {
        tokio::time::sleep(Duration::from_secs(600)).await;
        drop(stream);
    })
    .await;
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let failure = hasty().deliver(&channel(port, &json!({})), &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("took too long"), "{failure}");
}

#[tokio::test]
async fn a_server_without_end() {
    let url = raw(|mut stream| async move {
        let _ = stream.write_all(b"220-").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let failure = hasty().deliver(&channel(port, &json!({})), &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER, "{failure}");
}

#[tokio::test]
async fn a_server_that_is_busy() {
    let url = raw(|mut stream| async move {
        let _ = stream.write_all(b"421 4.3.2 too many connections\r\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let failure = sender().deliver(&channel(port, &json!({})), &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("too many connections"), "{failure}");
}

#[tokio::test]
async fn a_server_that_loses_count() {
    let url = raw(|mut stream| async move {
        let mut heard = [0; 4096];
        for answer in ["220 x", "250 x", "250 from", "250 to", "354 go", "354 go"] {
            let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
            let _ = stream.read(&mut heard).await;
        }
    })
    .await;
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let channel = channel(port, &json!({"to": ["noc@example.org"]}));
    let failure = sender().deliver(&channel, &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("says 354"), "{failure}");
}

#[tokio::test]
async fn nobody_puts_words_into_the_mouth_of_a_server() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(&["localhost"]);
    for (after, fails) in [("", false), ("250 x\r\n250 x\r\n250 x\r\n250 x\r\n354 x\r\n250 taken\r\n", true)]
    {
        let acceptor = acceptor.clone();
        let url = raw(move |mut stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut heard = [0; 512];
                for line in ["220 x ESMTP\r\n", "250-x\r\n250 STARTTLS\r\n", &format!("220 go\r\n{after}")] {
                    stream.write_all(line.as_bytes()).await.unwrap();
                    if !line.starts_with("220 go") {
                        let _ = stream.read(&mut heard).await;
                    }
                }
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                for answer in ["250 x", "250 from", "550 nobody"] {
                    let _ = stream.read(&mut heard).await;
                    let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
                }
            }
        })
        .await;
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        let channel = channel(port, &json!({"security": "starttls", "to": ["noc@example.org"]}));
        let failure = trusting(&pki).deliver(&channel, &secrets(&[]), &notice()).await.unwrap_err();
        assert_eq!(failure.text.contains("TLS cannot be started"), fails, "{failure}");
        assert_eq!(failure.text.contains("550"), !fails, "{failure}");
    }
}
