//! The `portcullis` command.

mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match command::Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            command::Exit::CouldNotRun.into()
        }
    }
}
