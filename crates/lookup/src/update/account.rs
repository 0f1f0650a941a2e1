//! Accounts at those who give data only to whom they know.

use std::fmt;
use std::sync::Arc;

use super::Source;

/// The longest number of an account.
const LONGEST_NUMBER: usize = 20;
/// The longest key.
const LONGEST_KEY: usize = 128;

/// An account at a provider. Its key is in no output, not even that of `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub number: String,
    /// The key that belongs to it.
    pub key: String,
}

impl Account {
    /// Checks the number of an account.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn check_number(number: &str) -> Result<(), String> {
        let is_number = !number.is_empty()
            && number.len() <= LONGEST_NUMBER
            && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { Ok(()) } else { Err(format!("must be a number of at most {LONGEST_NUMBER} digits")) }
    }

    /// Checks a key. What is said of it does not repeat it.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn check_key(key: &str) -> Result<(), String> {
        let is_key =
            !key.is_empty() && key.len() <= LONGEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic());
        if is_key {
            Ok(())
        } else {
            Err(format!("must be 1 to {LONGEST_KEY} letters, digits and signs without blanks"))
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What a source makes of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounts<'a> {
    /// Who gives them, and for what.
    pub provider: &'static str,
    /// The number of the one that is used.
    pub number: Option<&'a str>,
}

/// A source that can be asked with an account.
pub trait WithAccount: Source {
    /// The same source, asked with this account.
    fn with_account(&self, account: Account) -> Arc<dyn Source>;

    /// Who gives accounts, and which one is used.
    fn accounts(&self) -> Accounts<'_>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_bounded_and_do_not_show_their_key() {
        for (number, key, right) in [
            ("1234", "abc_DEF-1", (true, true)),
            ("", "", (false, false)),
            ("12a", "a b", (false, false)),
            (&"1".repeat(21), &"k".repeat(129), (false, false)),
            ("1", "a\nb", (true, false)),
        ] {
            let checked = (Account::check_number(number).is_ok(), Account::check_key(key).is_ok());
            assert_eq!(checked, right, "{number} {key}");
        }
        let account = Account { number: "1234".into(), key: "hush".into() };
        assert_eq!(format!("{account:?}"), "Account { number: \"1234\", .. }");
        assert!(!Account::check_key("hush hush").unwrap_err().contains("hush"));
    }
}
