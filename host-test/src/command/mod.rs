//! What the command line offers, one file a subcommand.

mod check;
mod demo;
mod explain;
mod import;
mod playground;
mod render;
mod results;
mod schema;
mod serve;
mod test;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use portcullis_host_test::module::Module;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As it should.
    Ok,
    /// The question could not be asked: a file that is not there, a module that does not start.
    CouldNotRun,
    /// At least one scenario failed.
    ScenarioFailed,
    /// A gateway would refuse the policy.
    PolicyInvalid,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::CouldNotRun => 1,
            Exit::ScenarioFailed => 2,
            Exit::PolicyInvalid => 3,
        })
    }
}

/// One filter that hardens HTTP APIs at the gateway, tested on a laptop first
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    after_help = "Exit codes: 0 ok, 1 could not run, 2 a scenario failed, 3 a policy is invalid"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Demo(demo::Demo),
    Explain(explain::Explain),
    Import(import::Import),
    Playground(playground::Playground),
    Serve(serve::Serve),
    Render(render::Render),
    Schema(schema::Schema),
    Test(test::Test),
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Check(check) => check.run(),
            Command::Demo(demo) => demo.run(),
            Command::Explain(explain) => explain.run(),
            Command::Import(import) => import.run(),
            Command::Playground(playground) => playground.run(),
            Command::Serve(serve) => serve.run(),
            Command::Render(render) => render.run(),
            Command::Schema(schema) => Ok(schema.run()),
            Command::Test(test) => test.run(),
        }
    }
}

/// The module to run: the one built with this binary, unless another is named.
fn module(wasm: Option<&Path>) -> anyhow::Result<Module> {
    Ok(match wasm {
        Some(path) => Module::from_file(path)?,
        None => Module::embedded()?,
    })
}
