//! Reading bytes that nobody vouches for.

use super::name::{DomainName, LONGEST};

/// A place in a message.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    whole: &'a [u8],
    at: usize,
    end: usize,
}

/// The bytes end too early, or say what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

impl<'a> Reader<'a> {
    pub fn new(whole: &'a [u8]) -> Self {
        Self { whole, at: 0, end: whole.len() }
    }

    /// A part of the message that can still point back into the whole.
    pub fn part(&mut self, length: usize) -> Result<Self, Malformed> {
        let start = self.at;
        self.bytes(length)?;
        Ok(Self { whole: self.whole, at: start, end: self.at })
    }

    pub fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let to = self.at.checked_add(length).filter(|to| *to <= self.end);
        let taken = to.and_then(|to| self.whole.get(self.at..to)).ok_or(Malformed("it ends too early"))?;
        self.at += length;
        Ok(taken)
    }

    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.whole.get(self.at..self.end).unwrap_or_default();
        self.at = self.end;
        rest
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.bytes(N)?.try_into().map_err(|_| Malformed("it ends too early"))
    }

    /// A string with its length before it.
    pub fn counted(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u8()?;
        self.bytes(length.into())
    }

    /// A name, compressed or not. Each pointer must lead further back than the last, so that none leads in a circle.
    pub fn name(&mut self) -> Result<DomainName, Malformed> {
        let mut wire = Vec::with_capacity(32);
        let (mut at, mut end, mut earliest) = (self.at, self.end, self.at);
        let mut continues = None;
        loop {
            let byte = |at: usize| {
                self.whole.get(at).filter(|_| at < end).copied().ok_or(Malformed("a name ends too early"))
            };
            let length = byte(at)?;
            match length {
                0 => {
                    wire.push(0);
                    self.at = continues.unwrap_or(at + 1);
                    return DomainName::from_wire(wire).ok_or(Malformed("a name is too long"));
                }
                1..=63 => {
                    let to = at + 1 + usize::from(length);
                    let label = self.whole.get(at..to).filter(|_| to <= end);
                    wire.extend_from_slice(label.ok_or(Malformed("a name ends too early"))?);
                    if wire.len() >= LONGEST {
                        return Err(Malformed("a name is too long"));
                    }
                    at = to;
                }
                192.. => {
                    let to = usize::from(u16::from_be_bytes([length & 0x3f, byte(at + 1)?]));
                    if to >= earliest {
                        return Err(Malformed("a name points forward"));
                    }
                    continues.get_or_insert(at + 2);
                    (at, end, earliest) = (to, self.whole.len(), to);
                }
                _ => return Err(Malformed("a name holds a label of an unknown kind")),
            }
        }
    }
}
