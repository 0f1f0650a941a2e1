//! The laboratory in which the engine is tested, for tests of the whole.

#[expect(dead_code, reason = "the tests of the engine have chains, too")]
#[path = "../../../probe/tests/namespaces/chain.rs"]
mod chain;
#[expect(dead_code, reason = "the tests of the engine do more with a link")]
#[path = "../../../probe/tests/namespaces/lan.rs"]
pub(crate) mod lan;
#[expect(dead_code, reason = "the same")]
#[path = "../../../probe/tests/namespaces/link.rs"]
mod link;
#[path = "../../../probe/tests/namespaces/os.rs"]
mod os;
#[expect(dead_code, reason = "the same")]
#[path = "../../../probe/tests/namespaces/spoken.rs"]
pub(crate) mod spoken;
