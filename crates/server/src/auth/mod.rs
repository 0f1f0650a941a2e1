//! Who is asking, and what they may do.
//!
//! [`guard::protect`] stands before all routes: it looks at `Host` and `Origin`, finds out the
//! [`Principal`] by session cookie or bearer token, and asks the table in [`access`] whether that
//! may use the route. Handlers take the [`Principal`] as an extractor.

pub mod access;
pub mod api;
mod error;
pub mod guard;
mod identify;
mod limit;
mod password;
mod principal;
mod secret;
pub mod secret_key;
mod settings;
mod setup;
mod shared;
mod site;
mod users;
pub(crate) mod worker_token;

pub use self::error::AuthError;
pub use self::guard::Client;
pub(crate) use self::guard::bearer_hash;
pub use self::password::{PasswordError, Passwords, check_policy};
pub use self::principal::Principal;
pub use self::secret::Secret;
pub use self::settings::AuthSettings;
pub use self::setup::{make_setup_code, setup_link};
pub use self::shared::Auth;
pub use self::site::{Proxy, Site, SiteSettings, check_public_url};
pub use self::users::{add_token, add_user, set_password};

#[cfg(test)]
pub(crate) mod tests;
