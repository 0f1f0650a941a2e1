//! What the keys and the heads of sections of registries mean.

/// What a part of an answer speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Who holds it.
    Registrant,
    /// Through whom it is held.
    Registrar,
    /// Somebody else: administrative, technical, billing.
    Contact,
    /// Name servers.
    NameServers,
    /// Keys of DNSSEC.
    Keys,
    /// Dates.
    Dates,
    /// Status.
    Status,
    /// Where abuse is told.
    Abuse,
    /// Routes and other things that are not asked about.
    Other,
}

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Domain,
    Registrar,
    RegistrarId,
    RegistrarUrl,
    Organisation,
    Registrant,
    Country,
    Created,
    Changed,
    Expires,
    Status,
    NameServer,
    Dnssec,
    Key,
    AbuseEmail,
    AbusePhone,
    NetworkName,
    Range,
    Prefixes,
    AsNumber,
    AsName,
    Origin,
    Rir,
}

/// The section that a line begins, which is a key without a value or a line by itself.
pub(super) fn section(head: &str) -> Option<Section> {
    Some(match head {
        "registrant"
        | "holder"
        | "domain holder"
        | "owner"
        | "owner contact"
        | "registrant contact"
        | "registrant contact information"
        | "organization using domain name"
        | "domain owner"
        | "titular"
        | "licensee" => Section::Registrant,
        "registrar" | "registrar information" | "sponsoring registrar" | "current registrar" => {
            Section::Registrar
        }
        "administrative contact"
        | "administrative contact information"
        | "administrative contact/agent"
        | "admin contact"
        | "administrative"
        | "admin"
        | "technical contact"
        | "technical contacts"
        | "technical contact(s)"
        | "technical contact information"
        | "technical"
        | "tech"
        | "tech contact"
        | "onsite(s)"
        | "billing contact"
        | "billing contact information"
        | "billing"
        | "zone contact"
        | "reseller"
        | "contacto administrativo"
        | "contacto técnico"
        | "contacto de cobranza"
        | "registrar technical contacts"
        | "contact information" => Section::Contact,
        "name servers"
        | "nameservers"
        | "nservers"
        | "domain nameservers"
        | "domain name servers"
        | "dns servers"
        | "domain servers"
        | "domain servers in listed order"
        | "nameserver in listed order"
        | "name server information"
        | "name servers information"
        | "nameserver information"
        | "hosts"
        | "delegated nameservers"
        | "dns"
        | "servidor" => Section::NameServers,
        "keys" | "dnssec keys" | "dnskey" => Section::Keys,
        "relevant dates" | "additional info" | "dates" => Section::Dates,
        "registration status" | "status information" => Section::Status,
        "abuse contact" | "abuse contacts" | "registrar abuse contact" => Section::Abuse,
        "data validation" | "disclaimer" | "whois" | "flags" => Section::Other,
        _ => return None,
    })
}

/// Keys that may stand in a column of their own, without a colon.
pub(super) fn stands_in_columns(key: &str) -> bool {
    matches!(
        key,
        "domain name"
            | "holder"
            | "technical contact"
            | "registrar"
            | "dnssec"
            | "name servers"
            | "first registration date"
            | "status"
    )
}

/// The section of an object of a registry's database, by the key that begins it.
pub(super) fn object(key: &str) -> Option<Section> {
    Some(match key {
        "person" | "personname" | "role" | "organisation" | "irt" | "contact" | "nic-hdl" | "nic-hdl-br" => {
            Section::Contact
        }
        "nsset" => Section::NameServers,
        "keyset" => Section::Keys,
        "route" | "route6" | "mntner" | "as-set" | "as-block" | "domain-c" | "poem" => Section::Other,
        _ => return None,
    })
}

/// What a key means wherever it stands: it says by itself what it speaks of.
pub(super) fn anywhere(key: &str) -> Option<Field> {
    of_a_registration(key).or_else(|| of_a_network(key))
}

/// Who registered what, and when.
fn of_a_registration(key: &str) -> Option<Field> {
    Some(match key {
        "domain name" | "domain name (ace)" | "nombre de dominio" => Field::Domain,
        "registrar name"
        | "sponsoring registrar"
        | "registration service provider"
        | "current registar"
        | "current registrar"
        | "registrar-name"
        | "authorized agency"
        | "account name"
        | "registrar organization"
        | "sponsoring registrar organization"
        | "registrar_name" => Field::Registrar,
        "registrar iana id" | "sponsoring registrar iana id" => Field::RegistrarId,
        "registrar url"
        | "registrar website"
        | "registrar-url"
        | "registration service url"
        | "referral url"
        | "registrar info"
        | "registrar web" => Field::RegistrarUrl,
        "registrant organization"
        | "registrant organisation"
        | "registrant-organization"
        | "company english name"
        | "registrant contact organisation"
        | "registrant company"
        | "orgname"
        | "org-name"
        | "organization name"
        | "holder organization" => Field::Organisation,
        "registrant name" | "registrant contact name" | "registrant_contact_name" | "holder name" => {
            Field::Registrant
        }
        "registrant country"
        | "registrant country code"
        | "org-country"
        | "registrant contact country"
        | "registrant country/economy"
        | "registrant_contact_country" => Field::Country,
        "creation date"
        | "created on"
        | "registered on"
        | "domain created"
        | "record created"
        | "registration date"
        | "registration time"
        | "domain registration date"
        | "domain name commencement date"
        | "registered date"
        | "first registration date"
        | "domain record activated"
        | "created date"
        | "record created on"
        | "regdate"
        | "assigned date"
        | "allocated date"
        | "domain_dateregistered"
        | "domain created on"
        | "fecha de creación" => Field::Created,
        "updated date"
        | "last updated on"
        | "domain last updated"
        | "last updated date"
        | "domain record last updated"
        | "record last updated on"
        | "update date"
        | "domain_datelastmodified"
        | "ultima actualización" => Field::Changed,
        "registry expiry date"
        | "registrar registration expiration date"
        | "expiration date"
        | "expiry date"
        | "expires on"
        | "expire date"
        | "renewal date"
        | "expiration time"
        | "paid-till"
        | "valid until"
        | "validity"
        | "domain expires"
        | "record expires on"
        | "domain expiration date"
        | "option expiration"
        | "expire-date"
        | "domain_datebilleduntil"
        | "fecha de vencimiento" => Field::Expires,
        _ => return None,
    })
}

/// Its state, its servers and keys, whom to tell of abuse, and what networks have.
fn of_a_network(key: &str) -> Option<Field> {
    Some(match key {
        "domain status" | "domain state" | "eppstatus" | "epp status" | "estatus del dominio" => {
            Field::Status
        }
        "name server"
        | "nameserver"
        | "nserver"
        | "nameserver in listed order"
        | "primary server"
        | "secondary server"
        | "name_server" => Field::NameServer,
        "ds-rdata" | "dsrecord" | "ds data" | "dnssec ds data" | "ds key tag" | "ds rdata"
        | "signing key" => Field::Key,
        "registrar abuse contact email"
        | "abuse-email"
        | "registrar abuse email"
        | "orgabuseemail"
        | "abuse-mailbox"
        | "abuse contact email" => Field::AbuseEmail,
        "registrar abuse contact phone" | "abuse-phone" | "orgabusephone" => Field::AbusePhone,
        "netname" | "network name" | "service name" => Field::NetworkName,
        "inetnum" | "inet6num" | "netrange" | "network number" | "ipv4 address" | "ipv6 address" => {
            Field::Range
        }
        "cidr" => Field::Prefixes,
        "aut-num" | "asnumber" | "as number" => Field::AsNumber,
        "as-name" | "asname" | "as name" => Field::AsName,
        "origin" | "originas" => Field::Origin,
        "source" => Field::Rir,
        _ => return None,
    })
}

/// What a key means where the thing itself is described, outside of people and registrars.
pub(super) fn of_itself(key: &str) -> Option<Field> {
    if key.starts_with("ns ") || (key.starts_with("nameserver ") && key.len() <= 13) {
        return Some(Field::NameServer);
    }
    Some(match key {
        "domain" | "domainname" | "dominio" => Field::Domain,
        "registrar" => Field::Registrar,
        "url" => Field::RegistrarUrl,
        "registrant" | "holder" | "domain holder" | "owner" | "org" | "holder-c" | "organization"
        | "organisation" | "company name" => Field::Organisation,
        "country" => Field::Country,
        "created" | "registered" | "assigned" | "connected date" | "domain_registered" => Field::Created,
        "changed" | "modified" | "last modified" | "last update" | "last updated" | "last-update"
        | "last-modified" | "updated" => Field::Changed,
        "expires" | "expire" | "expiry" => Field::Expires,
        "status"
        | "state"
        | "registration status"
        | "domaintype"
        | "lock status"
        | "nettype"
        | "network type" => Field::Status,
        "name servers" | "nameservers" | "hostname" | "host name" | "dns servers" => Field::NameServer,
        "dnssec" | "signed" => Field::Dnssec,
        "dnskey" | "keyset" => Field::Key,
        _ => return None,
    })
}

/// What a key means where somebody is described.
pub(super) fn of_somebody(key: &str) -> Option<Field> {
    Some(match key {
        "organization" | "organisation" | "org" | "company" | "company name" | "org-name"
        | "organization-loc" | "owner" => Field::Organisation,
        "name" | "contact" | "person" | "personname" | "role" | "responsible" | "registrar"
        | "person-loc" => Field::Registrant,
        "country" | "country code" | "country-loc" => Field::Country,
        "url" | "web" | "website" | "www" => Field::RegistrarUrl,
        "dnssec" => Field::Dnssec,
        _ => return None,
    })
}
