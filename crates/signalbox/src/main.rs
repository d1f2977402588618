//! The binary: configuration, wiring and the command line.

use std::process::ExitCode;

use clap::Parser;

mod command;
mod config;
mod credentials;
mod demo;
mod exit;
mod guards;
mod local;
mod people;
mod purchases;
mod secrets;
mod wiring;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The memory of this process has keys in it, which a crash is not to put into a file.
fn without_core_files() -> std::io::Result<()> {
    rlimit::Resource::CORE.set(0, 0)
}

fn main() -> ExitCode {
    let line = match command::Line::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // Help and version go to stdout with 0, mistakes to stderr with 2.
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(config::log_filter())
        .init();
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return exit::complain(&exit::Stop::failed("another TLS provider is already installed"));
    }
    if let Err(error) = without_core_files() {
        tracing::warn!(%error, "a crash may leave this process's memory, with its keys, in a core file");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(command::run(line)),
        Err(error) => Err(exit::Stop::failed(format!("no runtime: {error}"))),
    };
    match outcome {
        Ok(code) => code,
        Err(stop) => exit::complain(&stop),
    }
}
