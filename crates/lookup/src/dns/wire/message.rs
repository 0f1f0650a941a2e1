//! Whole messages: the question that is sent, and what comes back.

use super::kind::Kind;
use super::name::DomainName;
use super::rdata;
use super::reader::{Malformed, Reader};

/// The class of the Internet.
pub const IN: u16 = 1;
/// Most records that are kept of an answer; a message of 64 KiB holds at most 5957.
const MOST_RECORDS: usize = 6000;

/// Bits of the second word of a message.
pub mod flag {
    /// It is an answer.
    pub const QR: u16 = 0x8000;
    /// The server is responsible for the zone.
    pub const AA: u16 = 0x0400;
    /// The answer did not fit.
    pub const TC: u16 = 0x0200;
    /// The server should ask others.
    pub const RD: u16 = 0x0100;
    /// The server is ready to ask others.
    pub const RA: u16 = 0x0080;
    /// The server has checked the signatures.
    pub const AD: u16 = 0x0020;
    /// The server should not check signatures.
    pub const CD: u16 = 0x0010;
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub name: DomainName,
    /// The type of records.
    pub kind: Kind,
}

/// How a question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Bits to set: [`flag::RD`], [`flag::CD`], [`flag::AD`].
    pub flags: u16,
    /// Largest answer by UDP, in bytes; `None` leaves EDNS away (RFC 6891).
    pub size: Option<u16>,
    /// Signatures are wanted (RFC 3225).
    pub dnssec: bool,
    /// The server should name itself (RFC 5001).
    pub nsid: bool,
}

/// A question as it travels.
pub fn query(id: u16, question: &Question, asking: Asking) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    let additional = u16::from(asking.size.is_some());
    for word in [id, asking.flags, 1, 0, 0, additional] {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    bytes.extend_from_slice(question.name.wire());
    bytes.extend_from_slice(&question.kind.0.to_be_bytes());
    bytes.extend_from_slice(&IN.to_be_bytes());
    if let Some(size) = asking.size {
        bytes.push(0);
        bytes.extend_from_slice(&Kind::OPT.0.to_be_bytes());
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, if asking.dnssec { 0x80 } else { 0 }, 0]);
        let options: &[u8] = if asking.nsid { &[0, 4, 0, 3, 0, 0] } else { &[0, 0] };
        bytes.extend_from_slice(options);
    }
    bytes
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: DomainName,
    /// Its type.
    pub kind: Kind,
    /// Its class, [`IN`] for the Internet.
    pub class: u16,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// Its data, names written out.
    pub data: Vec<u8>,
}

impl Record {
    /// Its data as people write it.
    pub fn text(&self) -> String {
        rdata::text(self.kind, &self.data)
    }

    /// The name that its data begins with.
    pub fn target(&self) -> Option<DomainName> {
        Reader::new(&self.data).name().ok()
    }
}

/// What the two sides say of themselves beyond the old header (RFC 6891).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edns {
    /// Its version.
    pub version: u8,
    /// Largest message by UDP, in bytes.
    pub size: u16,
    /// Signatures are wanted, or given.
    pub dnssec: bool,
    /// The options, by number.
    pub options: Vec<(u16, Vec<u8>)>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub id: u16,
    /// The bits of [`flag`].
    pub flags: u16,
    /// What became of the question (RFC 1035, extended by RFC 6891).
    pub rcode: u16,
    /// What was asked.
    pub questions: Vec<Question>,
    /// The answer.
    pub answers: Vec<Record>,
    /// Who is responsible, and proofs.
    pub authorities: Vec<Record>,
    /// What may help, without the record of EDNS.
    pub additionals: Vec<Record>,
    /// EDNS, when the server speaks it.
    pub edns: Option<Edns>,
    /// Its size in bytes.
    pub size: usize,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// When its frame is broken. Data that does not fit its type breaks only its own record.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (id, word) = (reader.u16()?, reader.u16()?);
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        let mut questions = Vec::new();
        for _ in 0..counts[0] {
            let question = Question { name: reader.name()?, kind: Kind(reader.u16()?) };
            reader.u16()?;
            questions.push(question);
        }
        let mut left = MOST_RECORDS;
        let mut section = |count: u16| -> Result<Vec<Record>, Malformed> {
            let mut records = Vec::new();
            for _ in 0..count {
                left = left.checked_sub(1).ok_or(Malformed("it has too many records"))?;
                records.push(record(&mut reader)?);
            }
            Ok(records)
        };
        let (answers, authorities, mut additionals) =
            (section(counts[1])?, section(counts[2])?, section(counts[3])?);
        let opt = additionals.iter().position(|record| record.kind == Kind::OPT);
        let opt = opt.map(|at| additionals.remove(at));
        let extended = opt.as_ref().map_or(0, |opt| (opt.ttl >> 24) as u16);
        Ok(Self {
            id,
            flags: word,
            rcode: extended << 4 | word & 15,
            questions,
            answers,
            authorities,
            additionals,
            edns: opt.map(|opt| edns(&opt)),
            size: bytes.len(),
        })
    }

    /// Whether a bit of [`flag`] is set.
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// True when it answers this question.
    pub fn answers(&self, id: u16, question: &Question) -> bool {
        let same_question = match self.questions.as_slice() {
            [asked] => asked == question,
            // Servers that cannot read a question may leave it away.
            [] => self.rcode != 0,
            _ => false,
        };
        self.has(flag::QR) && self.id == id && same_question
    }
}

fn record(reader: &mut Reader<'_>) -> Result<Record, Malformed> {
    let name = reader.name()?;
    let (kind, class, ttl) = (Kind(reader.u16()?), reader.u16()?, reader.u32()?);
    let length = reader.u16()?;
    let mut data = reader.part(length.into())?;
    Ok(Record { name, kind, class, ttl, data: rdata::expand(kind, &mut data) })
}

fn edns(opt: &Record) -> Edns {
    let mut reader = Reader::new(&opt.data);
    let mut options = Vec::new();
    while let (Ok(code), Ok(length)) = (reader.u16(), reader.u16()) {
        let Ok(value) = reader.bytes(length.into()) else { break };
        options.push((code, value.to_vec()));
    }
    let [_, version, high, _] = opt.ttl.to_be_bytes();
    Edns { version, size: opt.class, dnssec: high & 0x80 != 0, options }
}

/// What became of a question, by the name that IANA gives it.
pub fn rcode_name(rcode: u16) -> String {
    let known = match rcode {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        16 => "BADVERS",
        23 => "BADCOOKIE",
        _ => return format!("RCODE{rcode}"),
    };
    known.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn question() -> Question {
        Question { name: DomainName::parse("www.example").unwrap(), kind: Kind::A }
    }

    /// An answer with a compressed name, an MX whose target is compressed, and EDNS.
    fn answer() -> Vec<u8> {
        let asking = Asking { flags: flag::RD, size: None, dnssec: false, nsid: false };
        let mut bytes = query(7, &question(), asking);
        bytes[2..4].copy_from_slice(&(flag::QR | flag::RD | flag::RA).to_be_bytes());
        bytes[7] = 2;
        bytes[11] = 1;
        bytes.extend_from_slice(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01");
        bytes.extend_from_slice(b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x00\x3c\x00\x07\x00\x0a\x02mx\xc0\x10");
        bytes.extend_from_slice(b"\x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x06\x00\x03\x00\x02ab");
        bytes
    }

    #[test]
    fn an_answer_is_read() {
        let message = Message::read(&answer()).unwrap();
        assert!(message.answers(7, &question()));
        assert!(!message.answers(8, &question()));
        let texts: Vec<_> = message.answers.iter().map(Record::text).collect();
        assert_eq!(texts, ["192.0.2.1", "10 mx.example."]);
        assert_eq!(message.rcode, 16, "the upper half stands in EDNS");
        let edns = message.edns.unwrap();
        assert_eq!((edns.size, edns.dnssec, edns.options), (1232, true, vec![(3, b"ab".to_vec())]));
    }

    #[test]
    fn names_that_lead_in_a_circle_end() {
        let mut bytes = answer();
        let at = bytes.len();
        // A name that points at itself, and one that points forward.
        for target in [12_u16, u16::try_from(at).unwrap()] {
            bytes[12..14].copy_from_slice(&(0xc000 | target).to_be_bytes());
            assert_eq!(Message::read(&bytes), Err(Malformed("a name points forward")));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Message::read(&bytes);
        }

        #[test]
        fn no_change_of_an_answer_makes_it_panic(at in 0_usize..90, value: u8, cut in 0_usize..90) {
            let mut bytes = answer();
            let length = bytes.len();
            bytes[at % length] = value;
            bytes.truncate(length - cut % length);
            if let Ok(message) = Message::read(&bytes) {
                for record in message.answers.iter().chain(&message.authorities).chain(&message.additionals) {
                    let _ = record.text();
                    let _ = rdata::canonical(record.kind, &record.data);
                }
            }
        }

        #[test]
        fn no_data_makes_its_text_panic(kind in 0_u16..300, data in proptest::collection::vec(any::<u8>(), 0..80)) {
            let text = rdata::text(Kind(kind), &data);
            prop_assert!(text.chars().all(|c| !c.is_control()));
        }
    }
}
