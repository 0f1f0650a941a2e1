//! Tokens of workers, and the codes they are exchanged for.

use uuid::Uuid;

use super::secret::{self, Secret};

/// How the token of every worker begins, so that one that leaks is recognised.
const PREFIX: &str = "nww_";
/// What codes are made of: letters and digits that cannot be taken for each other.
const ALPHABET: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Characters of a code, without the hyphen it is shown with.
const CODE: usize = 8;

/// True for what looks like the token of a worker.
pub(crate) fn is_one(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A new token for a worker: its id, and a secret.
pub(crate) fn new(worker: Uuid) -> Secret {
    Secret::new(&format!("{PREFIX}{}_", worker.simple()))
}

/// A new pairing code, such as `K7TM-3XWQ`.
pub(crate) fn new_code() -> String {
    let mut code: String =
        (0..CODE).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect();
    code.insert(CODE / 2, '-');
    code
}

/// What is stored of a code, however it was typed: letter case, hyphens and space aside. None for what
/// cannot be a code.
pub(crate) fn code_hash(typed: &str) -> Option<[u8; 32]> {
    if typed.len() > 4 * CODE {
        return None;
    }
    let code: String =
        typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect();
    let is_code = code.len() == CODE && code.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then(|| secret::hash(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_worker() {
        let id = Uuid::now_v7();
        let token = new(id);
        let (worker, secret) =
            token.reveal().strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).unwrap();
        assert_eq!(worker, id.simple().to_string());
        assert_eq!(secret.len(), 43);
        assert!(is_one(token.reveal()) && !is_one("nwk_x"));
        assert_ne!(token.hash(), new(id).hash());
    }

    #[test]
    fn codes_may_be_typed_in_any_way() {
        let code = new_code();
        assert_eq!((code.len(), code.find('-')), (CODE + 1, Some(CODE / 2)), "{code}");
        let hash = code_hash(&code).unwrap();
        for typed in [code.to_lowercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " - "))] {
            assert_eq!(code_hash(&typed), Some(hash), "{typed}");
        }
        assert_ne!(code_hash(&new_code()), Some(hash));
        for wrong in ["", "ABCD", "ABCD-EFG0", "ABCD-EFGI", "ABCD-EFGHJ", "ÄBCD-EFGH", &"-".repeat(99)] {
            assert_eq!(code_hash(wrong), None, "{wrong}");
        }
    }
}
