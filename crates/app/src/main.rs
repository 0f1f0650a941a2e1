//! The netwark binary: reads what is asked for and hands it to the command that does it.

mod api;
mod cli;
mod commands;
mod config;
mod failure;
mod listening;
mod logging;
mod measuring;
mod output;
mod port;
mod reload;
#[cfg(feature = "otel")]
mod traces;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Two libraries bring TLS, and they must agree on who does the arithmetic. It fails only when somebody
    // has chosen already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();

    let tools = netwark_model::tools::Registry::standard();
    let arguments = commands::tool::habits(&tools, std::env::args_os());
    let asked = cli::command_for(&tools, &arguments).get_matches_from(arguments);
    let code = match commands::run(&tools, &asked) {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    };
    #[cfg(feature = "otel")]
    traces::end();
    code
}
