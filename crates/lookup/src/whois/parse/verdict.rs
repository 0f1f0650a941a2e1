//! Whether an answer is one: registries say "there is no such thing" and "come back later" in many ways.

use crate::whois::shape::Record;

/// What an answer amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It describes something.
    Found,
    /// There is no such thing.
    NoMatch,
    /// We asked too often.
    RateLimited,
    /// We are not answered.
    Refused,
    /// It is not understood.
    Unclear,
}

/// The parts of an answer that may hold a verdict: what comes after is law.
const FIRST_BYTES: usize = 4_000;

const NO_MATCH: &[&str] = &[
    "no match",
    "not found",
    "no entries found",
    "no entry found",
    "no data found",
    "no data was found",
    "nothing found",
    "no object found",
    "no such domain",
    "no found",
    "no records matching",
    "no record found",
    "no records found",
    "no matching record",
    "no information available",
    "no information about",
    "no domain records",
    "is available for",
    "available for registration",
    "is free",
    "not registered",
    "not been registered",
    "no está registrado",
    "não está registado",
    "object does not exist",
    "does not exist",
    "do not have an entry",
    "domain unknown",
    "not in database",
    "not assigned",
    "no registration information",
    "is not valid for registration",
    "above domain name is not registered",
    "domain status: available",
    "domain status: no object found",
    "status: free",
    "status: available",
    "status.............: available",
    "registration status: available",
    "not find matchingrecord",
    "can not be found",
    "unallocated and unassigned",
    "*** nothing",
];

const RATE_LIMITED: &[&str] = &[
    "limit exceeded",
    "exceeded the",
    "exceeded your",
    "quota exceeded",
    "query rate",
    "rate limit",
    "too many requests",
    "too many queries",
    "too many simultaneous",
    "try again later",
    "try again after",
    "please try again",
    "temporarily denied",
    "excessive quer",
    "excessive access",
    "throttled",
    "lookup quota",
    "maximum number of",
    "maximum allowable number",
    "number of queries",
    "queries per",
    "-limit exceeded",
    "max requests",
    "wait a moment",
    "wait and try",
    "connection limit",
    "requests limit",
    "error:201",
    "server is busy",
];

const REFUSED: &[&str] = &[
    "access denied",
    "not authorised",
    "not authorized",
    "has been blocked",
    "blacklisted",
    "banned",
    "permission denied",
    "unauthorized",
    "ip address is not",
    "service is not available",
    "no longer available",
    "this service has been",
    "whois service has been retired",
];

const NOT_A_NAME: &[&str] = &[
    "invalid domain",
    "invalid query",
    "invalid input",
    "invalid request",
    "invalid name",
    "malformed",
    "error for",
    "cannot be registered",
    "syntax error",
    "not a valid domain",
    "incorrect domain",
    "unknown query",
    "this domain name has not been",
    "invalid characters",
];

/// What an answer amounts to, given what was read of it.
pub(super) fn of(text: &str, record: &Record) -> Verdict {
    let free = |status: &String| matches!(status.to_ascii_lowercase().as_str(), "free" | "available");
    if record.status.iter().any(free) {
        return Verdict::NoMatch;
    }
    if record.says_something() {
        return Verdict::Found;
    }
    let mut end = text.len().min(FIRST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let lower = text[..end].to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if says(NO_MATCH) {
        Verdict::NoMatch
    } else if says(RATE_LIMITED) {
        Verdict::RateLimited
    } else if says(REFUSED) {
        Verdict::Refused
    } else if says(NOT_A_NAME) {
        Verdict::NoMatch
    } else {
        Verdict::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        for (text, expected) in [
            ("No match for \"NOWHERE.COM\".\r\n>>> Last update <<<\r\n", Verdict::NoMatch),
            ("%ERROR:101: no entries found\n%\n% No entries found in source RIPE.\n", Verdict::NoMatch),
            ("Domain: nowhere.de\nStatus: free\n", Verdict::NoMatch),
            ("Domain:\tnowhere.be\nStatus:\tAVAILABLE\n", Verdict::NoMatch),
            ("% nothing found\n", Verdict::NoMatch),
            (
                "    No match for \"nowhere.co.uk\".\n\n    This domain name has not been registered.\n\n--\n(C) exceeding query rate or volume\nlimits.",
                Verdict::NoMatch,
            ),
            ("The queried object does not exist: DOMAIN NOT FOUND", Verdict::NoMatch),
            ("[ JPRS database ... ]\nNo match!!\n", Verdict::NoMatch),
            ("domain.............: nowhere.fi\nDomain not found\n", Verdict::NoMatch),
            (
                "%ERROR:201: access denied for 192.0.2.1\n% Sorry, access from your host has been permanently denied",
                Verdict::RateLimited,
            ),
            ("WHOIS LIMIT EXCEEDED - SEE WWW.PIR.ORG/WHOIS FOR DETAILS", Verdict::RateLimited),
            ("Your connection limit exceeded. Please slow down and try again later.", Verdict::RateLimited),
            ("% IP Address Has Reached Rate Limit", Verdict::RateLimited),
            (
                "The IP address used to perform the query is not authorised or has exceeded the established limit",
                Verdict::RateLimited,
            ),
            ("Access denied", Verdict::Refused),
            ("Welcome", Verdict::Unclear),
            ("", Verdict::Unclear),
        ] {
            assert_eq!(super::super::parse(text).verdict, expected, "{text}");
        }
    }
}
