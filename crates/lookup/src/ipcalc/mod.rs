//! The IP calculator: what an address, a prefix or a range is, and what can be made of it.
//!
//! Everything here is arithmetic: no name is asked, no packet sent. Addresses of both families are computed with as
//! 128-bit numbers, and the number of addresses of a block is kept less one, so that `::/0` fits.

mod answer;
mod input;
mod inside;
mod list;
mod numbers;
mod reverse;
mod split;
mod v6;

pub use answer::{Answer, Binary, RangeAnswer, V4Answer, answer, calculate};
pub use input::{Form, InputError, LONGEST, Question, address, host, mask, read};
pub use inside::{Inside, Mechanism};
pub use list::{
    ListAnswer, ListError, MOST_ENTRIES, MOST_PREFIXES, MOST_RELATIONS, Related, Relation, list, words,
};
pub use numbers::{Family, Range};
pub use reverse::{Delegation, Reverse};
pub use split::{MOST_AT_ONCE, MOST_HOSTS, Part, Split, SplitBy, SplitError, split};
pub use v6::{Eui64, V6Answer};

#[cfg(test)]
mod tests;
