//! Referrals.

use tokio::net::TcpListener;

use super::*;
use crate::whois::tests::servers::Server;

#[tokio::test]
async fn from_iana_to_the_registry_to_the_registrar() {
    let registrar = Server::whois(|_| {
        text("Domain Name: example.tld\nRegistrant Organization: Bücher\nRegistrant Country: CH\nRegistrar: Another\n")
    })
    .await;
    let at = registrar.place;
    let registry = Server::whois(move |_| text(&format!("{DOMAIN}Registrar WHOIS Server: {at}\r\n"))).await;
    let at = registry.place;
    let iana = Server::whois(move |_| text(&format!("refer: {at}\n\ndomain: TLD\n\nstatus: ACTIVE\n"))).await;
    let places = [registrar.place, registry.place, iana.place];
    let whois = client(&format!("iana {}", iana.place), &places, quick());

    let answer = ask(&whois, "example.tld").await;
    assert_eq!(answer.outcome, Outcome::Found);
    assert_eq!(outcomes(&answer), [StepOutcome::Referral, StepOutcome::Found, StepOutcome::Found]);
    assert_eq!(
        answer.steps[1].raw,
        format!("{DOMAIN}Registrar WHOIS Server: {at}\n", at = registrar.place).replace('\r', "")
    );
    assert_eq!(answer.steps[0].refers_to.as_deref(), Some(registry.place.to_string().as_str()));
    let record = answer.record.as_ref().unwrap();
    assert_eq!(record.registrar.as_deref(), Some("Example Registrar"), "the registry knows its registrars");
    assert_eq!(record.organisation.as_deref(), Some("Bücher"));
    assert_eq!(record.created.as_deref(), Some("2001-02-03T04:05:06Z"));
    assert_eq!(
        answer.summary,
        "example.tld is registered through Example Registrar, held by Bücher (CH), since 2001-02-03."
    );
    assert_eq!(registry.asked(), ["example.tld"]);
}

#[tokio::test]
async fn servers_that_refer_to_each_other_are_asked_once() {
    let listeners =
        [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let places = [listeners[0].local_addr().unwrap(), listeners[1].local_addr().unwrap()];
    let mut servers = Vec::new();
    for (listener, other) in listeners.into_iter().zip([places[1], places[0]]) {
        let answer = format!("{DOMAIN}Registrar WHOIS Server: {other}\n");
        servers.push(Server::whois_on(listener, move |_| text(&answer)));
    }
    let whois = client(&format!("whois {} tld", places[0]), &places, quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(outcomes(&answer), [StepOutcome::Found, StepOutcome::Found]);
    assert_eq!(servers.iter().map(|server| server.asked().len()).sum::<usize>(), 2);
}

#[tokio::test]
async fn a_chain_without_an_end_is_left() {
    let mut places = Vec::new();
    let mut next = "192.0.2.1".to_owned();
    for _ in 0..10 {
        let answer = format!("{DOMAIN}Registrar WHOIS Server: {next}\n");
        let server = Server::whois(move |_| text(&answer)).await;
        next = server.place.to_string();
        places.push(server.place);
    }
    let whois = client(&format!("whois {next} tld"), &places, quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(answer.outcome, Outcome::Found);
    assert_eq!(answer.steps.len(), 7);
    assert_eq!(answer.steps[6].why.as_deref(), Some("6 servers have been asked already"));
}

#[tokio::test]
async fn a_referral_inside_is_not_followed() {
    let inside = Server::whois(|_| text(DOMAIN)).await;
    let at = inside.place;
    let registry = Server::whois(move |_| text(&format!("{DOMAIN}Registrar WHOIS Server: {at}\n"))).await;
    let whois = client(&format!("whois {} tld", registry.place), &[registry.place], quick());
    let answer = ask(&whois, "example.tld").await;
    assert_eq!(outcomes(&answer), [StepOutcome::Found, StepOutcome::Failed]);
    assert!(answer.steps[1].why.as_ref().unwrap().contains("public addresses only"), "{answer:?}");
    assert!(inside.asked().is_empty());
}

#[tokio::test]
async fn the_parent_that_is_registered_is_found() {
    let registry = Server::whois(|line| match line {
        "example.co.zz" => text("No match for example.co.zz\n"),
        "co.zz" => text("Domain Name: co.zz\nCreation Date: 2001-01-01\n"),
        _ => text("No match\n"),
    })
    .await;
    let whois = client(&format!("whois {} zz", registry.place), &[registry.place], quick());
    let answer = ask(&whois, "www.example.co.zz").await;
    assert_eq!(answer.record.as_ref().unwrap().domain.as_deref(), Some("co.zz"));
    assert_eq!(registry.asked(), ["example.co.zz", "www.example.co.zz", "co.zz"]);
}

#[tokio::test]
async fn what_is_not_registered() {
    let registry = Server::whois(|_| text("%ERROR:101: no entries found\n")).await;
    let rows = format!("whois {} tld 193.0.0.0/8 AS3333", registry.place);
    let whois = client(&rows, &[registry.place], quick());
    for (asked, summary) in [
        ("example.tld", format!("example.tld is not registered, says {}.", registry.place)),
        ("193.0.0.1", format!("{} knows nothing of 193.0.0.1.", registry.place)),
        ("AS3333", format!("{} knows nothing of AS3333.", registry.place)),
    ] {
        let answer = ask(&whois, asked).await;
        assert_eq!((answer.outcome, &answer.summary), (Outcome::NoMatch, &summary));
    }
}

#[tokio::test]
async fn the_registry_below_knows_better() {
    let national = Server::whois(|_| {
        text("inetnum: 193.0.4.0 - 193.0.4.255\nnetname: SMALL\ndescr: Small Ltd\ncountry: ZZ\nsource: X\n")
    })
    .await;
    let at = national.place;
    let regional = Server::whois(move |_| {
        text(&format!(
            "NetRange: 193.0.0.0 - 193.255.255.255\nNetName: LARGE\nOrgAbuseEmail: abuse@large.example\n\
             ReferralServer: whois://{at}\n"
        ))
    })
    .await;
    let whois =
        client(&format!("whois {} 193.0.0.0/8", regional.place), &[national.place, regional.place], quick());
    let record = ask(&whois, "193.0.4.1").await.record.clone().unwrap();
    assert_eq!(record.network_name.as_deref(), Some("SMALL"));
    assert_eq!(record.prefixes, ["193.0.4.0/24"]);
    assert_eq!(record.organisation.as_deref(), Some("Small Ltd"));
    assert_eq!(record.abuse_email.as_deref(), Some("abuse@large.example"));
}

#[tokio::test]
async fn a_top_level_domain_is_asked_of_iana() {
    let iana = Server::whois(|_| {
        text("domain: TLD\n\norganisation: The Registry\n\nnserver: A.NIC.TLD 192.0.2.1\n\nwhois: 192.0.2.5\n\ncreated: 1990-01-01\nsource: IANA\n")
    })
    .await;
    let whois = client(&format!("iana {}", iana.place), &[iana.place], quick());
    let answer = ask(&whois, "tld").await;
    let record = answer.record.as_ref().unwrap();
    assert_eq!(outcomes(&answer), [StepOutcome::Found]);
    assert_eq!(record.organisation.as_deref(), Some("The Registry"));
    assert_eq!(record.name_servers, ["a.nic.tld"]);
    assert_eq!(record.created.as_deref(), Some("1990-01-01"));
}

#[tokio::test]
async fn what_nobody_has_is_not_asked() {
    let registry = Server::whois(|_| text(DOMAIN)).await;
    let whois = client(&format!("iana {}", registry.place), &[registry.place], quick());
    for asked in ["10.1.2.3", "224.0.0.251", "ff02::1", "AS64512", "AS0", "printer.local", "example.test"] {
        let answer = ask(&whois, asked).await;
        assert_eq!(answer.outcome, Outcome::Special, "{asked}");
        assert!(answer.summary.contains("no registry"), "{}", answer.summary);
    }
    assert!(registry.asked().is_empty());
    // Unless somebody has a registry of their own for it.
    let own = format!("whois {} 10.0.0.0/8 AS64512-AS64600 test", registry.place);
    let whois = client(&own, &[registry.place], quick());
    for asked in ["10.1.2.3", "AS64512", "example.test"] {
        assert_ne!(ask(&whois, asked).await.outcome, Outcome::Special, "{asked}");
    }
    assert_eq!(registry.asked(), ["10.1.2.3", "AS64512", "example.test"]);
}

#[tokio::test]
async fn a_name_of_no_registry() {
    let iana = Server::whois(|line| match line {
        "nowhere" => text("% This query returned 0 objects.\n% no entries found\n"),
        _ => text("domain: ZZ\n\norganisation: Somebody\n\nstatus: ACTIVE\nsource: IANA\n"),
    })
    .await;
    // The fixture is not called whois.iana.org, so that it is sent the whole name.
    let whois = client(&format!("iana {}", iana.place), &[iana.place], quick());
    let answer = ask(&whois, "example.zz").await;
    assert_eq!(answer.outcome, Outcome::NoRegistry, "{answer:?}");
    assert!(answer.summary.contains("No registry is known for .zz"), "{}", answer.summary);
}

#[tokio::test]
async fn answers_are_kept() {
    let registry = Server::whois(|_| text(DOMAIN)).await;
    let whois = client(&format!("whois {} tld", registry.place), &[registry.place], quick());
    let question = Question::parse("example.tld").unwrap();
    let (a, b) = tokio::join!(whois.look_up(&question, false), whois.look_up(&question, false));
    assert!(Arc::ptr_eq(&a, &b));
    assert!(Arc::ptr_eq(&a, &whois.look_up(&question, false).await));
    assert_eq!(registry.asked().len(), 1);
    assert!(!Arc::ptr_eq(&a, &whois.look_up(&question, true).await));
    assert_eq!(registry.asked().len(), 2);
}
