//! The `portcullis` command.

mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match command::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Clap's own exit code for misuse is 2, which here is a scenario that failed.
            let _ = error.print();
            let asked = !error.use_stderr();
            return if asked {
                command::Exit::Ok
            } else {
                command::Exit::CouldNotRun
            }
            .into();
        }
    };
    match cli.run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            command::Exit::CouldNotRun.into()
        }
    }
}
