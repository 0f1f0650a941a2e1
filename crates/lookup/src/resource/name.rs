//! Names of the DNS.

use netwark_model::target;

/// A name, in the form that is asked for and in the form that people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    ascii: String,
    unicode: String,
}

/// Ends of names that nobody outside can say anything of (RFC 6761, RFC 6762, RFC 7686, RFC 8375, and what ICANN
/// keeps free for use inside).
const INSIDE: &[&str] = &[
    "local",
    "internal",
    "home.arpa",
    "localhost",
    "localdomain",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "test",
    "invalid",
    "onion",
];

impl Name {
    /// Reads a name, international ones in either form (RFC 5891).
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        // Full stops of other scripts separate labels, too (UTS 46).
        let text = text.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
        let text = target::check(&text).map_err(|error| error.description)?;
        let ascii = idna::domain_to_ascii(&text)
            .map_err(|_| "is no name that the rules of international names allow")?;
        // What the rules make of it may be longer, or hold what was hidden before.
        let ascii = target::check(&ascii).map_err(|error| error.description)?;
        let (unicode, shown) = idna::domain_to_unicode(&ascii);
        let unicode = if shown.is_ok() { unicode } else { ascii.clone() };
        Ok(Self { ascii, unicode })
    }

    /// The form that is asked for: lower case, `xn--` where it is international.
    pub fn ascii(&self) -> &str {
        &self.ascii
    }

    /// The form that people read.
    pub fn unicode(&self) -> &str {
        &self.unicode
    }

    /// True for a name that only means something inside a network.
    pub fn is_internal(&self) -> bool {
        let ends = |end: &&str| {
            self.ascii.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        !self.ascii.contains('.') || INSIDE.iter().any(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_name() {
        for text in ["Bücher.Example", "xn--bcher-kva.example", "bücher。example."] {
            let name = Name::read(text).unwrap();
            assert_eq!((name.ascii(), name.unicode()), ("xn--bcher-kva.example", "bücher.example"), "{text}");
        }
        assert_eq!(Name::read("_sip._tcp.example.org").unwrap().ascii(), "_sip._tcp.example.org");
    }

    #[test]
    fn names_that_mean_something_inside_only() {
        for (text, inside) in [
            ("printer", true),
            ("nas.local", true),
            ("router.home.arpa", true),
            ("example.org", false),
            ("local.example", false),
            ("notlocal", true),
            ("x.notlocal", false),
        ] {
            assert_eq!(Name::read(text).unwrap().is_internal(), inside, "{text}");
        }
    }
}
